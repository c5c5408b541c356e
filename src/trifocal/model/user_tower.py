"""What a user did, in which context -> user vectors, one after each event. Causal, no user ids. nn.Module only.

```
e_j = item vector + event type ─┐
context of event j + 1 ─────────┴─► causal layers ─► h_j ─► + mean of item vectors so far ─► + query ─► u_j
```

Source: SASRec (arXiv 1808.09781, section III) with softmax loss; event type, time gap and context added as in the
paper, section 3.1.4. The mean of the history as a shortcut makes the tower start as an item-item neighbour model.
Letters: see `batch.py`; D embedding size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trifocal.batch import UserBatch

__all__ = ["UserTower"]


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
        self.mean_gate = nn.Parameter(torch.ones(embedding_size))
        self.query_in = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, embedding_size))
        self.query_gate = nn.Parameter(torch.zeros(1))

    def forward(self, users: UserBatch, table: Tensor) -> Tensor:
        """Return (B, L + 1, D) user vectors; position j has seen j events.

        Args:
            users: as `user_batch` makes them.
            table: (N, D) item vectors that `users.item_rows` point into.
        """
        items = table[users.item_rows] * users.mask[..., None]  # (B, L, D)
        events = self.item_norm(items) + self.event(users.event_codes)
        size, length = users.item_rows.shape
        inputs = torch.cat([self.start.expand(size, 1, -1), events], dim=1)
        for field, embed in enumerate(self.context):
            inputs = inputs + embed(users.context[..., field])
        places = torch.arange(length + 1, device=items.device)
        # The mask is left-aligned: a padded position can only be seen by positions after it, which are padded too.
        later = torch.triu(torch.ones(length + 1, length + 1, dtype=torch.bool, device=items.device), diagonal=1)
        hidden = self.causal(self.dropout(inputs + self.position(places)), mask=later)
        return self._with_query(self.out(hidden) + self.mean_gate * _running_mean(items), users)

    def last(self, users: UserBatch, table: Tensor) -> Tensor:
        """Return the (B, D) user vectors after all events: what retrieval asks with."""
        vectors = self.forward(users, table)
        lengths = users.mask.sum(dim=1)
        return vectors[torch.arange(len(users), device=vectors.device), lengths]

    def _with_query(self, vectors: Tensor, users: UserBatch) -> Tensor:
        asked = (users.query_rows > 0)[..., None]
        queries: Tensor = self.query_in(users.query_vectors)[users.query_rows]
        return vectors + asked * torch.tanh(self.query_gate) * queries


def _running_mean(items: Tensor) -> Tensor:
    """(B, L, D) -> (B, L + 1, D): position j holds the mean of the first j, zero at the start."""
    size, length, width = items.shape
    counts = torch.arange(1, length + 1, device=items.device)[:, None]
    return torch.cat([items.new_zeros(size, 1, width), items.cumsum(dim=1) / counts], dim=1)
