"""Which items hold which terms, and how much that says: BM25 over an inverted index. Knows no encoder.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the weighting of
fields of its section 3.6 and the idf of Lucene, log(1 + (N - n + 1/2) / (n + 1/2)), which is never negative.

```
term ─► (rows, impacts)      as built: two arrays for all terms, sorted by term
        (row -> impact)      of rows changed since, beside them
```

Letters: N items, T terms.
"""

from __future__ import annotations

import difflib
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from trifocal.serve.search_parts.terms import terms
from trifocal.types import FloatArray, IntArray

__all__ = ["FIELD_WEIGHTS", "ItemText", "WordIndex"]

_K1, _B = 1.2, 0.75
# A title says in three words what a description takes thirty for.
FIELD_WEIGHTS = {"title": 2.0, "category": 2.0, "description": 1.0}
# As alike as "shrit" and "shirt"; shorter words are too alike anyway.
_ALIKE, _LEAST_SPELT = 0.8, 5


@dataclass(frozen=True)
class ItemText:
    """What is read of an item; None = it has none."""

    title: str | None
    description: str | None
    category: str | None = None

    def frequencies(self) -> dict[str, float]:
        """Return term -> weighted times that the item holds it."""
        found: dict[str, float] = {}
        for name, weight in FIELD_WEIGHTS.items():
            for term in terms(getattr(self, name) or ""):
                found[term] = found.get(term, 0.0) + weight
        return found


@dataclass(frozen=True)
class WordIndex:
    """An inverted index that never changes; `with_text` gives another. Stability: internal.

    Attributes:
        places: term -> its number.
        starts: (T + 1,) where the rows of each term begin.
        rows: rows that hold a term, term after term.
        impacts: what each of them says without the idf, float16.
        built: items when it was built; the idf is theirs, so that it is the same whichever way items came since.
        count: N, rows added since included.
        mean_length: of the texts, in weighted terms.
        changed: row -> term -> impact, in place of what was built.
    """

    places: Mapping[str, int]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    impacts: npt.NDArray[np.float16]
    built: int
    count: int
    mean_length: float
    changed: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Sequence[ItemText]) -> WordIndex:
        """Return the index of N texts."""
        places: dict[str, int] = {}
        # Typed arrays: lists of numbers take seven times the memory.
        columns, rows, times = array("i"), array("i"), array("f")
        lengths = np.zeros(len(texts), np.float32)
        for row, text in enumerate(texts):
            found = text.frequencies()
            lengths[row] = sum(found.values())
            columns.extend(places.setdefault(term, len(places)) for term in found)
            rows.extend([row] * len(found))
            times.extend(found.values())
        mean = max(float(lengths.mean()) if len(texts) else 0.0, 1.0)
        numbers = np.array(columns, dtype=np.int32)
        by_term = np.argsort(numbers, kind="stable")
        held = np.array(rows, dtype=np.int32)[by_term]
        starts = np.searchsorted(numbers[by_term], np.arange(len(places) + 1)).astype(np.int64)
        impacts = _impact(np.array(times, dtype=np.float32)[by_term], lengths[held], mean).astype(np.float16)
        return cls(places, starts, held, impacts, len(texts), len(texts), mean)

    def __len__(self) -> int:
        return self.count

    def __contains__(self, term: str) -> bool:
        return term in self.places or any(term in held for held in self.changed.values())

    def most(self, wanted: Iterable[str]) -> float:
        """Return the score that no item can pass."""
        return (_K1 + 1) * sum(self.idf(term) for term in wanted)

    def scores(self, wanted: Sequence[str]) -> FloatArray:
        """Return (N,) BM25 of each item for the terms `wanted`; 0 = it holds none."""
        result = np.zeros(self.count, np.float32)
        for term in wanted:
            rows, impacts = self._built(term)
            # A term stands once in a row, so that no row is met twice.
            result[rows] += np.float32(self.idf(term)) * impacts
        for row, held in self.changed.items():
            result[row] = sum(self.idf(term) * held.get(term, 0.0) for term in wanted)
        return result

    def added(self, row: int, wanted: Sequence[str]) -> dict[str, float]:
        """Return what each of the terms `wanted` adds to the score of the item of `row`; those it holds only.

        >>> WordIndex.of([ItemText("red boot", None), ItemText("hat", None)]).added(0, ["hat", "boot"]).keys()
        dict_keys(['boot'])
        """
        held = self.changed.get(row)
        if held is not None:
            return {term: self.idf(term) * held[term] for term in wanted if term in held}
        found = {}
        for term in wanted:
            rows, impacts = self._built(term)
            place = int(np.searchsorted(rows, row))
            if place < len(rows) and rows[place] == row:
                found[term] = self.idf(term) * float(impacts[place])
        return found

    def idf(self, term: str) -> float:
        """Return what it says that an item holds `term`, by the items as built.

        >>> index = WordIndex.of([ItemText("red boot", None), ItemText("red hat", None), ItemText("hat", None)])
        >>> round(index.idf("boot"), 4), round(index.idf("red"), 4)  # log(1 + 2.5 / 1.5), log(1 + 1.5 / 2.5)
        (0.9808, 0.47)
        """
        held = len(self._built(term)[0])
        return math.log1p((self.built - held + 0.5) / (held + 0.5))

    def holders(self, term: str) -> IntArray:
        """Return the rows of the items that hold `term`, as built."""
        return self._built(term)[0].astype(np.int64)

    def spelt(self, word: str) -> str | None:
        """Return the term that a word nobody wrote was meant to be, or None where none is alike."""
        if len(word) < _LEAST_SPELT:
            return None
        near = [term for term in self.places if term[0] == word[0] and abs(len(term) - len(word)) <= 1]
        found = difflib.get_close_matches(word, near, n=3, cutoff=_ALIKE)
        # Letters in another order are the commonest slip; then what is written most.
        return max(found, key=lambda term: (sorted(term) == sorted(word), len(self.holders(term))), default=None)

    def with_text(self, row: int, text: ItemText | None) -> WordIndex:
        """Return the index in which the item of `row`, which may be N, has `text`; None = it is not found any more."""
        frequencies = {} if text is None else text.frequencies()
        length = sum(frequencies.values())
        held = {term: float(_impact(times, length, self.mean_length)) for term, times in frequencies.items()}
        return replace(self, changed={**self.changed, row: held}, count=max(self.count, row + 1))

    def _built(self, term: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float16]]:
        place = self.places.get(term)
        if place is None:
            return self.rows[:0], self.impacts[:0]
        span = slice(self.starts[place], self.starts[place + 1])
        return self.rows[span], self.impacts[span]


def _impact(frequency: FloatArray | float, length: FloatArray | float, mean: float) -> FloatArray:
    """Return how much `frequency` weighted mentions in a text of `length` say, below K1 + 1.

    >>> float(_impact(2.0, 10.0, 10.0))  # 2 x 2.2 / (2 + 1.2)
    1.375
    """
    return np.asarray(frequency * (_K1 + 1) / (frequency + _K1 * (1 - _B + _B * length / mean)))
