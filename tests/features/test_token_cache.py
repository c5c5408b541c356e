from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.features.small_catalogue import LetterSource

from trifocal.features import token_cache
from trifocal.features.token_cache import TokenCache, file_key, text_key
from trifocal.types import FloatArray


def add(cache: TokenCache, texts: Sequence[str]) -> int:
    return cache.add(texts, [text_key(text) for text in texts])


def test_tokens_come_back_as_they_were_encoded(tmp_path: Path) -> None:
    cache = TokenCache(tmp_path, LetterSource())
    add(cache, ["a bb", "ccc"])
    # "bb": the letter b is number 98, 98 % 6 = 2.
    assert cache.tokens(text_key("a bb")).tolist() == [[0, 1, 0, 0, 0, 0], [0, 0, 2, 0, 0, 0]]
    assert cache.tokens(text_key("ccc")).dtype == np.float16


def test_unchanged_content_is_never_encoded_twice(tmp_path: Path) -> None:
    add(TokenCache(tmp_path, LetterSource()), ["a", "b"])
    source = LetterSource()
    again = TokenCache(tmp_path, source)
    assert add(again, ["a", "b", "new", "new"]) == 1
    assert source.encoded == ["new"]


def test_another_backbone_has_another_cache(tmp_path: Path) -> None:
    add(TokenCache(tmp_path, LetterSource()), ["a"])
    assert text_key("a") not in TokenCache(tmp_path, LetterSource(fingerprint="letters-2"))


def test_a_killed_encoding_goes_on_after_its_last_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class DyingSource(LetterSource):
        def encode(self, contents: Sequence[str]) -> list[FloatArray]:
            if len(self.encoded) >= 4:
                raise KeyboardInterrupt
            return super().encode(contents)

    monkeypatch.setattr(token_cache, "_SHARD_ITEMS", 2)
    texts = [letter * 3 for letter in "abcdefgh"]
    with pytest.raises(KeyboardInterrupt):
        add(TokenCache(tmp_path, DyingSource(), batch_size=1), texts)
    source = LetterSource()
    resumed = TokenCache(tmp_path, source, batch_size=1)
    assert len(resumed) == 4
    add(resumed, texts)
    assert sorted(source.encoded) == texts[4:]
    assert all(text_key(text) in resumed for text in texts)


def test_a_shard_without_its_index_counts_as_not_written(tmp_path: Path) -> None:
    add(TokenCache(tmp_path, LetterSource()), ["a"])
    index = next(tmp_path.rglob("*.json"))
    index.unlink()
    assert len(TokenCache(tmp_path, LetterSource())) == 0


def test_a_changed_picture_has_a_new_key(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"one")
    first = file_key(str(picture))
    picture.write_bytes(b"two")
    assert file_key(str(picture)) != first
