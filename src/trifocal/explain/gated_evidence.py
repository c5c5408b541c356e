"""The ranker's evidence by gates: which columns each source speaks in, and what stands there while it is silent.

```
attributes  shared values, price                     silent: 0, as where they are unknown
identity    memory, popularity, taken together       silent: 0, as of an item that nobody took
context     channel, trend, today                    silent: as of a request that says nothing of its moment
text, image likeness to the history                  silent: 0, as without text or picture
```

Letters: S = steps * K states, K items, L events of the history, F columns, C compact size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trifocal.explain.gates import Gates
from trifocal.explain.likeness import compact_of, likeness_columns
from trifocal.model.evidence import EVIDENCE, FIRST_ATTRIBUTE, evidence_of, today
from trifocal.model.memory import ItemMemory
from trifocal.model.two_stage import TwoStageRecommender, popularity_prior
from trifocal.ranking import top_k
from trifocal.types import BoolArray, Context, FloatArray, IntArray, Request

__all__ = ["GatedEvidence", "Linked", "linked_scores"]

_TEXT, _IMAGE = slice(6, 10), slice(10, 14)
_IDENTITY = ("log_popularity", "together_sum", "together_nearest", "together_items", "together_users")
_ATTRIBUTES = ("price_level", "price_difference", "price_nearest")
_CONTEXT = ("channel_share", "trend", "today_share")
_MEMORY, _BEHIND, _TODAY = (EVIDENCE.index(name) for name in ("memory", "memory_behind_best", "memory_today"))


@dataclass(frozen=True)
class Linked:
    """What the memory says of every item.

    Attributes:
        whole: (N,) linked with the whole history, popularity prior added.
        visit: (N,) linked with the events of the request's visit or day.
        best: the greatest of `whole` among what is retrieved for the request.
    """

    whole: FloatArray
    visit: FloatArray
    best: float


def linked_scores(recommender: TwoStageRecommender, memory: ItemMemory, request: Request, deep: FloatArray) -> Linked:
    """Return what `memory` says for `request`, whose `deep` scores (N,) of all items enter retrieval."""
    history = request.history.last(recommender.history_length)
    visit = history.item_rows[today(history, request.context)]
    whole, now = memory.scores([request.history.item_rows, visit]) + popularity_prior(
        recommender.knowledge.evidence.counts
    )
    retrieval = whole + np.float32(recommender.blend.retrieval) * deep
    # What was taken already is not recommended again, whether the request says so or whoever passes it on.
    barred = np.union1d(request.exclude, request.history.item_rows)
    found = top_k(retrieval[None], recommender.rank_candidates, exclude=[barred]).item_rows[0]
    return Linked(whole, now, float(whole[found[found >= 0]].max(initial=0.0)))


@dataclass(frozen=True)
class GatedEvidence:
    """The evidence of K items by gates. Stability: internal.

    Attributes:
        constant, attributes, identity, context, both: (K, F); added up, each times its gate, `both` times the gates of
            identity and context.
        text, image: (L, C) compact vectors of the history.
    """

    constant: Tensor
    attributes: Tensor
    identity: Tensor
    context: Tensor
    both: Tensor
    text: Tensor
    image: Tensor

    @classmethod
    def of(
        cls, recommender: TwoStageRecommender, request: Request, item_rows: IntArray, linked: Linked
    ) -> GatedEvidence:
        """Take apart the evidence of `item_rows` (K,) for `request`."""
        tables = recommender.knowledge.evidence
        history = request.history.last(recommender.history_length)
        memory, visit = linked.whole[item_rows], linked.visit[item_rows]
        actual = evidence_of(tables, item_rows, history, request.context, memory, visit)
        silent = evidence_of(tables, item_rows, history, Context(), memory, memory)
        best = np.maximum(linked.best, memory)
        identity = np.where(_columns(actual, _IDENTITY), actual, 0)
        identity[:, _MEMORY] = identity[:, _BEHIND] = identity[:, _TODAY] = memory
        context = np.where(_columns(actual, _CONTEXT), actual - silent, 0)
        # Of the moment, not of the item: without a moment it is what `silent` holds, 0.
        context[:, EVIDENCE.index("trend")] = actual[:, EVIDENCE.index("trend")]
        constant = np.where(_columns(actual, ("log_history", "today_share")), silent, 0)
        constant[:, _BEHIND] = -best
        both = np.zeros_like(actual)
        both[:, _TODAY] = visit - memory
        attributes = np.where(_columns(actual, _ATTRIBUTES, free=True), actual, 0)
        parts = (torch.from_numpy(p.astype(np.float32)) for p in (constant, attributes, identity, context, both))
        return cls(*parts, *(compact_of(table, history.item_rows) for table in (tables.text, tables.image)))

    def at(self, gates: Gates, text: Tensor, image: Tensor) -> Tensor:
        """Return (S, F) by gates and the compact vectors (S, C) of text and image."""
        columns = (
            self.constant[None]
            + _steps(gates.attributes, len(self.constant)) * self.attributes
            + _steps(gates.identity, len(self.constant)) * self.identity
            + _steps(gates.context, len(self.constant)) * self.context
            + _steps(gates.identity * gates.context, len(self.constant)) * self.both
        ).flatten(0, 1)
        if not len(self.text):
            return columns
        likeness = [likeness_columns(text, self.text), likeness_columns(image, self.image)]
        return torch.cat([columns[:, : _TEXT.start], *likeness, columns[:, _IMAGE.stop :]], dim=1)


def _columns(evidence: FloatArray, names: tuple[str, ...], *, free: bool = False) -> BoolArray:
    """(F,) which columns have these names; with `free`, those of the attributes too."""
    chosen = np.array([name in names for name in EVIDENCE] + [free] * (evidence.shape[1] - FIRST_ATTRIBUTE))
    return chosen


def _steps(gates: Tensor, items: int) -> Tensor:
    return gates.reshape(-1, items, 1)
