from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.features.small_catalogue import WIDTH, LetterSource, small_items

from trifocal import columns as c
from trifocal.errors import DataError
from trifocal.explain import CachedSource, CachedTexts, EncodedContent, Encoders, described_items
from trifocal.features.items import item_texts
from trifocal.features.text import TransformerTextSource, text_source
from trifocal.features.token_cache import TokenCache, text_key
from trifocal.types import FloatArray

CODES = np.arange(16).reshape(8, 2)


@cache
def minilm() -> TransformerTextSource:
    return text_source("minilm")


class Letters(LetterSource):
    """Features of letters for the tokens of MiniLM, whose tokenizer is a real one."""

    folder = minilm().folder

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        return minilm().token_ids(contents)

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        self.encoded += contents
        return [np.full((len(ids), WIDTH), 0.1, np.float32) for ids in self.token_ids(contents)]


class Colours(LetterSource):
    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        self.encoded += contents
        if "i5" in contents[0]:
            raise OSError("cut off")
        return [np.ones((4, WIDTH), np.float32)] * len(contents)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for row in (0, 1, 4, 5):
        Image.new("RGB", (20, 20), (220, 20, 30)).save(tmp_path / f"i{row}.png")
    return tmp_path


def content(root: Path, text: Letters | None, image: Colours | None, lower: Letters | None = None) -> EncodedContent:
    described = described_items(small_items(), root, CODES, known=6)
    return EncodedContent(described, Encoders(text, image, WIDTH, WIDTH, 4, lower))


def test_items_are_encoded_once_and_padded(root: Path) -> None:
    text, image = Letters(), Colours()
    used = content(root, text, image)
    for _ in range(2):
        items = used.batch(np.array([0, 1, 3, 7]))
    items.validate()
    assert len(text.encoded) == 3
    assert len(image.encoded) == 2
    assert items.image_mask.tolist() == [True, True, False, False]  # i3 names a picture that is not there
    assert items.text_mask.any(dim=1).tolist() == [True, False, True, True]
    assert items.id_codes.tolist() == [1, 2, 4, 0]
    assert items.attributes.tolist() == [[0, 1], [2, 3], [6, 7], [14, 15]]
    assert items.text.dtype == items.image.dtype == torch.float32
    assert not items.image[2:].any()


def test_words_stand_for_the_tokens_of_the_batch(root: Path) -> None:
    used = content(root, Letters(), None)
    found = used.text(0)
    assert found is not None
    assert len(found.word_of) == int(used.batch(np.array([0])).text_mask.sum())
    assert found.words[:2] == ("blue", "thing")
    assert used.text(1) is None
    assert used.category(1) == "Home > Lamp"
    assert used.title(0) == "blue thing 0"
    assert used.colours(2) == ()
    assert used.colours(0) == ("red",)


def test_a_model_without_words_or_pictures_reads_none(root: Path) -> None:
    items = content(root, None, None).batch(np.array([0, 1]))
    items.validate()
    assert not items.text_mask.any()
    assert not items.image_mask.any()


def test_trained_layers_get_the_tokens_below_them_and_the_mean_above(root: Path) -> None:
    lower = Letters()
    items = content(root, Letters(), None, lower).batch(np.array([0, 1]))
    assert items.text_mean is not None
    torch.testing.assert_close(items.text_mean[0], torch.full((WIDTH,), 0.1), rtol=1e-3, atol=0)
    assert not items.text_mean[1].any()
    assert len(lower.encoded) == 1


def test_a_broken_picture_is_named(root: Path) -> None:
    with pytest.raises(DataError, match=r"the picture .*i5.png cannot be read \(cut off\)"):
        content(root, None, Colours()).batch(np.array([5]))


def test_a_cache_is_looked_into_first(root: Path, tmp_path: Path) -> None:
    source = Letters()
    text = item_texts(small_items())[0]
    assert text is not None
    TokenCache(tmp_path / "cache", source).add([text], [text_key(text)])
    source.encoded.clear()
    cached = CachedTexts(source, tmp_path / "cache")
    assert cached.token_ids(["red"]) == source.token_ids(["red"])
    first, second = cached.encode([text, "something else"])
    assert source.encoded == ["something else"]
    np.testing.assert_allclose(first, 0.1, rtol=1e-3)
    assert second.shape[1] == WIDTH
    pictures = CachedSource(Colours(), tmp_path / "cache", pictures=True)
    assert pictures.encode([str(root / "i0.png")])[0].shape == (4, WIDTH)
    assert small_items()[c.IMAGE][0] == "i0.png"
