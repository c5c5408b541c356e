"""The network of SASRec and its softmax loss; tensors in, tensors out. Knows no history, no file, no clock.

Kang, McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, arXiv 1808.09781, with layer norm before each
part (pre-LN) and, in place of one sampled negative, the softmax over all items (Klenitskiy, Vasilev, "Turning Dross
Into Gold Loss: is BERT4Rec really better than SASRec?", RecSys 2023, arXiv 2309.07602).

Letters: B histories, L positions, D embedding, N items, P real positions of a batch, S sampled negatives.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SasrecNetwork", "full_softmax_loss", "sampled_softmax_loss"]

# Rows of logits at a time: 1,024 x 3,257 float32 are 13 MB, which stay in the cache of a processor.
_CHUNK = 1024
_INITIAL_SPREAD = 0.02


class SasrecNetwork(nn.Module):
    """History -> state after each event; a state times the item table gives scores of what comes next.

    Histories are left-aligned: `rows 7 3 9 . .` with `.` padding. Attention looks back only, so that no event ever
    sees padding. Positions are counted from the newest event, as where histories are padded on the left.
    """

    def __init__(
        self, n_items: int, *, embedding_size: int, layers: int, heads: int, history_length: int, dropout: float
    ) -> None:
        super().__init__()
        self.item_table = nn.Embedding(n_items, embedding_size)
        self.position_table = nn.Embedding(history_length, embedding_size)
        self.layers = nn.ModuleList(_Layer(embedding_size, heads, dropout) for _ in range(layers))
        self.last_norm = nn.LayerNorm(embedding_size)
        self.dropout = nn.Dropout(dropout)
        self.scale = math.sqrt(embedding_size)
        nn.init.normal_(self.item_table.weight, std=_INITIAL_SPREAD)
        nn.init.normal_(self.position_table.weight, std=_INITIAL_SPREAD)

    def forward(self, item_rows: Tensor, lengths: Tensor) -> Tensor:
        """Return the states (B, L, D) of `item_rows` (B, L), of which the first `lengths` (B,) of each line are real.

        A state at a padded place means nothing.
        """
        places = torch.arange(item_rows.shape[1], device=item_rows.device)
        ages = (lengths[:, None] - 1 - places).clamp(min=0)
        states: Tensor = self.dropout(self.scale * (self.item_table(item_rows) + self.position_table(ages)))
        for layer in self.layers:
            states = layer(states)
        normed: Tensor = self.last_norm(states)
        return normed


class _Layer(nn.Module):
    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.forward_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attention_in, self.attention_out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        # The inner size is that of the outer one, as published.
        self.forward_in, self.forward_out = nn.Linear(size, size), nn.Linear(size, size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        states = states + self.dropout(self._attention(self.attention_norm(states)))
        inner: Tensor = self.dropout(functional.relu(self.forward_in(self.forward_norm(states))))
        changed: Tensor = states + self.dropout(self.forward_out(inner))
        return changed

    def _attention(self, states: Tensor) -> Tensor:
        count, length, size = states.shape
        parts = self.attention_in(states).view(count, length, 3, self.heads, size // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, heads, L, D / heads)
        # No dropout of attention weights: with it torch leaves its fast kernel on the CPU.
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        mixed: Tensor = self.attention_out(seen.transpose(1, 2).reshape(count, length, size))
        return mixed


def full_softmax_loss(states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -log softmax(states @ table.T)[target] over positions.

    The gradient is computed together with the value, some rows at a time: (P, N) is never held whole. Products are
    in the type of `states`, sums over items in float32.

    Args:
        states: (P, D) float32 or bfloat16.
        table: (N, D) float32.
        targets: (P,) rows of the table.

    One position, scores (log 3, 0): softmax (3/4, 1/4), loss of the second item log 4 = 1.3863.

    >>> states, table = torch.tensor([[math.log(3.0)]]), torch.tensor([[1.0], [0.0]])
    >>> round(float(full_softmax_loss(states, table, torch.tensor([1]))), 4)
    1.3863
    """
    loss: Tensor = _FullSoftmax.apply(states, table, targets)  # type: ignore[no-untyped-call]  # torch's stub
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
        narrow = table.to(states.dtype)
        by_states, by_table = torch.empty_like(states), torch.zeros_like(table)
        total = states.new_zeros((), dtype=torch.float32)
        for start in range(0, len(states), _CHUNK):
            rows, wanted = states[start : start + _CHUNK], targets[start : start + _CHUNK, None]
            logs = functional.log_softmax((rows @ narrow.T).float(), dim=1)
            total -= logs.gather(1, wanted).sum()
            # The derivative by the scores: softmax - 1 at the target, divided by the number of positions.
            slope = logs.exp_()
            slope.scatter_add_(1, wanted, slope.new_full(wanted.shape, -1.0))
            slope = slope.to(states.dtype)
            by_states[start : start + _CHUNK] = slope @ narrow
            by_table += (slope.T @ rows).float()
        context.save_for_backward(by_states / len(states), by_table / len(states))
        return total / len(states)

    @staticmethod
    def backward(context: Any, outer: Tensor) -> tuple[Tensor, Tensor, None]:
        by_states, by_table = context.saved_tensors
        return outer.to(by_states.dtype) * by_states, outer * by_table, None


def sampled_softmax_loss(states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    """Return the softmax loss of each target against `negatives`, drawn uniformly, in place of all other items.

    Each negative counts (N - 1) / S times, so that the expected denominator is that of the full softmax (the logQ
    correction of Bengio, Senecal 2008 for a uniform draw); a negative that is the target itself is left out.

    Args:
        states: (P, D).
        table: (N, D).
        targets: (P,) rows of the table.
        negatives: (S,) rows of the table.

    One position, 3 items of score 0, one negative: log(1 + 2 * 1) = log 3 = 1.0986, as of the full softmax.

    >>> states, table = torch.zeros(1, 1), torch.zeros(3, 1)
    >>> round(float(sampled_softmax_loss(states, table, torch.tensor([0]), torch.tensor([2]))), 4)
    1.0986
    """
    narrow = table.to(states.dtype)
    right = (states * narrow[targets]).sum(dim=1).float()
    wrong = (states @ narrow[negatives].T).float() + math.log((len(table) - 1) / len(negatives))
    wrong = wrong.masked_fill(targets[:, None] == negatives, -torch.inf)
    return (torch.logsumexp(torch.cat([right[:, None], wrong], dim=1), dim=1) - right).mean()
