"""The loss parts that items give without users, contrastive and masked text, and stage 1's objective of just these."""

from __future__ import annotations

import torch
from torch import nn

from trifocal.batch import ItemBatch
from trifocal.model.build import TrifocalModel
from trifocal.model.config import ModelConfig
from trifocal.model.losses import contrastive_loss, masked_token_loss
from trifocal.train.config import TrainConfig
from trifocal.train.distill_teacher import Teacher
from trifocal.train.part import Part

__all__ = ["ContentObjective", "contrastive_part", "masked_text_part"]


class ContentObjective(nn.Module):
    """The forward pass of the losses on content, for items alone; see `Objective`. Stability: internal.

    With a teacher there is one, its item vectors: they say all that the others would.
    """

    def __init__(
        self, model: TrifocalModel, model_config: ModelConfig, config: TrainConfig, teacher: Teacher | None = None
    ) -> None:
        super().__init__()
        self.model, self.model_config, self.config, self.teacher = model, model_config, config, teacher

    @property
    def names(self) -> tuple[str, ...]:
        """The parts that can be computed and have a weight."""
        if self.teacher is not None:
            return ("teacher_items",) if self.teacher.config.items > 0 else ()
        weights = self.config.losses
        both = {"text", "image"} <= set(self.model_config.modalities)
        possible = {"contrastive": weights.contrastive > 0 and both, "mlm": self.model.masked_text is not None}
        return tuple(name for name, wanted in possible.items() if wanted)

    def forward(self, items: ItemBatch) -> dict[str, Part]:
        """Return the unweighted parts of `names` for all of `items`."""
        half = self.config.precision == "bf16"
        with torch.autocast(items.text.device.type, dtype=torch.bfloat16, enabled=half):
            if self.teacher is not None:
                return {"teacher_items": self.teacher.catalogue_part(self.model, items)}
            found = {
                "contrastive": contrastive_part(self.model, items, self.model_config, len(items)),
                "mlm": masked_text_part(self.model, items, len(items)),
            }
        return {name: part for name, part in found.items() if part is not None and name in self.names}


def contrastive_part(model: TrifocalModel, items: ItemBatch, config: ModelConfig, size: int) -> Part | None:
    """InfoNCE of at most `size` items that have both; the others of the same process are the negatives."""
    if not {"text", "image"} <= set(config.modalities):
        return None
    tower = model.item_tower
    both = torch.nonzero(items.text_mask.any(dim=1) & items.image_mask).squeeze(1)[:size]
    weight = torch.tensor(float(len(both)), device=both.device)
    if len(both) < 2:
        return Part(0 * model.log_temperature, 0 * weight)
    chosen = items.select(both).without_attributes()
    none = torch.zeros_like(chosen.id_codes)
    # Without ids: what a text or a picture alone says.
    text, image = (
        tower.vectors(tower.content(part), tower.pooled(part), part.attributes, none).float()
        for part in (chosen.text_only(), chosen.image_only())
    )
    return Part(contrastive_loss(text, image, model.log_temperature.exp()), weight)


def masked_text_part(model: TrifocalModel, items: ItemBatch, size: int) -> Part | None:
    """Cross-entropy of the words that were hidden in at most `size` items with a text."""
    masked, layers, token_ids = model.masked_text, model.item_tower.text_layers, items.token_ids
    if masked is None or layers is None or token_ids is None:
        return None
    chosen = torch.nonzero(items.text_mask.any(dim=1)).squeeze(1)[:size]
    if len(chosen) == 0:
        return Part(0 * masked.bias.sum(), torch.zeros((), device=token_ids.device))
    scores, tokens = masked(token_ids[chosen], items.text_mask[chosen], layers)
    return Part(masked_token_loss(scores.float(), tokens), torch.tensor(float(len(tokens)), device=tokens.device))
