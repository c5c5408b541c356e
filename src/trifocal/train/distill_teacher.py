"""A trained model as a teacher: what it says of items and histories, and the weights that a student starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trifocal.batch import Batch, ItemBatch
from trifocal.model.build import TrifocalModel
from trifocal.model.two_stage import Blend
from trifocal.train.distill_config import DistillConfig
from trifocal.train.distill_losses import ranking_divergence, unexplained_share
from trifocal.train.part import Part

__all__ = ["TAUGHT", "Taught", "Teacher", "start_from"]

TAUGHT = ("teacher_items", "teacher_rankings")
"""Names of the parts of the loss that a teacher adds."""

# What stands on principal components of the teacher's own features means nothing to a student with others.
_OWN = ("item_tower.text_components.", "item_tower.image_components.", "item_tower.shortcut.")


@dataclass(frozen=True)
class Teacher:
    """What a student is taught by. Stability: internal.

    Attributes:
        model: in evaluation mode; never trained.
        vectors: (N, D) item vectors.
        content: (N, D) item vectors without their ids.
        blend: how its towers, memory and ranker join; the student's join alike.
        config: weights and temperature.
        fingerprint: of all this; a checkpoint of another teacher's student is refused.
    """

    model: TrifocalModel
    vectors: Tensor
    content: Tensor
    blend: Blend
    config: DistillConfig
    fingerprint: str

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each part in the one loss."""
        return dict(zip(TAUGHT, (self.config.items, self.config.rankings), strict=True))

    @property
    def spread(self) -> Tensor:
        """Mean squared distance of the content vectors from their mean."""
        return (self.content - self.content.mean(dim=0)).square().sum(dim=1).mean().clamp(min=1e-9)

    def to(self, device: torch.device) -> Teacher:
        """Return the teacher on `device`."""
        return replace(
            self, model=self.model.to(device), vectors=self.vectors.to(device), content=self.content.to(device)
        )

    def item_part(self, vectors: Tensor, rows: Tensor) -> Part:
        """How far the student's `vectors` (M, D), without ids, are from the teacher's of the items `rows` (M,)."""
        loss = unexplained_share(vectors.float(), self.content[rows], self.spread)
        return Part(loss, torch.tensor(float(len(rows)), device=vectors.device))

    def catalogue_part(self, student: TrifocalModel, items: ItemBatch) -> Part:
        """The same of whole items, known ones, encoded now."""
        tower = student.item_tower
        none = torch.zeros_like(items.id_codes)
        vectors = tower.vectors(tower.content(items), tower.pooled(items), items.attributes, none)
        return self.item_part(vectors, items.id_codes - 1)

    def ranking_part(self, batch: Batch, taught: Taught) -> Part:
        """How far the student's ranking of each target's candidates is from the teacher's.

        A position with a search query is left out: the teacher reads queries as its own text encoder says them.
        """
        users, positions = taught.places
        with torch.no_grad():
            found = self._outputs(batch)[users, positions] @ self.vectors[taught.candidates].T * self.model.scale
        weights = taught.weights * (batch.users.query_rows[users, positions] == 0)
        own, shown = (taught.corrected(scores) for scores in (taught.scores, found.float()))
        loss = ranking_divergence(own, shown, weights, temperature=self.config.temperature)
        return Part(loss, weights.sum())

    def _outputs(self, batch: Batch) -> Tensor:
        """(B, L + 1, D): the teacher's user vectors, without queries."""
        users, width = batch.users, len(self.model.item_tower.text_components.mean)
        unasked = replace(
            users, query_rows=torch.zeros_like(users.query_rows), query_vectors=self.vectors.new_zeros(1, width)
        )
        outputs: Tensor = self.model.user_tower(unasked, self.vectors)
        return outputs


@dataclass(frozen=True)
class Taught:
    """The student's side of the rankings that are compared.

    Attributes:
        places: user and position of each prediction, (P,) each.
        candidates: (C,) item rows.
        scores: (P, C) of the student, with gradient.
        columns: (P,) int64 column of the target.
        weights: (P,) float.
        hits: (P, C) bool, True = no candidate of this position, but for the target.
        log_q: (C,) log of how likely each candidate was drawn; None = nothing was drawn.
    """

    places: tuple[Tensor, Tensor]
    candidates: Tensor
    scores: Tensor
    columns: Tensor
    weights: Tensor
    hits: Tensor
    log_q: Tensor | None

    def corrected(self, scores: Tensor) -> Tensor:
        """Return `scores` (P, C) as the softmax loss sees them: for the sampling, and without accidental hits."""
        column = self.columns[:, None]
        own = scores.gather(1, column)
        if self.log_q is not None:
            scores = scores - self.log_q
        return scores.masked_fill(self.hits, -torch.inf).scatter(1, column, own)


def start_from(teacher: TrifocalModel, student: TrifocalModel) -> None:
    """Give `student` the weights of `teacher` that have the same name and shape, but those on its own components.

    Both then speak of items and users in one space from the first step on.
    """
    known, own = teacher.state_dict(), student.state_dict()
    shared = {
        name: known[name]
        for name, tensor in own.items()
        if name in known and known[name].shape == tensor.shape and not name.startswith(_OWN)
    }
    student.load_state_dict({**own, **shared})
