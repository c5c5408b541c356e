"""Texts -> words, and which token of the encoder belongs to which. Knows no model. Letters: T text tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np

from trifocal import columns as c
from trifocal.errors import ConfigError
from trifocal.features.backbones import load_pretrained
from trifocal.types import FloatArray, IntArray

__all__ = ["ItemText", "Part", "TextReader", "content_words", "says_something", "text_parts", "word_sums", "words_of"]

Part = Literal["title", "description", "category"]

# Letters and digits, joined by what stands within a word: t-shirt, women's, 100%.
_WORD = re.compile(r"\w+(?:[-'’&/.]\w+)*%?")
# Of English, since the sample shop and the fashion data are; a word that joins others says nothing about a product.
_STOP = """
a about all also an and any are as at be been both but by can each for from had has have having if in into is it its
made more most new no not of off on one or other our out over own set so some such than that the their them then
there these this those through to too two under up upon very was when where which while who will with without you
your what here mean means how why just only really even much many any every always never still yet
"""
_STOP_WORDS = frozenset(_STOP.split())
_LEAST_LETTERS = 3


@dataclass(frozen=True)
class ItemText:
    """A text as words. Stability: caller.

    Attributes:
        words: as they stand in the text.
        parts: where each stands.
        word_of: (T,) place of the word that each token belongs to; -1 = a special token or punctuation.
    """

    words: tuple[str, ...]
    parts: tuple[Part, ...]
    word_of: IntArray


class TextReader:
    """Cuts texts as the encoder in `folder` does, and says which words its tokens are of. Thread-safe.

    Stability: caller.
    """

    def __init__(self, folder: Path) -> None:
        """Load the tokenizer.

        Raises:
            ConfigError: when it does not say where its tokens stand, or its packages are not installed.
        """
        self._tokenizer = load_pretrained("AutoTokenizer", folder)
        if not self._tokenizer.is_fast:
            raise ConfigError(
                f"the tokenizer in {folder} does not say where its tokens stand in the text; "
                "save it as a fast tokenizer (tokenizer.json)"
            )
        # The fast tokenizers refuse to be borrowed by two threads.
        self._lock = Lock()

    def read(self, parts: Sequence[tuple[Part, str]], token_ids: Sequence[int]) -> ItemText:
        """Return the words of the joined `parts`, which the encoder cut into `token_ids` (T)."""
        words = words_of(parts)
        spans = self._spans(". ".join(text for _, text in parts), token_ids)
        return ItemText(
            tuple(text for text, _, _ in words),
            tuple(part for _, part, _ in words),
            _owners(spans, [span for _, _, span in words]),
        )

    def _spans(self, text: str, token_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Where each token stands; (0, 0) = nowhere. Past the encoder's limit only its closing token differs."""
        special = set(self._tokenizer.all_special_ids)
        with self._lock:
            framed = token_ids[0] in special and len(token_ids) > 1
            found = self._tokenizer(text, return_offsets_mapping=True, add_special_tokens=framed, verbose=False)
        spans = [tuple(span) for span in found["offset_mapping"]][: len(token_ids)]
        spans += [(0, 0)] * (len(token_ids) - len(spans))
        return [(0, 0) if token in special else span for token, span in zip(token_ids, spans, strict=True)]


def text_parts(title: str | None, category: str | None, description: str | None) -> list[tuple[Part, str]]:
    """Return what `trifocal.features.items.item_texts` joins by a full stop and a space; empty = no text.

    >>> text_parts("Red shoe", "Shoes > Running", None)
    [('title', 'Red shoe'), ('category', 'Shoes, Running')]
    >>> text_parts(None, "Shoes", None)
    []
    """
    if not (title or description):
        return []
    path = category.replace(c.CATEGORY_SEPARATOR, ", ") if category else None
    told: list[tuple[Part, str | None]] = [("title", title), ("category", path), ("description", description)]
    return [(part, text) for part, text in told if text]


def words_of(parts: Sequence[tuple[Part, str]]) -> list[tuple[str, Part, tuple[int, int]]]:
    """Return each word of the joined parts, where it belongs, and its span of characters.

    >>> words_of([("title", "T-shirt"), ("description", "It fits.")])
    [('T-shirt', 'title', (0, 7)), ('It', 'description', (9, 11)), ('fits', 'description', (12, 16))]
    """
    found: list[tuple[str, Part, tuple[int, int]]] = []
    start = 0
    for part, text in parts:
        found += [(m.group(), part, (start + m.start(), start + m.end())) for m in _WORD.finditer(text)]
        start += len(text) + len(". ")
    return found


def word_sums(text: ItemText, weights: FloatArray) -> FloatArray:
    """Return (words,): the sum of the `weights` (T,) of each word's tokens.

    >>> word_sums(ItemText(("blue", "t-shirt"), ("title", "title"), np.array([-1, 0, 1, 1, -1])), np.arange(5.0))
    array([1., 5.])
    """
    sums = np.zeros(len(text.words), weights.dtype)
    known = text.word_of >= 0
    np.add.at(sums, text.word_of[known], weights[: len(known)][known])
    return sums


def content_words(text: ItemText) -> list[str]:
    """Return the distinct words in small letters that say something, in their order; those of the category left out.

    >>> content_words(ItemText(("The", "blue", "Shirt", "of", "12", "Blue"), ("title",) * 6, np.zeros(0, np.int64)))
    ['blue', 'shirt']
    """
    small = [word.lower() for word, part in zip(text.words, text.parts, strict=True) if part != "category"]
    return list(dict.fromkeys(word for word in small if says_something(word)))


def says_something(word: str) -> bool:
    """Return whether `word`, in small letters, says something by itself."""
    return len(word) >= _LEAST_LETTERS and word[0].isalpha() and word not in _STOP_WORDS


def _owners(spans: Sequence[tuple[int, int]], words: Sequence[tuple[int, int]]) -> IntArray:
    """(T,): the word that shares most characters with each token; -1 = none."""
    owners = np.full(len(spans), -1, dtype=np.int64)
    for token, (start, end) in enumerate(spans):
        shared = [
            (min(end, word_end) - max(start, word_start), -place) for place, (word_start, word_end) in enumerate(words)
        ]
        most, place = max(shared, default=(0, 0))
        if most > 0:
            owners[token] = -place
    return owners
