"""An engine that counts items in another way than the service does, or knows fewer of them. Pure.

```
rows of the service ─► rows of the engine ─► engine ─► rows of the service
```

A variant of another bundle has its own rows and codes; matrix factorisation knows the items that it was fitted to and
none that joined since. What the engine does not know counts neither in a history nor in an answer.

Letters: N items of the service, M items of the engine, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trifocal.features.context import ContextVocabulary
from trifocal.serve.engines import Engine
from trifocal.serve.online import Candidates
from trifocal.types import Context, FloatArray, FloatRows, History, IntArray, Rankings, Request, Vocabulary

__all__ = ["ContextCodes", "OtherItemsEngine", "same_items", "translated"]


@dataclass(frozen=True)
class ContextCodes:
    """Codes of the service -> codes of the engine: `devices[code]`, `countries[code]`; 0 = unknown to it."""

    devices: IntArray
    countries: IntArray

    @classmethod
    def between(cls, service: ContextVocabulary, engine: ContextVocabulary) -> ContextCodes:
        """Return the codes that the same names have."""
        devices = [0, *map(engine.device_code, service.devices.ids)]
        countries = [0, *map(engine.country_code, service.countries.ids)]
        return cls(np.array(devices, dtype=np.int64), np.array(countries, dtype=np.int64))

    def history(self, history: History) -> History:
        """Return `history` in the engine's codes."""
        return replace(
            history,
            device_codes=self.devices[history.device_codes],
            country_codes=self.countries[history.country_codes],
        )

    def context(self, context: Context) -> Context:
        """Return `context` in the engine's codes."""
        return replace(
            context,
            device_code=int(self.devices[context.device_code]),
            country_code=int(self.countries[context.country_code]),
        )


@dataclass(frozen=True)
class _OtherRows:
    """The engine's vectors by the service's rows; zero for an item that it does not know."""

    vectors: FloatRows
    own: IntArray

    def __getitem__(self, rows: IntArray, /) -> FloatArray:
        own = self.own[rows]
        found = self.vectors[np.maximum(own, 0)].copy()
        found[own < 0] = 0
        return found

    def __len__(self) -> int:
        return len(self.own)


@dataclass(frozen=True)
class OtherItemsEngine:
    """An `Engine` in the service's rows over one in other rows. Stability: internal.

    Attributes:
        engine: answers in its own rows.
        own: (N,) the engine's row of each item, -1 = it does not know it.
        served: (M,) the service's row of each of its items, -1 = not served.
        codes: of contexts, or None = they are the same.
    """

    engine: Engine
    own: IntArray
    served: IntArray
    codes: ContextCodes | None = None

    def over(self, items: int) -> OtherItemsEngine:
        """Return the engine of a service of `items`: it knows none of those that joined."""
        joined = np.full(items - len(self.own), -1, dtype=np.int64)
        return replace(self, own=np.append(self.own, joined))

    @property
    def vectors(self) -> FloatRows:
        """See `Engine`."""
        return _OtherRows(self.engine.vectors, self.own)

    def encode(self, requests: Sequence[Request]) -> FloatArray:
        """See `Engine`."""
        return self.engine.encode([self.own_request(request) for request in requests])

    def retrieve(self, request: Request, user: FloatArray, k: int) -> Candidates:
        """See `Engine`."""
        found = self.engine.retrieve(self.own_request(request), user, k)
        return replace(found, item_rows=self.served[found.item_rows])

    def rank(self, request: Request, candidates: Candidates) -> Rankings:
        """See `Engine`."""
        own = replace(candidates, item_rows=self.own[candidates.item_rows])
        return self._served(self.engine.rank(self.own_request(request), own))

    def remember(self, request: Request, k: int) -> Candidates:
        """See `Engine`."""
        found = self.engine.remember(self.own_request(request), k)
        return replace(found, item_rows=self.served[found.item_rows])

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        """See `Engine`; nothing is like an item that the engine does not know."""
        own = int(self.own[item_row])
        if own < 0:
            return Rankings(np.full((1, k), -1, dtype=np.int64), np.full((1, k), -np.inf, dtype=np.float32))
        barred = self._barred(np.zeros(0, dtype=np.int64) if exclude is None else exclude)
        return self._served(self.engine.similar(own, k, barred))

    def own_request(self, request: Request) -> Request:
        """Return `request` in the engine's rows and codes, without what it does not know."""
        history, context = request.history, request.context
        if self.codes is not None:
            history, context = self.codes.history(history), self.codes.context(context)
        rows = self.own[history.item_rows]
        known = replace(history, item_rows=rows).at(rows >= 0)
        return replace(request, history=known, context=context, exclude=self._barred(request.exclude))

    def _barred(self, exclude: IntArray) -> IntArray:
        own = self.own[exclude]
        return np.union1d(own[own >= 0], np.flatnonzero(self.served < 0))

    def _served(self, ranking: Rankings) -> Rankings:
        rows = ranking.item_rows
        return Rankings(np.where(rows >= 0, self.served[rows], -1), ranking.scores)


def same_items(engine: Engine, items: int) -> OtherItemsEngine:
    """Return `engine` over the same items in the same rows, to which others may join that it does not know."""
    rows = np.arange(items, dtype=np.int64)
    return OtherItemsEngine(engine, rows, rows)


def translated(engine: Engine, own: Vocabulary, served: Vocabulary, codes: ContextCodes) -> OtherItemsEngine:
    """Return `engine`, whose items are `own`, for a service whose items are `served`."""
    return OtherItemsEngine(engine, own.rows(served.ids), served.rows(own.ids), codes)
