"""One training step's losses: each part is one function here and one entry of `PARTS`.

Letters: P predictions, C candidates, N items; the others as in `batch.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trifocal.batch import Batch, JudgedBatch
from trifocal.model.build import TrifocalModel
from trifocal.model.config import ModelConfig
from trifocal.model.losses import bpr_loss, click_loss, rating_loss, sampled_softmax_loss
from trifocal.train.candidates import accidental_hits, softmax_candidates
from trifocal.train.config import TrainConfig
from trifocal.train.content_parts import contrastive_part, masked_text_part
from trifocal.train.distill_teacher import Taught, Teacher
from trifocal.train.part import Part

__all__ = ["PARTS", "Catalogue", "Objective", "StepValues"]

# Later than any item was created: where a time is unknown, every item counts as a negative.
_ALWAYS = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class Catalogue:
    """What a step knows of all N items beside the live ones.

    Attributes:
        content: (N, D) the vector table: content vectors of the last refresh, or of the last step an item was live in.
        pooled: (N, P) inputs of the item tower's shortcut.
        attributes: (N, A) int64 codes.
        counts: (N,) float, positive events in training.
        created_s: (N,) int64 seconds since 1970; an item is no negative for what was taken before; 0 = always there.
    """

    content: Tensor
    pooled: Tensor
    attributes: Tensor
    counts: Tensor
    created_s: Tensor


@dataclass(frozen=True)
class StepValues:
    """What the parts of one step share.

    Attributes:
        model: in training mode.
        batch: of this step.
        catalogue: all items.
        vectors: (N, D) item vectors of this step, with gradient.
        live: (M, D) vectors of the live items without their ids, with gradient.
        outputs: (B, L + 1, D) user vectors.
        places: user and position of each prediction, (P,) each.
        candidates: (C,) item rows.
        scores: (P, C) of each target's position with the candidates.
        columns: (P,) int64 column of the target.
        weights: (P,) float, of the targets.
        hits: (P, C) bool, True = no negative of this position.
        log_q: (C,) see `softmax_candidates`; None = nothing was drawn.
        model_config: of the model.
        config: of the training.
    """

    model: TrifocalModel
    batch: Batch
    catalogue: Catalogue
    vectors: Tensor
    live: Tensor
    outputs: Tensor
    places: tuple[Tensor, Tensor]
    candidates: Tensor
    scores: Tensor
    columns: Tensor
    weights: Tensor
    hits: Tensor
    log_q: Tensor | None
    model_config: ModelConfig
    config: TrainConfig


class Objective(nn.Module):
    """The forward pass of all losses: what is wrapped where several processes train together. Stability: internal."""

    def __init__(
        self, model: TrifocalModel, model_config: ModelConfig, config: TrainConfig, teacher: Teacher | None = None
    ) -> None:
        super().__init__()
        self.model, self.model_config, self.config, self.teacher = model, model_config, config, teacher

    def forward(self, batch: Batch, times_s: Tensor, catalogue: Catalogue) -> dict[str, Part]:
        """Return the unweighted parts of one step; writes the live items' new content into `catalogue.content`.

        Args:
            batch: users, targets, live items, what was judged.
            times_s: (B, L + 1) int64, when each target was taken; 0 = unknown.
            catalogue: all items.
        """
        half = self.config.precision == "bf16"
        with torch.autocast(batch.item_rows.device.type, dtype=torch.bfloat16, enabled=half):
            values = _step_values(self, batch, times_s, catalogue)
            wanted = [name for name in PARTS if getattr(self.config.losses, name) > 0]
            found = {name: PARTS[name](values) for name in wanted}
            if self.teacher is not None:
                found |= _taught(self.teacher, values)
        return {name: part for name, part in found.items() if part is not None}


def _step_values(objective: Objective, batch: Batch, times_s: Tensor, catalogue: Catalogue) -> StepValues:
    model, config = objective.model, objective.config
    vectors, live = _item_vectors(model, batch, catalogue, objective.model_config)
    outputs = model.user_tower(batch.users, vectors)  # (B, L + 1, D)
    users, positions = torch.nonzero(batch.targets >= 0, as_tuple=True)  # (P,)
    targets = batch.targets[users, positions]
    candidates, log_q = softmax_candidates(targets, catalogue.counts, config.softmax_candidates)
    # Single precision from here on, whatever the towers ran in: a softmax over thousands of items needs it.
    scores = (outputs[users, positions] @ vectors[candidates].T).float() * model.scale
    moments = times_s[users, positions]
    late = catalogue.created_s[candidates] > torch.where(moments > 0, moments, _ALWAYS)[:, None]
    return StepValues(
        model=model,
        batch=batch,
        catalogue=catalogue,
        vectors=vectors,
        live=live,
        outputs=outputs,
        places=(users, positions),
        candidates=candidates,
        scores=scores,
        columns=torch.searchsorted(candidates, targets),
        weights=batch.weights[users, positions],
        hits=late | accidental_hits(batch.targets, users, candidates) if config.spared == "history" else late,
        log_q=log_q,
        model_config=objective.model_config,
        config=config,
    )


def _item_vectors(
    model: TrifocalModel, batch: Batch, catalogue: Catalogue, config: ModelConfig
) -> tuple[Tensor, Tensor]:
    """All N vectors, and those of the live items without their ids.

    The Transformer has gradient through the live items, shortcut and ids through every item.
    """
    device = batch.item_rows.device
    share = config.modality_dropout
    drop = torch.rand(len(catalogue.content), device=device)
    no_text, no_image = drop < share, drop > 1 - share
    live = batch.items.without(text=no_text[batch.item_rows], image=no_image[batch.item_rows])
    content = model.item_tower.content(live).float()
    whole = ~(no_text | no_image)[batch.item_rows]
    catalogue.content[batch.item_rows[whole]] = content.detach()[whole]
    table = catalogue.content.index_copy(0, batch.item_rows, content)
    half = catalogue.pooled.shape[1] // 2
    blind = torch.cat([no_text[:, None].expand(-1, half), no_image[:, None].expand(-1, half)], dim=1)
    id_codes = torch.arange(1, len(table) + 1, device=device)
    hidden = torch.rand(len(table), device=device) < config.id_dropout
    pooled, rows = catalogue.pooled.masked_fill(blind, 0), batch.item_rows
    vectors = model.item_tower.vectors(table, pooled, catalogue.attributes, id_codes.masked_fill(hidden, 0))
    none = torch.zeros_like(rows)
    return vectors, model.item_tower.vectors(content, pooled[rows], catalogue.attributes[rows], none)


def _taught(teacher: Teacher, step: StepValues) -> dict[str, Part]:
    """The parts that a teacher adds, those of weight 0 left out."""
    taught = Taught(step.places, step.candidates, step.scores, step.columns, step.weights, step.hits, step.log_q)
    parts = {}
    if teacher.config.items > 0:
        parts["teacher_items"] = teacher.item_part(step.live, step.batch.item_rows)
    if teacher.config.rankings > 0:
        parts["teacher_rankings"] = teacher.ranking_part(step.batch, taught)
    return parts


def _softmax(step: StepValues) -> Part:
    loss = sampled_softmax_loss(step.scores, step.columns, step.weights, log_q=step.log_q, hits=step.hits)
    return Part(loss, step.weights.sum())


def _bpr(step: StepValues) -> Part:
    drawn, weights = _drawn_negatives(step)
    rows = torch.arange(len(drawn), device=drawn.device)
    loss = bpr_loss(step.scores[rows, step.columns], step.scores[rows, drawn], weights)
    return Part(loss, weights.sum())


def _click(step: StepValues) -> Part:
    """Of what was shown; where the log has no impressions, of the targets and one sampled item each."""
    if step.batch.shown is not None:
        scores, weights = _judged_scores(step, step.batch.shown)
        loss = click_loss(step.model.click_head(scores), step.batch.shown.values, weights)
        return Part(loss, weights.sum())
    drawn, weights = _drawn_negatives(step)
    rows = torch.arange(len(drawn), device=drawn.device)
    logits = step.model.click_head(torch.stack([step.scores[rows, step.columns], step.scores[rows, drawn]]))
    clicked = torch.tensor([[1.0], [0.0]], device=logits.device).expand_as(logits)
    both = torch.stack([step.weights, weights])
    return Part(click_loss(logits, clicked, both), both.sum())


def _rating(step: StepValues) -> Part | None:
    rated = step.batch.rated
    if rated is None:
        return None
    scores, weights = _judged_scores(step, rated)
    predicted = step.model.rating_head(scores, rated.item_rows + 1)
    return Part(rating_loss(predicted, rated.values, weights), weights.sum())


def _judged_scores(step: StepValues, judged: JudgedBatch) -> tuple[Tensor, Tensor]:
    """Scores (S, J) of what was judged, and weights: 1 = an item, 0 = padding."""
    if len(judged.users) == 0:
        return step.scores.new_zeros(judged.values.shape), judged.mask.float()
    users = step.model.user_tower.last(judged.users, step.vectors)
    scores = torch.einsum("sd,sjd->sj", users, step.vectors[judged.item_rows]).float() * step.model.scale
    return scores, judged.mask.float()


def _drawn_negatives(step: StepValues) -> tuple[Tensor, Tensor]:
    """Columns (P,) of one candidate a target, and weights: 0 where it is no negative."""
    drawn = torch.randint(step.scores.shape[1], step.columns.shape, device=step.scores.device)
    rows = torch.arange(len(drawn), device=drawn.device)
    return drawn, step.weights * ~step.hits[rows, drawn]


def _contrastive(step: StepValues) -> Part | None:
    return contrastive_part(step.model, step.batch.items, step.model_config, step.config.contrastive_items)


def _masked_text(step: StepValues) -> Part | None:
    return masked_text_part(step.model, step.batch.items, step.config.mlm_items)


# Name of the weight in `train.losses` -> the part; None = there is nothing that it could be computed from.
PARTS: dict[str, Callable[[StepValues], Part | None]] = {
    "softmax": _softmax,
    "bpr": _bpr,
    "click": _click,
    "rating": _rating,
    "contrastive": _contrastive,
    "mlm": _masked_text,
}
