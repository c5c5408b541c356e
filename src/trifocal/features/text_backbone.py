"""What training needs of a text backbone beside its cached tokens: the weights of the layers that are to be trained on.

```
token ids ─► embeddings ─► frozen lower layers ─► cached tokens ─► upper layers, trained in the item tower
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trifocal.errors import ConfigError

__all__ = ["TextBackbone", "TextLayerShape", "require_trainable", "upper_states"]

# Families of `AutoModel` whose layer is the one of `model.text_layers`: attention, add & norm, GELU, add & norm.
_FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert")

# Our names of a layer's parts -> those of BERT.
_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mix": "attention.output.dense",
    "mix_norm": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "out_norm": "output.LayerNorm",
}


@dataclass(frozen=True)
class TextLayerShape:
    """Sizes of a backbone's layers beside their width.

    Attributes:
        heads: of the attention.
        feed_forward: hidden units.
        epsilon: of the layer norms.
        vocabulary: tokens that the backbone knows.
    """

    heads: int
    feed_forward: int
    epsilon: float
    vocabulary: int


@dataclass(frozen=True)
class TextBackbone:
    """The pre-trained parts that training starts from. Stability: internal.

    Attributes:
        shape: of every layer.
        states: weights of each upper layer, lowest first, by the names of `model.text_layers`.
        word_embeddings: (vocabulary, text width).
        special_ids: tokens that are no words, never masked and never drawn.
        mask_id: the token that hides a word; None where the tokenizer has none.
        lower: (M, T) token ids and mask -> (M, T, text width) after the frozen layers, without gradient.
    """

    shape: TextLayerShape
    states: tuple[dict[str, Tensor], ...]
    word_embeddings: Tensor
    special_ids: tuple[int, ...]
    mask_id: int | None
    lower: Callable[[Tensor, Tensor], Tensor]


def require_trainable(layers: int, *, family: str, activation: str, available: int) -> None:
    """Check that the upper `layers` of a backbone can be trained.

    Args:
        layers: to be trained.
        family: of the backbone, `model_type` in its configuration.
        activation: of its feed-forward part.
        available: layers that it has.

    Raises:
        ConfigError: when its layers are of another build, or there are fewer.
    """
    if family not in _FAMILIES or activation != "gelu":
        raise ConfigError(
            f"model.text_trainable_layers = {layers}, but layers of a {family!r} backbone with {activation} cannot be "
            f"trained, only those of {', '.join(_FAMILIES)} with gelu; set it to 0 or choose another "
            "features.text_backbone"
        )
    if layers > available:
        raise ConfigError(
            f"model.text_trainable_layers = {layers}, but the text backbone has {available} layers; "
            f"set it to at most {available}"
        )


def upper_states(network: Any, layers: int) -> tuple[dict[str, Tensor], ...]:
    """Return the weights of the upper `layers` of a `transformers` encoder, by the names of `model.text_layers`."""
    stack = network.encoder.layer
    return tuple(_state(layer) for layer in stack[len(stack) - layers :])


def _state(layer: torch.nn.Module) -> dict[str, Tensor]:
    found = layer.state_dict()
    return {
        f"{ours}.{kind}": found[f"{theirs}.{kind}"].detach().float().cpu()
        for ours, theirs in _PARTS.items()
        for kind in ("weight", "bias")
    }
