"""An engine with a memory over the twelve items of the small bundle, which can be broken in several ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from tests.bundle.test_network import original

from trifocal.index import ExactIndex
from trifocal.serve.online import Candidates, OnlineEngine, online_engine
from trifocal.types import FloatArray, FloatRows, IntArray, Rankings, Request


class Unreadable:
    """Item vectors that nobody may read."""

    def __getitem__(self, rows: IntArray, /) -> FloatArray:
        raise OSError("the vectors are gone")

    def __len__(self) -> int:
        return 12


def network() -> OnlineEngine:
    """The network of the bundle's tests, by the reference index."""
    model = original()[0]
    return online_engine(model, index=ExactIndex(model.item_vectors))


@dataclass
class RememberingEngine:
    """Answers as the network does, until `broken` names steps that raise, or `vectors`.

    Attributes:
        misled: whether the network answers the contrary of what it should.
    """

    engine: OnlineEngine = field(default_factory=network)
    broken: tuple[str, ...] = ()
    misled: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def vectors(self) -> FloatRows:
        return Unreadable() if "vectors" in self.broken else self.engine.vectors

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        self._meet("encode")
        return self.engine.encode(requests)

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        self._meet("retrieve")
        found = self.engine.retrieve(request, user, 12)
        order = slice(None, None, -1) if self.misled else slice(None)
        rows, scores, deep, linked = found.item_rows, found.scores, found.deep, found.linked
        return Candidates(rows[order].copy(), scores, deep[order].copy(), linked[order].copy())

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        self._meet("rank")
        return candidates.ranking()

    def remember(self, request: Request, k: int) -> Candidates:
        self._meet("remember")
        return self.engine.remember(request, k)

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        return self.engine.similar(item_row, k, exclude)

    def _meet(self, step: str) -> None:
        self.asked.append(step)
        if step in self.broken:
            raise RuntimeError(f"{step} is broken")


def by_links(engine: OnlineEngine, request: Request, k: int) -> list[int]:
    """Rows by the memory's links and popularity, from the scores of every item: what `remember` should find."""
    scores = engine.retrieval.linked(request.history.item_rows, np.arange(12)).astype(np.float64)
    scores[request.exclude] = -np.inf
    order = np.argsort(-scores, kind="stable")[:k]
    return [row for row in order.tolist() if np.isfinite(scores[row])]
