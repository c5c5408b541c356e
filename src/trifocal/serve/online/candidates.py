"""What retrieval hands to ranking. A plain value; knows no model."""

from __future__ import annotations

from dataclasses import dataclass

from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["Candidates"]


@dataclass(frozen=True)
class Candidates:
    """The best K items of one question, by the order of retrieval; fewer where fewer may be answered.

    Attributes:
        item_rows: (K,) best first.
        scores: (K,) of retrieval.
        deep: (K,) scores of the user vector; ranking joins them again.
        linked: (K,) scores of the memory and of the popularity prior alone.
    """

    item_rows: IntArray
    scores: FloatArray
    deep: FloatArray
    linked: FloatArray

    def __len__(self) -> int:
        return len(self.item_rows)

    def ranking(self) -> Rankings:
        """Return them as an answer in the order of retrieval; (1, K)."""
        return Rankings(self.item_rows[None], self.scores[None])
