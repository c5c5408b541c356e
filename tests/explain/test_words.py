from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.features.small_catalogue import small_items

from trifocal import columns as c
from trifocal.errors import ConfigError
from trifocal.explain.words import TextReader, text_parts
from trifocal.features.items import item_texts
from trifocal.features.scratch_tokenizer import train_tokenizer
from trifocal.features.text import text_source

TOLD = [("title", "Overpriced T-shirt"), ("category", "Tops, Shirts"), ("description", "It is 100% cotton, naïvely.")]


def test_parts_are_what_the_encoder_reads() -> None:
    items = small_items()
    rows = items.select(c.TITLE, c.CATEGORY, c.DESCRIPTION).iter_rows()
    joined = [". ".join(text for _, text in text_parts(*row)) or None for row in rows]
    assert joined == item_texts(items)
    assert isinstance(items, pl.DataFrame)


@pytest.fixture(scope="module")
def minilm() -> TextReader:
    return TextReader(text_source("minilm").folder)


def test_word_pieces_become_words(minilm: TextReader) -> None:
    source = text_source("minilm", max_tokens=64)
    ids = source.token_ids([". ".join(text for _, text in TOLD)])[0]
    found = minilm.read(TOLD, ids)  # type: ignore[arg-type]  # literals of a list
    assert found.words == ("Overpriced", "T-shirt", "Tops", "Shirts", "It", "is", "100%", "cotton", "naïvely")
    assert found.parts == ("title",) * 2 + ("category",) * 2 + ("description",) * 5
    assert len(found.word_of) == len(ids)
    # [CLS], two pieces or more of "overpriced", three of "t-shirt", a full stop of nobody, ... [SEP].
    assert found.word_of[0] == found.word_of[-1] == -1
    assert np.count_nonzero(found.word_of == 0) >= 2
    assert np.count_nonzero(found.word_of == 1) == 3
    assert set(found.word_of.tolist()) == {-1, *range(9)}


def test_what_was_cut_off_belongs_to_nobody(minilm: TextReader) -> None:
    ids = text_source("minilm", max_tokens=8).token_ids([". ".join(text for _, text in TOLD)])[0]
    found = minilm.read(TOLD, ids)  # type: ignore[arg-type]  # literals of a list
    assert len(found.word_of) == 8
    assert found.word_of[-1] == -1
    assert found.word_of.max() < 8
    assert len(found.words) == 9


def test_pieces_of_bytes_and_no_special_tokens(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["blue shirts and shirts, naïve"] * 3, vocabulary_size=300, max_tokens=64)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "roberta"}', encoding="utf-8")
    reader = TextReader(tmp_path)
    parts = [("title", "Blue shirts"), ("description", "naïve ☂ shirts")]
    text = ". ".join(text for _, text in parts)
    for framed in (True, False):
        ids = tokenizer(text, add_special_tokens=framed)["input_ids"]
        found = reader.read(parts, ids)  # type: ignore[arg-type]  # literals of a list
        assert found.words == ("Blue", "shirts", "naïve", "shirts")
        owners = found.word_of[1:-1] if framed else found.word_of
        known = owners[owners >= 0]
        assert np.all(np.diff(known) >= 0)
        assert set(known.tolist()) == {0, 1, 2, 3}


def test_a_slow_tokenizer_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Slow:
        is_fast = False

    monkeypatch.setattr("trifocal.explain.words.load_pretrained", lambda *_: Slow())
    with pytest.raises(ConfigError, match="does not say where its tokens stand"):
        TextReader(tmp_path)
