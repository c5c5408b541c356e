"""The upper layers of a pre-trained text Transformer, trained with everything else. nn.Module only.

```
hidden ─► attention ─► + ─► norm ─► GELU feed-forward ─► + ─► norm ─► hidden
    └──────────────────┘        └────────────────────────┘
```

The layer of BERT (Devlin et al., arXiv 1810.04805, section 3), which MiniLM and RoBERTa share, so that their weights
can be taken over; serving then needs no `transformers`. Letters: see `batch.py`; W text width.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from trifocal.model.lora import adapt

__all__ = ["TextLayer", "TextLayers"]

# Queries and values: for the same number of parameters the best pair of projections (LoRA, section 7.1).
_ADAPTED = ("query", "value")


class TextLayer(nn.Module):
    """One layer: attention, add & norm, feed-forward, add & norm. Stability: internal."""

    def __init__(self, width: int, heads: int, feed_forward: int, epsilon: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width) for _ in range(4))
        self.mix_norm = nn.LayerNorm(width, eps=epsilon)
        self.widen, self.narrow = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)
        self.out_norm = nn.LayerNorm(width, eps=epsilon)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return (M, T, W); `mask` (M, T) bool, True = a token, at least one in each row."""
        hidden = self.mix_norm(hidden + self._drop(self._attention(hidden, mask)))
        fed: Tensor = self.narrow(functional.gelu(self.widen(hidden)))
        out: Tensor = self.out_norm(hidden + self._drop(fed))
        return out

    def _attention(self, hidden: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (self._by_head(part(hidden)) for part in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        out: Tensor = self.mix(mixed.transpose(1, 2).flatten(2))
        return out

    def _by_head(self, features: Tensor) -> Tensor:
        items, tokens, _ = features.shape
        return features.view(items, tokens, self.heads, -1).transpose(1, 2)  # (M, heads, T, W / heads)

    def _drop(self, features: Tensor) -> Tensor:
        return functional.dropout(features, self.dropout, self.training)


class TextLayers(nn.Module):
    """A stack of `TextLayer`, fully trained or by low-rank adaptation. Stability: internal.

    Args:
        layers: how many.
        width, heads, feed_forward, epsilon: of the backbone.
        dropout: after attention and feed-forward.
        rank: of the adaptation; 0 = every weight is trained.
    """

    def __init__(
        self, *, layers: int, width: int, heads: int, feed_forward: int, epsilon: float, dropout: float, rank: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TextLayer(width, heads, feed_forward, epsilon, dropout) for _ in range(layers))
        if rank:
            adapt(self.layers, _ADAPTED, rank)

    def load(self, states: Sequence[dict[str, Tensor]]) -> None:
        """Take over the pre-trained weights of each layer; the low-rank maps stay as they are."""
        for layer, state in zip(self.layers, states, strict=True):
            own = {name: tensor for name, tensor in layer.state_dict().items() if name.endswith((".down", ".up"))}
            layer.load_state_dict(state | own)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return (M, T, W); a row of `mask` (M, T) without any token gives what nobody may read."""
        # Attention over nothing is not a number, also in the gradient.
        mask = mask.clone()
        mask[:, 0] |= ~mask.any(dim=1)
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return hidden
