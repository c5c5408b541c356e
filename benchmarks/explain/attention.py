"""Raw attention, which explanations are compared with: how much [ITEM] attends to each token and cell.

Attention is often shown as an explanation, and often is none (Jain & Wallace, "Attention is not Explanation", NAACL
2019). Letters: K items, T text tokens, G image cells, W fusion width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from trifocal.batch import ItemBatch
from trifocal.model import TrifocalModel
from trifocal.types import FloatArray

__all__ = ["attention_weights"]


def attention_weights(model: TrifocalModel, items: ItemBatch) -> FloatArray:
    """Return (K, T + G): the weights of [ITEM] in the last joint layer, means over heads; text before image."""
    tower, kept = model.item_tower, dict[str, Any]()

    def keep(_: nn.Module, args: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        kept.update(tokens=args[0], mask=named["src_key_padding_mask"])

    hook = tower.joint.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with torch.inference_mode():
            tower.content(items)
            weights = _last_weights(tower.joint, kept["tokens"], kept["mask"])
    finally:
        hook.remove()
    text, cells = items.text.shape[1], items.image.shape[1]
    found: FloatArray = torch.cat([weights[:, -text:], weights[:, -text - cells : -text]], dim=1).numpy()
    return found


def _last_weights(joint: nn.TransformerEncoder, tokens: Tensor, mask: Tensor) -> Tensor:
    """(K, tokens): what the first token attends to in the last of the layers, which normalise before they attend."""
    *lower, last = joint.layers
    for layer in lower:
        tokens = layer(tokens, src_key_padding_mask=mask)
    read = last.norm1(tokens)
    _, weights = last.self_attn(read[:, :1], read, read, key_padding_mask=mask)
    found: Tensor = weights[:, 0]
    return found
