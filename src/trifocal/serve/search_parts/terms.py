"""Text -> terms: small letters, light stemming, no words that say nothing. Knows no catalogue."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["stem", "terms", "words"]

_WORD = re.compile(r"\w+")
_SAY_NOTHING = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "i", "in", "is", "it", "its", "me",
     "my", "of", "on", "or", "our", "so", "some", "that", "the", "their", "them", "they", "this", "to", "us", "we",
     "with", "you", "your")
)  # fmt: skip
_VOWELS = frozenset("aeiouy")
# A stem shorter than this is a word of its own: "red" is not "r" in the past.
_LEAST = 3


def words(text: str) -> list[str]:
    """Return the words of `text` in small letters, in their order.

    >>> words("A Polka-dot dress!")
    ['a', 'polka', 'dot', 'dress']
    """
    return _WORD.findall(text.lower())


def terms(text: str) -> list[str]:
    """Return the stems of the words of `text` that say something, in their order.

    >>> terms("A striped shirt with stripes")
    ['strip', 'shirt', 'strip']
    """
    return [stem(word) for word in words(text) if word not in _SAY_NOTHING]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return `word` without the endings of number and past, so that what differs in them alone is one term.

    >>> [stem(word) for word in ("stripes", "striped", "dotted", "berries", "dresses", "dress", "red", "jeans")]
    ['strip', 'strip', 'dot', 'berry', 'dress', 'dress', 'red', 'jean']
    """
    return _without_e(_without_past(_singular(word)))


def _singular(word: str) -> str:
    if len(word) <= _LEAST or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > len("ies") + 1:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


def _without_past(word: str) -> str:
    kept = word[:-2]
    if not word.endswith("ed") or len(kept) < _LEAST or not _VOWELS & set(kept):
        return word
    doubled = kept[-1] == kept[-2] and kept[-1] not in "ls"
    return kept[:-1] if doubled else kept


def _without_e(word: str) -> str:
    return word[:-1] if word.endswith("e") and len(word) > _LEAST + 1 else word
