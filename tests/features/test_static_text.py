from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trifocal.errors import ConfigError
from trifocal.features import static_text
from trifocal.features.config import FeaturesConfig, StaticConfig
from trifocal.features.scratch import ENCODER_FILES, catalogue_text_source, stored_text_source
from trifocal.features.static_text import StaticTextSource, static_folder
from trifocal.features.text import text_source

TEXTS = ["black boots of leather", "black shirt", None, "a garden lamp", "black boots", "a red lamp", "red shirt"]
CONFIG = FeaturesConfig(text_backbone="static", max_tokens=16, static=StaticConfig(epochs=40))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def source(cache: Path) -> StaticTextSource:
    found = catalogue_text_source(TEXTS, CONFIG, cache)
    assert isinstance(found, StaticTextSource)
    return found


def test_a_text_is_a_token_a_word_piece_without_special_tokens(source: StaticTextSource) -> None:
    tokens = source.encode(["black boots", "", "long " * 100])
    assert [len(found) for found in tokens] == [2, 1, 16]
    assert tokens[0].shape[1] == source.width == 384
    assert tokens[0].dtype == np.float32


def test_the_mean_token_is_the_weighted_mean(source: StaticTextSource) -> None:
    vectors, weights = source._vectors, source._weights
    (ids,) = source.token_ids(["black shirt"])
    wanted = (weights[ids][:, None] * vectors[ids]).sum(axis=0) / weights[ids].sum()
    np.testing.assert_allclose(source.encode(["black shirt"])[0].mean(axis=0), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(source.pooled(["black shirt"])[0], wanted, rtol=1e-4, atol=1e-5)


def test_it_says_of_the_texts_it_was_taught_with_what_minilm_says(source: StaticTextSource) -> None:
    known = [text for text in TEXTS if text]
    wanted, found = text_source("minilm", max_tokens=16).pooled(known), source.pooled(known)
    unexplained = ((found - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum()
    assert unexplained < 0.1


def test_words_that_it_never_saw_are_near_what_minilm_finds_near(source: StaticTextSource) -> None:
    vectors = source.pooled(["sandals", "boots", "lamp"])
    near, far = np.linalg.norm(vectors[0] - vectors[1]), np.linalg.norm(vectors[0] - vectors[2])
    assert near < far


def test_it_is_taught_once_and_then_reused(
    source: StaticTextSource, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_text, "_teach", None)
    # Neither order nor repetition makes another catalogue.
    assert static_folder([*reversed(TEXTS), TEXTS[0]], CONFIG, cache) == source.folder
    assert sorted(path.name for path in source.folder.iterdir()) == sorted(ENCODER_FILES)
    again = stored_text_source(CONFIG, source.folder)
    assert again.fingerprint == source.fingerprint
    np.testing.assert_array_equal(again.pooled(["red boots"]), source.pooled(["red boots"]))


def test_other_texts_or_settings_are_another_encoder(
    source: StaticTextSource, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_text, "_teach", lambda *_: None)
    others = {
        static_folder(TEXTS[:-1], CONFIG, cache),
        static_folder(TEXTS, CONFIG.model_copy(update={"max_tokens": 12}), cache),
        static_folder(TEXTS, CONFIG.model_copy(update={"static": StaticConfig(epochs=1)}), cache),
        static_folder(TEXTS, CONFIG.model_copy(update={"static": StaticConfig(epochs=40, max_texts=3)}), cache),
    }
    assert len(others - {source.folder}) == 4


def test_a_killed_teaching_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(static_text, "_teach", killed)
    with pytest.raises(KeyboardInterrupt):
        static_folder(TEXTS, CONFIG, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_catalogue_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is 'static', but none of the items has a text.*or choose 'minilm'"):
        static_folder([None, None], CONFIG, tmp_path)


def test_a_folder_without_vectors_is_refused(source: StaticTextSource, tmp_path: Path) -> None:
    for name in set(ENCODER_FILES) - {"model.safetensors"}:
        (tmp_path / name).write_bytes((source.folder / name).read_bytes())
    with pytest.raises(ConfigError, match="holds no word-piece vectors"):
        StaticTextSource(tmp_path, max_tokens=16)


def test_settings_of_static_matter_only_where_it_is_chosen() -> None:
    other = {"static": StaticConfig(epochs=2)}
    plain = FeaturesConfig()
    assert plain.encoders_json() == plain.model_copy(update=other).encoders_json()
    assert CONFIG.encoders_json() != CONFIG.model_copy(update=other).encoders_json()
