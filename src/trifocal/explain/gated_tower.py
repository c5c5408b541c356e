"""Item vectors by gates, and where the item tower attends: the tower itself, with some of its parts exchanged.

Letters: S = steps * K states, K items, T text tokens, G image cells, A attributes, W fusion width, D embedding size.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from trifocal.batch import ItemBatch
from trifocal.explain.gates import Gates
from trifocal.model.item_tower import ItemTower

__all__ = ["GatedTower", "attention_weights"]


class GatedTower:
    """Vectors of K items whose text, picture, attributes and id speak as far as their gates are open.

    Neutral are the mean token of the catalogue's texts and the mean cell of its pictures, which the tower's linear
    shortcut was fitted with; code 0 of each attribute; no id. Not zero features: the tower normalises each token, so
    that a token of zeros jumps to its full say at the first step. Stability: internal.
    """

    def __init__(self, tower: ItemTower, items: ItemBatch) -> None:
        """Take a frozen tower and the items (K)."""
        self._tower, self._items = tower, items
        with torch.no_grad():
            self._content = _Content.of(tower, items)
            codes = items.attributes + tower.attribute_offsets
            unknown = tower.attribute_offsets.expand_as(codes)
            self._attributes = _Way(tower.attribute_table(unknown), tower.attribute_table(codes))
            self._shortcuts = _Way(tower.attribute_shortcut(unknown), tower.attribute_shortcut(codes))

    def vectors(self, gates: Gates) -> Tensor:
        """Return (S, D)."""
        items = self._content.at(self._items, gates)
        tower = _with_parts(
            self._tower,
            text_layers=None,
            attribute_table=_Given(self._attributes.at(gates.attributes[..., None])),
            attribute_shortcut=_Given(self._shortcuts.at(gates.attributes)),
            id_table=_Faded(self._tower.id_table, gates.identity),
        )
        found: Tensor = tower(items)
        return found


def attention_weights(tower: ItemTower, items: ItemBatch) -> Tensor:
    """Return (K, T + G): how much [ITEM] attends to each text token and image cell in the last joint layer, all heads'
    mean; 0 for padding and for what is missing. The simpler explanation that integrated gradients are compared with.
    """
    watched = _Watched(tower.joint)
    with torch.no_grad():
        _with_parts(tower, joint=watched).content(items)
    cells, tokens = items.image.shape[1], items.text.shape[1]
    weights = watched.weights  # (K, 1 + A + G + T)
    text = weights[:, weights.shape[1] - tokens :] * items.text_mask * tower.uses_text
    image = weights[:, weights.shape[1] - tokens - cells : weights.shape[1] - tokens]
    return torch.cat([text, image * items.image_mask[:, None] * tower.uses_image], dim=1)


@dataclass(frozen=True)
class _Way:
    """From a neutral to the actual value; both (K, ...)."""

    neutral: Tensor
    actual: Tensor

    def at(self, gates: Tensor) -> Tensor:
        """Return (S, ...) by gates that broadcast with it."""
        steps = gates.reshape(-1, len(self.actual), *gates.shape[1:])  # (steps, K, ...)
        return (self.neutral + steps * (self.actual - self.neutral)).flatten(0, 1)


@dataclass(frozen=True)
class _Content:
    """Tokens, cells and mean token of the items, where text layers are trained as they come out of those."""

    text: _Way
    image: _Way
    text_mean: _Way | None

    @classmethod
    def of(cls, tower: ItemTower, items: ItemBatch) -> _Content:
        text = items.text if tower.text_layers is None else tower.text_layers(items.text, items.text_mask)
        neutral_text, neutral_image = tower.text_components.mean, tower.image_components.mean
        mean = None if items.text_mean is None else _Way(neutral_text, items.text_mean)
        return cls(_Way(neutral_text, text), _Way(neutral_image, items.image), mean)

    def at(self, items: ItemBatch, gates: Gates) -> ItemBatch:
        """The (S) items by their gates."""
        steps = len(gates.text) // len(items)
        repeated = items.select(torch.arange(len(items)).repeat(steps))
        mask = repeated.text_mask
        open_share = (gates.text * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return replace(
            repeated,
            text=self.text.at(gates.text[..., None]),
            image=self.image.at(gates.image[..., None]),
            text_mean=None if self.text_mean is None else self.text_mean.at(open_share),
        )


class _Given(nn.Module):
    """A look-up whose answer is already there."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self._answer = answer

    def forward(self, codes: Tensor) -> Tensor:
        return self._answer


class _Faded(nn.Module):
    """A look-up whose answer is multiplied by gates (S, 1)."""

    def __init__(self, table: nn.Embedding, gates: Tensor) -> None:
        super().__init__()
        self._table, self._gates = table, gates

    def forward(self, codes: Tensor) -> Tensor:
        found: Tensor = self._table(codes) * self._gates
        return found


class _Watched(nn.Module):
    """The joint layers, of which the last one's attention from the first place is kept."""

    def __init__(self, joint: nn.TransformerEncoder) -> None:
        super().__init__()
        self._joint = joint
        self.weights = torch.zeros(0)

    def forward(self, tokens: Tensor, src_key_padding_mask: Tensor) -> Tensor:
        *first, last = self._joint.layers
        hidden = tokens
        for layer in first:
            hidden = layer(hidden, src_key_padding_mask=src_key_padding_mask)
        normed = last.norm1(hidden)
        _, weights = last.self_attn(normed[:, :1], normed, normed, key_padding_mask=src_key_padding_mask)
        self.weights = weights[:, 0]
        return tokens


def _with_parts(tower: ItemTower, **parts: nn.Module | None) -> ItemTower:
    """Return the tower with other parts; weights are shared, and the tower itself stays as it is."""
    other = copy.copy(tower)
    # A shallow copy shares the table of parts too, which is what is to differ.
    other.__dict__["_modules"] = {**tower._modules, **parts}
    return other
