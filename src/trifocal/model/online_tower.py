"""The user tower as it is exported: gathered item vectors in, one user vector out. nn.Module only.

The same weights and the same result as `UserTower.last`, in operations whose shapes an exporter can leave open:
PyTorch's attention writes the length that it was traced with into the graph. `tests/model/test_online_tower.py` holds
the two together. Letters: B users, L history length, D embedding size, W text width.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from trifocal.batch import CONTEXT_FIELDS
from trifocal.model.user_tower import UserTower

__all__ = ["INPUTS", "OnlineTower"]

INPUTS = ("items", "mask", "event_codes", "context", "prices", "query", "asked")
"""Names of the inputs, in order."""


class OnlineTower(nn.Module):
    """Wraps a trained tower; shares its weights. Stability: internal."""

    def __init__(self, tower: UserTower) -> None:
        super().__init__()
        self.tower = tower.eval()

    def forward(
        self,
        items: Tensor,
        mask: Tensor,
        event_codes: Tensor,
        context: Tensor,
        prices: Tensor,
        query: Tensor,
        asked: Tensor,
    ) -> Tensor:
        """Return the (B, D) user vectors after all events.

        Args:
            items: (B, L, D) vectors of the history, left-aligned, 0 where padded; L at least 1.
            mask: (B, L) float, 1 = an event.
            event_codes: (B, L) int64.
            context: (B, L + 1, fields) int64, see `batch.py`.
            prices: (B, L) int64 price buckets of the history.
            query: (B, W) pooled text features of what is searched for.
            asked: (B,) float, 1 = there is a query.
        """
        tower = self.tower
        events = tower.item_norm(items) + tower.event(event_codes)
        if "price" in tower.context:
            events = events + tower.context["price"](prices)
        states = torch.cat([tower.start.expand(items.shape[0], 1, -1), events], dim=1)
        for place, field in enumerate(CONTEXT_FIELDS):
            if field in tower.context:
                states = states + tower.context[field](context[..., place])
        places = torch.arange(states.shape[1])
        states = states + tower.position(places)
        later = torch.where(places > places[:, None], -1e9, 0.0)
        for layer in tower.causal.layers:
            states = _layer(cast("nn.TransformerEncoderLayer", layer), states, later)
        states = cast("nn.LayerNorm", tower.causal.norm)(states)
        lengths = mask.sum(dim=1).long()
        last = states.gather(1, lengths[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
        recent = tower.recent(_fading_sum(items, mask, lengths, torch.sigmoid(tower.fading)))
        searched = asked[:, None] * torch.tanh(tower.query_gate) * tower.query_in(query)
        user: Tensor = tower.out(last) + recent + searched
        return user


def _layer(layer: nn.TransformerEncoderLayer, states: Tensor, later: Tensor) -> Tensor:
    """One pre-norm layer on (B, T, D); `later` (T, T) is added to the logits."""
    states = states + _attention(layer.self_attn, layer.norm1(states), later)
    inner = functional.gelu(layer.linear1(layer.norm2(states)))
    changed: Tensor = states + layer.linear2(inner)
    return changed


def _attention(attention: nn.MultiheadAttention, states: Tensor, later: Tensor) -> Tensor:
    size, length, width = states.shape
    heads = attention.num_heads
    joint = functional.linear(states, cast("Tensor", attention.in_proj_weight), attention.in_proj_bias)
    query, key, value = joint.reshape(size, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4).unbind(0)
    logits = query @ key.transpose(2, 3) * (width // heads) ** -0.5 + later
    mixed = (logits.softmax(dim=-1) @ value).transpose(1, 2).reshape(size, length, width)
    out: Tensor = attention.out_proj(mixed)
    return out


def _fading_sum(items: Tensor, mask: Tensor, lengths: Tensor, fading: Tensor) -> Tensor:
    """(B, L, D) -> (B, D): the events, each a step fainter than the next, over the root of their weights."""
    age = (lengths[:, None] - 1 - torch.arange(items.shape[1])).clamp(min=0)
    weights = fading**age * mask
    total = weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
    mean: Tensor = (weights[..., None] * items).sum(dim=1) / total.sqrt()
    return mean
