"""The score that ranks an item for a request, of any text and picture, and by gates with a gradient.

```
items ─► item tower ─► vector ─┐
request ─► user tower ─────────┴─► deep score ────────────────────┐
items, history ─► evidence ─► ranker ─────────────────────────────┴─► score
```

A search query is understood by the towers alone, and a bundle may do without ranker or memory: then the score is what
ranks there (`trifocal.model.two_stage`). Letters: S = steps * K states, K items, T text tokens, G image cells,
D embedding size, C compact size.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from trifocal.batch import ItemBatch
from trifocal.errors import DataError
from trifocal.explain.gated_evidence import GatedEvidence, linked_scores
from trifocal.explain.gated_tower import GatedTower
from trifocal.explain.gates import Gates
from trifocal.explain.likeness import CompactParts, compact_of
from trifocal.features.compact import CompactProjection
from trifocal.features.sequences import user_batch
from trifocal.model import TrifocalModel, TwoStageRecommender
from trifocal.types import Context, FloatArray, IntArray, Request

__all__ = ["Projections", "ScoreFunction", "Scorer"]


@dataclass(frozen=True)
class Projections:
    """What made the compact vectors of text and image; None = unknown, so that all tokens of an item share alike."""

    text: CompactProjection | None = None
    image: CompactProjection | None = None


class Scorer:
    """Gives the score function of a request. Safe to use from several threads. Stability: caller.

    The model itself stays as it is; what is differentiated shares its weights, which are frozen.
    """

    def __init__(self, recommender: TwoStageRecommender, projections: Projections | None = None) -> None:
        self.recommender, self.projections = recommender, projections or Projections()
        self.model = _frozen(recommender.model)
        self._table = torch.from_numpy(np.ascontiguousarray(recommender.item_vectors))

    def of(self, request: Request, item_rows: IntArray) -> ScoreFunction:
        """Return the scores of `item_rows` (K,) for `request`, as a function of what the items say and show.

        Raises:
            DataError: when a row is past the catalogue.
        """
        size = len(self._table)
        odd = item_rows[(item_rows < 0) | (item_rows >= size)]
        if len(odd):
            raise DataError(f"item row {odd[0]} cannot be explained, the model has {size} items; give rows below that")
        with torch.inference_mode(False), torch.no_grad():
            user, silent = self._users(request)
            return ScoreFunction(self, item_rows, user, silent, self._evidence(request, item_rows, user))

    def _users(self, request: Request) -> tuple[Tensor, Tensor]:
        """(D,) vectors of who asks, in the request's context and in none; a query is no context."""
        recommender = self.recommender
        nowhere = Context(query_vector=request.context.query_vector)
        users = user_batch(
            [request, replace(request, context=nowhere)], recommender.history_length, recommender.text_width
        )
        actual, silent = self.model.user_tower.last(users, self._table)
        return actual, silent

    def _evidence(self, request: Request, item_rows: IntArray, user: Tensor) -> GatedEvidence | None:
        """None where the deep score ranks alone."""
        recommender = self.recommender
        memory = recommender.knowledge.memory
        if memory is None or request.context.query_vector is not None:
            return None
        deep: FloatArray = (self._table @ user).numpy() * np.float32(recommender.scale)
        return GatedEvidence.of(recommender, request, item_rows, linked_scores(recommender, memory, request, deep))


class ScoreFunction:
    """Scores of K items for one request. Stability: caller."""

    def __init__(
        self, scorer: Scorer, item_rows: IntArray, user: Tensor, silent: Tensor, evidence: GatedEvidence | None
    ) -> None:
        self._scorer, self._item_rows = scorer, item_rows
        self._user, self._silent, self._evidence = user, silent, evidence

    def scores(self, items: ItemBatch) -> FloatArray:
        """Return the (K,) scores, had the items this text and picture; everything else as it is known of them.

        A token is taken away by its `text_mask`; a cell by giving it the features of `neutral_cell`.
        """
        with torch.inference_mode(False), torch.no_grad():
            gates = Gates.of(torch.ones(len(items), _gates(items)), items.text.shape[1])
            vectors: Tensor = self._scorer.model.item_tower(items)
            found: FloatArray = self._of(vectors, gates, *self._compact(items)).numpy()
        return found

    def gated(self, items: ItemBatch) -> GatedScores:
        """Return the scores of `items` (K) as a function of their gates."""
        with torch.inference_mode(False), torch.no_grad():
            return GatedScores(self, GatedTower(self._scorer.model.item_tower, items), *self._compact(items))

    @property
    def neutral_cell(self) -> Tensor:
        """(image width,): the mean cell of the catalogue's pictures, which shows nothing in particular."""
        return self._scorer.model.item_tower.image_components.mean

    @property
    def neutral_token(self) -> Tensor:
        """(text width,): the mean token of the catalogue's texts."""
        return self._scorer.model.item_tower.text_components.mean

    def _of(self, vectors: Tensor, gates: Gates, text: CompactParts, image: CompactParts) -> Tensor:
        """(S,) of item vectors (S, D), gates and compact parts."""
        recommender, model = self._scorer.recommender, self._scorer.model
        user = self._silent + gates.context * (self._user - self._silent)
        deep = (vectors * user).sum(dim=1) * recommender.scale
        if self._evidence is None:
            return deep
        evidence = self._evidence.at(gates, text.at(gates.text), image.at(gates.image))
        if not recommender.blend.ranker:
            return evidence[:, 0] + recommender.blend.retrieval * deep
        ranked: Tensor = model.ranker(evidence) + recommender.blend.ranking * deep
        return ranked

    def _compact(self, items: ItemBatch) -> tuple[CompactParts, CompactParts]:
        tables, projections = self._scorer.recommender.knowledge.evidence, self._scorer.projections
        tower = self._scorer.model.item_tower
        cells = items.image_mask[:, None].expand(items.image.shape[:2])
        # Tokens of a lower layer are not what the compact vectors were made of.
        text = projections.text if items.text_mean is None else None
        found = []
        for tokens, mask, projection, table in (
            (items.text, items.text_mask & tower.uses_text, text, tables.text),
            (items.image, cells & tower.uses_image, projections.image, tables.image),
        ):
            if projection is None:
                found.append(CompactParts.even(compact_of(table, self._item_rows), mask))
            else:
                found.append(CompactParts.of(tokens, mask, projection))
        return found[0], found[1]


class GatedScores:
    """gates (S, T + G + 3) -> scores (S,), with a gradient; S = steps * K. Stability: caller."""

    def __init__(self, function: ScoreFunction, tower: GatedTower, text: CompactParts, image: CompactParts) -> None:
        self._function, self._tower, self._text, self._image = function, tower, text, image

    def __call__(self, gates: Tensor) -> Tensor:
        """Return (S,), the K items again and again."""
        opened = Gates.of(gates, self._text.parts.shape[1])
        return self._function._of(self._tower.vectors(opened), opened, self._text, self._image)


def _gates(items: ItemBatch) -> int:
    return items.text.shape[1] + items.image.shape[1] + 3


def _frozen(model: TrifocalModel) -> TrifocalModel:
    """Return a copy that shares the weights of `model`, none of which asks for a gradient."""
    tensors = [*model.parameters(), *model.buffers()]
    kept = {id(t): nn.Parameter(t.detach(), requires_grad=False) if isinstance(t, nn.Parameter) else t for t in tensors}
    return copy.deepcopy(model, kept)
