"""What a user did, in which context -> user vectors, one after each event. Causal, no user ids. nn.Module only.

```
e_j = item vector + event type ─┐
context of event j + 1 ─────────┴─► causal layers ─► h_j ─► + fading sum of item vectors ─► + query ─► u_j
```

Source: SASRec (arXiv 1808.09781, section III) with softmax loss; event type, time gap and context added as in the
paper, section 3.1.4. The fading sum is a linear shortcut, and the causal layers start at zero beside it: the tower
begins as an item-item neighbour model and learns what order, time and context add.
Letters: see `batch.py`; D embedding size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trifocal.batch import UserBatch

__all__ = ["UserTower"]

# Logit of the share of weight that an event keeps with each later one, at the start: 0.95.
_FADING = 3.0


class UserTower(nn.Module):
    """Histories, contexts and queries as vectors. Stability: caller.

    Args:
        context_sizes: codes of each of `CONTEXT_FIELDS`, code 0 included.
        event_codes: number of event types, code 0 included.
        text_width: features of a query vector.
        history_length: L, the longest history.
        dropout: of the inputs; inside the layers it cost a sixth of a step and was not seen to help.
    """

    def __init__(
        self,
        *,
        context_sizes: tuple[int, ...],
        event_codes: int,
        text_width: int,
        embedding_size: int,
        history_length: int,
        layers: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(embedding_size) * 0.02)
        self.position = nn.Embedding(history_length + 1, embedding_size)
        self.event = nn.Embedding(event_codes, embedding_size)
        self.context = nn.ModuleList(nn.Embedding(size, embedding_size) for size in context_sizes)
        for table in (self.position, self.event, *self.context):
            nn.init.normal_(table.weight, std=0.02)
        self.item_norm = nn.LayerNorm(embedding_size)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            embedding_size, heads, 2 * embedding_size, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.causal = nn.TransformerEncoder(
            layer, layers, norm=nn.LayerNorm(embedding_size), enable_nested_tensor=False
        )
        self.out = nn.Linear(embedding_size, embedding_size)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.recent = nn.Linear(embedding_size, embedding_size, bias=False)
        nn.init.eye_(self.recent.weight)
        self.fading = nn.Parameter(torch.tensor(_FADING))
        self.query_in = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, embedding_size))
        self.query_gate = nn.Parameter(torch.zeros(1))

    def forward(self, users: UserBatch, table: Tensor) -> Tensor:
        """Return (B, L + 1, D) user vectors; position j has seen j events.

        Args:
            users: as `user_batch` makes them.
            table: (N, D) item vectors that `users.item_rows` point into.
        """
        items = self.dropout(table[users.item_rows]) * users.mask[..., None]  # (B, L, D)
        events = self.item_norm(items) + self.event(users.event_codes)
        size, length = users.item_rows.shape
        inputs = torch.cat([self.start.expand(size, 1, -1), events], dim=1)
        for field, embed in enumerate(self.context):
            inputs = inputs + embed(users.context[..., field])
        places = torch.arange(length + 1, device=items.device)
        # The mask is left-aligned: a padded position can only be seen by positions after it, which are padded too.
        later = torch.triu(torch.ones(length + 1, length + 1, dtype=torch.bool, device=items.device), diagonal=1)
        hidden = self.causal(self.dropout(inputs + self.position(places)), mask=later)
        recent = self.recent(_fading_sum(items, users.mask, torch.sigmoid(self.fading)))
        return self._with_query(self.out(hidden) + recent, users)

    def last(self, users: UserBatch, table: Tensor) -> Tensor:
        """Return the (B, D) user vectors after all events: what retrieval asks with."""
        vectors = self.forward(users, table)
        lengths = users.mask.sum(dim=1)
        return vectors[torch.arange(len(users), device=vectors.device), lengths]

    def _with_query(self, vectors: Tensor, users: UserBatch) -> Tensor:
        asked = (users.query_rows > 0)[..., None]
        queries: Tensor = self.query_in(users.query_vectors)[users.query_rows]
        return vectors + asked * torch.tanh(self.query_gate) * queries


def _fading_sum(items: Tensor, mask: Tensor, fading: Tensor) -> Tensor:
    """(B, L, D) -> (B, L + 1, D): the first j items, each event a step fainter, over the root of their weights."""
    size, length, width = items.shape
    places = torch.arange(length, device=items.device)
    steps = (places[:, None] - places).clamp(min=0)
    weights = torch.tril(fading**steps)  # (L, L), row j: how faint event i is after j + 1 events
    sums = weights @ items
    totals = (weights @ mask.float()[..., None]).clamp(min=1e-6)
    return torch.cat([items.new_zeros(size, 1, width), sums / totals.sqrt()], dim=1)
