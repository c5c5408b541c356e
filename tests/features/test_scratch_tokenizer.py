from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from trifocal.features.scratch_tokenizer import train_tokenizer

TEXTS = ["Black boots", "black boots of leather", "μαύρες μπότες", "黒いブーツ", "黒い靴"] * 3
BYTES = 256


def trained(texts: list[str] = TEXTS, size: int = 400) -> PreTrainedTokenizerFast:
    return train_tokenizer(texts, vocabulary_size=size, max_tokens=256)


TOKENIZER = trained()


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=20))
@example("Ελλάδα ΜΠΟΤΕΣ")
@example("黒いブーツ 日本語")
def test_no_text_of_any_language_has_an_unknown_token(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.unk_token_id not in ids
    # Nothing is lost but capitals, compatible forms and the space in front.
    normal = TOKENIZER.backend_tokenizer.normalizer.normalize_str(text)
    assert str(TOKENIZER.decode(ids)).lstrip() == normal.lstrip()


def test_texts_are_framed_and_small_letters_are_the_same() -> None:
    tokens = TOKENIZER.convert_ids_to_tokens(TOKENIZER("BLACK Boots")["input_ids"])
    assert tokens == ["<s>", "Ġblack", "Ġboots", "</s>"]


@pytest.mark.parametrize(("word", "wide"), [("boots", "ｂｏｏｔｓ"), ("ブーツ", "ﾌﾞｰﾂ")])
def test_wide_and_narrow_letters_are_the_same(word: str, wide: str) -> None:
    assert TOKENIZER(word)["input_ids"] == TOKENIZER(wide)["input_ids"]


def test_words_of_the_texts_are_short() -> None:
    assert len(TOKENIZER("μπότες", add_special_tokens=False)["input_ids"]) == 1
    # Six Greek letters that no text holds: at most two bytes each, and the space.
    assert len(TOKENIZER("ζώνη", add_special_tokens=False)["input_ids"]) > 1


def test_a_pair_that_occurs_once_is_no_token() -> None:
    assert len(trained(["abc", "xyz"])) == 5 + BYTES


def test_the_vocabulary_is_bounded_and_the_same_each_time() -> None:
    small = trained(size=270)
    assert len(small) == 270
    assert small.get_vocab() == trained(size=270).get_vocab()


def test_the_special_ids_are_those_of_roberta() -> None:
    ids = [TOKENIZER.bos_token_id, TOKENIZER.pad_token_id, TOKENIZER.eos_token_id, TOKENIZER.mask_token_id]
    assert ids == [0, 1, 2, 4]
