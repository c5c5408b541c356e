from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trifocal.errors import ConfigError
from trifocal.features import scratch
from trifocal.features.config import FeaturesConfig, ScratchConfig
from trifocal.features.scratch import ENCODER_FILES, catalogue_text_source, scratch_folder, stored_text_source

TEXTS = ["black boots of leather", "black shirt", None, "μαύρες μπότες", "黒いブーツ", "a garden lamp", "black boots"]
CONFIG = FeaturesConfig(
    text_backbone="scratch", max_tokens=16, scratch=ScratchConfig(width=32, layers=1, epochs=2, max_steps=4)
)


def test_it_is_trained_once_and_then_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = scratch_folder(TEXTS, CONFIG, tmp_path)
    monkeypatch.setattr(scratch, "train_encoder", None)
    # Neither order nor repetition makes another catalogue.
    assert scratch_folder([*reversed(TEXTS), TEXTS[0]], CONFIG, tmp_path) == folder
    assert sorted(path.name for path in folder.iterdir()) == sorted(ENCODER_FILES)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_other_texts_or_settings_are_another_encoder(tmp_path: Path) -> None:
    folders = {
        scratch_folder(TEXTS, CONFIG, tmp_path),
        scratch_folder(TEXTS[:-1], CONFIG, tmp_path),
        scratch_folder(TEXTS, CONFIG.model_copy(update={"max_tokens": 12}), tmp_path),
        scratch_folder(TEXTS, CONFIG.model_copy(update={"scratch": ScratchConfig(width=32, max_steps=1)}), tmp_path),
    }
    assert len(folders) == 4


def test_the_same_texts_give_the_same_encoder_anywhere(tmp_path: Path) -> None:
    here, there = (catalogue_text_source(TEXTS, CONFIG, tmp_path / name) for name in ("a", "b"))
    assert here.folder != there.folder
    assert here.fingerprint == there.fingerprint


def test_it_reads_any_language_and_is_read_again_from_its_folder(tmp_path: Path) -> None:
    source = catalogue_text_source(TEXTS, CONFIG, tmp_path)
    assert source.width == 32
    vectors = source.pooled(["μπότες", "ブーツ", "сапоги", "🥾"])
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors.round(4), axis=0)) == 4
    again = stored_text_source(CONFIG, source.folder)
    np.testing.assert_array_equal(again.pooled(["μπότες"]), source.pooled(["μπότες"]))


def test_a_longest_text_fits(tmp_path: Path) -> None:
    (tokens,) = catalogue_text_source(TEXTS, CONFIG, tmp_path).encode(["long " * 100])
    assert tokens.shape == (16, 32)


def test_a_killed_training_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_args: object, **_settings: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(scratch, "train_encoder", killed)
        with pytest.raises(KeyboardInterrupt):
            scratch_folder(TEXTS, CONFIG, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert scratch_folder(TEXTS, CONFIG, tmp_path).is_dir()


def test_a_catalogue_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is 'scratch', but none of the items has a text.*or choose 'minilm'"):
        scratch_folder([None, None], CONFIG, tmp_path)


def test_settings_of_scratch_matter_only_where_it_is_chosen() -> None:
    other = {"scratch": ScratchConfig(layers=2)}
    plain = FeaturesConfig()
    assert plain.encoders_json() == plain.model_copy(update=other).encoders_json()
    assert CONFIG.encoders_json() != CONFIG.model_copy(update=other).encoders_json()
