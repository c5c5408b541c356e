"""One Transformer that reads and looks: text, image and attribute tokens -> item vectors. nn.Module only.

```
text (M,T,Wt) ─► project ─► + gated cross-attention to image ─┐
image (M,G,Wi) ─► project, + place ───────────────────────────┤ joint
attributes (M,A) ─► embed ────────────────────────────────────┤ layers ─► [ITEM] ─► content (M,D)
[ITEM] = learned + mean(text) + mean(image) ──────────────────┘                        │ + gate * id embedding
                                                                                       └─► vector (M,D)
```

Sources: image tokens inside the text Transformer, VisualBERT (arXiv 1908.03557) and the paper, section 3.2 (3);
tanh-gated cross-attention that starts closed, Flamingo (NeurIPS 2022, section 2.2). Letters: see `batch.py`;
W fusion width, D embedding size.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from trifocal.batch import ItemBatch

__all__ = ["ItemTower"]


class ItemTower(nn.Module):
    """Content and identity of items as vectors. Stability: caller.

    Args:
        text_width, image_width: features a token.
        grid_cells: G, image tokens an item.
        attribute_sizes: codes of each attribute, code 0 included.
        n_items: rows of the id table.
        modalities: which of text, image, ids are used; a token source that is not always counts as missing.
    """

    def __init__(
        self,
        *,
        text_width: int,
        image_width: int,
        grid_cells: int,
        attribute_sizes: tuple[int, ...],
        n_items: int,
        modalities: Collection[str],
        embedding_size: int,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.uses_text, self.uses_image, self.uses_ids = (m in modalities for m in ("text", "image", "ids"))
        self.text_in = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.image_in = nn.Sequential(nn.LayerNorm(image_width), nn.Linear(image_width, width))
        self.image_place = nn.Parameter(torch.randn(grid_cells, width) * 0.02)
        self.text_type = nn.Parameter(torch.randn(width) * 0.02)
        self.text_missing = nn.Parameter(torch.randn(width) * 0.02)
        self.image_missing = nn.Parameter(torch.randn(width) * 0.02)
        self.item_token = nn.Parameter(torch.randn(width) * 0.02)
        self.attribute_offsets: Tensor
        offsets = torch.tensor((0, *attribute_sizes[:-1])).cumsum(0)
        self.register_buffer("attribute_offsets", offsets, persistent=False)
        self.attribute_table = nn.Embedding(sum(attribute_sizes), width)
        nn.init.normal_(self.attribute_table.weight, std=0.02)
        self.look_norm = nn.LayerNorm(width)
        self.look = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.look_gate = nn.Parameter(torch.zeros(1))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.joint = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.read_out = nn.Linear(width, embedding_size)
        self.id_table = nn.Embedding(n_items + 1, embedding_size, padding_idx=0)
        nn.init.normal_(self.id_table.weight[1:], std=0.02)
        self.id_gate = nn.Linear(embedding_size, embedding_size)

    def content(self, items: ItemBatch) -> Tensor:
        """Return the (M, D) vectors of what the items say and show, without their ids."""
        text, text_mask, text_mean = self._text_tokens(items)
        image, image_mean = self._image_tokens(items)
        looked, _ = self.look(self.look_norm(text), image, image, need_weights=False)
        text = text + torch.tanh(self.look_gate) * looked
        attributes = self.attribute_table(items.attributes + self.attribute_offsets)  # (M, A, W)
        read = (self.item_token + text_mean + image_mean)[:, None]
        tokens = torch.cat([read, attributes, image, text], dim=1)  # (M, 1 + A + G + T, W)
        always = torch.ones(tokens.shape[0], tokens.shape[1] - text.shape[1], dtype=torch.bool, device=text.device)
        joint = self.joint(tokens, src_key_padding_mask=~torch.cat([always, text_mask], dim=1))
        content: Tensor = self.read_out(joint[:, 0])
        return content

    def with_ids(self, content: Tensor, id_codes: Tensor) -> Tensor:
        """Return `content` (M, D) plus the gated embeddings of `id_codes` (M,); code 0 adds nothing."""
        if not self.uses_ids:
            return content
        identity: Tensor = torch.sigmoid(self.id_gate(content)) * self.id_table(id_codes)
        return content + identity

    def forward(self, items: ItemBatch) -> Tensor:
        """Return the (M, D) item vectors."""
        return self.with_ids(self.content(items), items.id_codes)

    def _text_tokens(self, items: ItemBatch) -> tuple[Tensor, Tensor, Tensor]:
        present = items.text_mask.any(dim=1) & self.uses_text  # (M,)
        mask = items.text_mask & present[:, None]
        tokens = self.text_in(items.text) + self.text_type
        mean = (tokens * mask[..., None]).sum(dim=1) / mask.sum(dim=1).clamp(min=1)[:, None]
        # A missing text is one learned token in the first place.
        first = torch.where(present[:, None], tokens[:, 0], self.text_missing)
        tokens = torch.cat([first[:, None], tokens[:, 1:]], dim=1)
        mask = torch.cat([torch.ones_like(mask[:, :1]), mask[:, 1:]], dim=1)
        return tokens, mask, torch.where(present[:, None], mean, self.text_missing)

    def _image_tokens(self, items: ItemBatch) -> tuple[Tensor, Tensor]:
        present = (items.image_mask & self.uses_image)[:, None, None]
        tokens = torch.where(present, self.image_in(items.image), self.image_missing) + self.image_place
        return tokens, tokens.mean(dim=1)
