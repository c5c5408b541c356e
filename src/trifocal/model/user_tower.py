"""What a user did, in which context -> user vectors, one after each event. Causal, no user ids. nn.Module only.

```
e_j = item vector + event type + price ─┐
context of event j + 1 ─────────────────┴─► causal layers ─► h_j ─► + fading sum of item vectors ─► + query ─► u_j
```

Source: SASRec (arXiv 1808.09781, section III) with softmax loss; event type, time gap, price and context added as in
the paper, section 3.1.4. The fading sum is a linear shortcut, and the causal layers start at zero beside it: the tower
begins as an item-item neighbour model and learns what order, time and context add.
Letters: see `batch.py`; D embedding size.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trifocal.batch import CONTEXT_FIELDS, UserBatch

__all__ = ["UserTower"]

# Logit of the share of weight that an event keeps with each later one, at the start: 0.95.
_FADING = 3.0


class UserTower(nn.Module):
    """Histories, contexts and queries as vectors. Stability: caller.

    Args:
        context_sizes: codes of each field that is read, code 0 included: of `CONTEXT_FIELDS`, and "price".
        n_items: items whose price buckets are kept; see `set_prices`.
        event_codes: number of event types, code 0 included.
        text_width: features of a query vector.
        history_length: L, the longest history.
        dropout: of the inputs; inside the layers it cost a sixth of a step and was not seen to help.
    """

    def __init__(
        self,
        *,
        context_sizes: Mapping[str, int],
        n_items: int,
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
        fields = {name: nn.Embedding(size, embedding_size) for name, size in context_sizes.items()}
        for table in (self.position, self.event, *fields.values()):
            nn.init.normal_(table.weight, std=0.02)
        self.context = nn.ModuleDict(fields)
        # With the weights, so that whoever loads them has the buckets that they were trained with.
        self.price_codes: Tensor
        self.register_buffer("price_codes", torch.zeros(n_items if "price" in context_sizes else 0, dtype=torch.int64))
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
        if "price" in self.context:
            events = events + self.context["price"](self._prices(users.item_rows))
        size, length = users.item_rows.shape
        inputs = torch.cat([self.start.expand(size, 1, -1), events], dim=1)
        for place, field in enumerate(CONTEXT_FIELDS):
            if field in self.context:
                inputs = inputs + self.context[field](users.context[..., place])
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

    def set_prices(self, codes: Tensor) -> None:
        """Set the price bucket of every item of the catalogue; again when the item vector table has grown.

        Args:
            codes: (N,) int64, the last of the item's attribute codes; 0 = no price.
        """
        if "price" in self.context:
            self.price_codes = codes.to(self.price_codes.device).contiguous()

    def _prices(self, item_rows: Tensor) -> Tensor:
        """Codes of the items' prices; 0 for items that came after `set_prices`."""
        known = item_rows < len(self.price_codes)
        return torch.where(known, self.price_codes[item_rows * known], 0)

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
