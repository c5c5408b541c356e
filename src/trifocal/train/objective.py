"""One training step's losses. Letters: P predictions, C candidates, N items; the others as in `batch.py`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from trifocal.batch import Batch
from trifocal.model.build import TrifocalModel
from trifocal.model.config import ModelConfig
from trifocal.model.losses import bpr_loss, contrastive_loss, sampled_softmax_loss
from trifocal.model.ranker import ItemEvidence, pair_evidence
from trifocal.train.config import TrainConfig

__all__ = ["Catalogue", "step_losses"]

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
        evidence: the ranker's tables.
    """

    content: Tensor
    pooled: Tensor
    attributes: Tensor
    counts: Tensor
    created_s: Tensor
    evidence: ItemEvidence


def step_losses(
    model: TrifocalModel,
    batch: Batch,
    times_s: Tensor,
    catalogue: Catalogue,
    *,
    model_config: ModelConfig,
    config: TrainConfig,
) -> dict[str, Tensor]:
    """Return the unweighted loss parts of one step; writes the live items' new content into `catalogue.content`."""
    vectors = _item_vectors(model, batch, catalogue, model_config)
    outputs = model.user_tower(batch.users, vectors)  # (B, L + 1, D)
    users, positions = torch.nonzero(batch.targets >= 0, as_tuple=True)  # (P,)
    targets, weights = batch.targets[users, positions], batch.weights[users, positions]
    candidates, log_q = _candidates(targets, catalogue.counts, config.softmax_candidates)
    columns = torch.searchsorted(candidates, targets)
    scores = outputs[users, positions] @ vectors[candidates].T * model.scale  # (P, C)
    hits = _later_positives(batch.targets, users, candidates)
    moments = times_s[users, positions]
    hits |= catalogue.created_s[candidates] > torch.where(moments > 0, moments, _ALWAYS)[:, None]
    losses = {
        "softmax": sampled_softmax_loss(scores, columns, weights, log_q=log_q, hits=hits),
        "bpr": _bpr(scores, columns, weights, hits),
    }
    if config.losses.contrastive and {"text", "image"} <= set(model_config.modalities):
        losses["contrastive"] = _contrastive(model, batch, config.contrastive_items)
    if config.losses.ranker:
        losses["ranker"] = _ranker(model, batch, outputs.detach(), vectors.detach(), catalogue, config)
    return losses


def _item_vectors(model: TrifocalModel, batch: Batch, catalogue: Catalogue, config: ModelConfig) -> Tensor:
    """All N vectors; the Transformer has gradient through the live items, shortcut and ids through every item."""
    device = batch.item_rows.device
    share = config.modality_dropout
    drop = torch.rand(len(catalogue.content), device=device)
    no_text, no_image = drop < share, drop > 1 - share
    live = batch.items.without(text=no_text[batch.item_rows], image=no_image[batch.item_rows])
    content = model.item_tower.content(live)
    whole = ~(no_text | no_image)[batch.item_rows]
    catalogue.content[batch.item_rows[whole]] = content.detach()[whole]
    table = catalogue.content.index_copy(0, batch.item_rows, content)
    half = catalogue.pooled.shape[1] // 2
    blind = torch.cat([no_text[:, None].expand(-1, half), no_image[:, None].expand(-1, half)], dim=1)
    id_codes = torch.arange(1, len(table) + 1, device=device)
    hidden = torch.rand(len(table), device=device) < config.id_dropout
    return model.item_tower.vectors(
        table, catalogue.pooled.masked_fill(blind, 0), catalogue.attributes, id_codes.masked_fill(hidden, 0)
    )


def _candidates(targets: Tensor, counts: Tensor, limit: int) -> tuple[Tensor, Tensor | None]:
    """Return sorted item rows (C,) that hold every target, and log q; items never taken in training are no negatives.

    Past `limit` items are drawn in proportion to count^0.75; then q is the expected number of draws, 1 for targets.
    """
    known = torch.nonzero(counts > 0).squeeze(1)
    if len(known) <= limit:
        return torch.unique(torch.cat([known, targets])), None
    shares = counts.pow(0.75)
    drawn = torch.multinomial(shares, limit, replacement=False)
    rows = torch.unique(torch.cat([drawn, targets]))
    expected = (1 - (1 - shares[rows] / shares.sum()).pow(limit)).clamp(min=1e-9)
    return rows, expected.log()


def _later_positives(targets: Tensor, users: Tensor, candidates: Tensor) -> Tensor:
    """(P, C): the candidate is another target of the same user, so it is an accidental hit."""
    taken = torch.zeros(len(targets), len(candidates) + 1, dtype=torch.bool, device=targets.device)
    columns = torch.searchsorted(candidates, targets.clamp(min=0))
    taken.scatter_(1, torch.where(targets >= 0, columns, len(candidates)), True)
    return taken[users, :-1]


def _bpr(scores: Tensor, columns: Tensor, weights: Tensor, hits: Tensor) -> Tensor:
    drawn = torch.randint(scores.shape[1], columns.shape, device=scores.device)
    rows = torch.arange(len(columns), device=scores.device)
    return bpr_loss(scores[rows, columns], scores[rows, drawn], weights * ~hits[rows, drawn])


def _contrastive(model: TrifocalModel, batch: Batch, size: int) -> Tensor:
    both = torch.nonzero(batch.items.text_mask.any(dim=1) & batch.items.image_mask).squeeze(1)[:size]
    if len(both) < 2:
        return batch.weights.new_zeros(())
    items = batch.items.select(both).without_attributes()
    none = torch.zeros_like(items.id_codes)
    # Without ids: what a text or a picture alone says.
    text, image = (
        model.item_tower.vectors(model.item_tower.content(part), model.item_tower.pooled(part), part.attributes, none)
        for part in (items.text_only(), items.image_only())
    )
    return contrastive_loss(text, image, model.log_temperature.exp())


def _ranker(
    model: TrifocalModel, batch: Batch, outputs: Tensor, vectors: Tensor, catalogue: Catalogue, config: TrainConfig
) -> Tensor:
    """Softmax over the best retrieved items where the target is among them, at one random position of each user."""
    asked = batch.targets >= 0
    position = torch.multinomial(asked.float(), 1).squeeze(1)  # (B,)
    rows = torch.arange(len(position), device=position.device)
    target = batch.targets[rows, position]
    users = outputs[rows, position]
    before = torch.arange(batch.users.mask.shape[1], device=position.device) < position[:, None]
    history, mask = batch.users.item_rows, batch.users.mask & before
    scores = users @ vectors.T * model.scale.detach()
    taken = torch.where(asked, batch.targets, len(vectors))
    barred = torch.zeros(len(rows), len(vectors) + 1, dtype=torch.bool, device=rows.device).scatter_(1, taken, True)
    barred = barred[:, :-1] | (catalogue.counts[None] == 0)
    barred.scatter_(1, torch.where(mask, history, target[:, None]), True)
    barred[rows, target] = False
    best = scores.masked_fill(barred, -torch.inf).topk(min(config.ranker_candidates, scores.shape[1]), dim=1)
    # As when serving: only where retrieval found the target is there anything to reorder.
    found = best.indices == target[:, None]
    kept = found.any(dim=1)
    if not kept.any():
        return scores.new_zeros(())
    users, found, candidates, known = users[kept], found[kept], best.indices[kept], best.values[kept]
    evidence = pair_evidence(known.clamp(min=-1e4), candidates, history[kept], mask[kept], catalogue.evidence)
    # A target must not be told apart by its own event: its popularity is that of all the others' events.
    evidence[..., -1] = torch.where(found, (catalogue.counts[candidates] - 1).clamp(min=0).log1p(), evidence[..., -1])
    final = known + model.ranker(users, vectors[candidates], evidence)
    return functional.cross_entropy(final.masked_fill(known.isneginf(), -torch.inf), found.long().argmax(dim=1))
