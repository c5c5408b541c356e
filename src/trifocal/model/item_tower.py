"""One Transformer that reads and looks: text, image and attribute tokens -> item vectors. nn.Module only.

```
text (M,T,Wt) ─► (layers) ─► project ─► + gated cross-attention to image ───┐
image (M,G,Wi) ─► project, + place ─────────────────────────────────────────┤ joint
attributes (M,A) ─► embed ──────────────────────────────────────────────────┤ layers ─► [ITEM] ─► content (M,D)
[ITEM] = learned + mean(text) + mean(image) ────────────────────────────────┘                        │ + gate * id
pooled (M,P), attributes ─► linear shortcut ─────────────────────────────────────────────────────────┴─► vector (M,D)
```

The shortcut starts from whitened principal components of the mean tokens: it is linear and sees every item in every
step, so it learns at once what takes the Transformer many epochs; the Transformer adds what is not linear.

Sources: image tokens inside the text Transformer, VisualBERT (arXiv 1908.03557) and the paper, section 3.2 (3);
tanh-gated cross-attention that starts closed, Flamingo (NeurIPS 2022, section 2.2). Letters: see `batch.py`;
W fusion width, D embedding size.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from trifocal.batch import ItemBatch
from trifocal.model.text_layers import TextLayers

__all__ = ["ItemTower", "PrincipalComponents"]

# Share of the greatest standard deviation below which a direction counts as noise.
_LEAST_DEVIATION = 0.02


class PrincipalComponents(nn.Module):
    """A fixed linear map to whitened principal components, fitted once on the catalogue. Stability: internal."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.basis: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("basis", torch.zeros(width, size))

    def fit(self, features: Tensor) -> None:
        """Fit to the rows of `features` (M, width), those without the modality left out."""
        present = features[features.abs().sum(dim=1) > 0]
        if len(present) < 2:
            return
        self.mean.copy_(present.mean(dim=0))
        _, deviations, axes = torch.linalg.svd(present - self.mean, full_matrices=False)
        kept = min(self.basis.shape[1], len(deviations))
        scale = deviations[:kept] / (len(present) - 1) ** 0.5
        # Directions of next to no variance are noise; they are not blown up to the size of the others.
        floor = scale[0] * _LEAST_DEVIATION
        self.basis[:, :kept] = axes[:kept].T / torch.maximum(scale, floor)

    def forward(self, features: Tensor) -> Tensor:
        """Return (M, size), each column of variance 1 over the catalogue."""
        components: Tensor = (features - self.mean) @ self.basis
        return components


class ItemTower(nn.Module):
    """Content and identity of items as vectors. Stability: caller.

    Args:
        text_width, image_width: features a token.
        grid_cells: G, image tokens an item.
        attribute_sizes: codes of each attribute, code 0 included.
        n_items: rows of the id table.
        modalities: which of text, image, ids are used; a token source that is not always counts as missing.
        pooled_size: P / 2, principal components kept of the text and of the image.
        text_layers: upper layers of the text backbone that are trained; None = the tokens are of its last layer.
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
        pooled_size: int,
        text_layers: TextLayers | None = None,
    ) -> None:
        super().__init__()
        self.text_layers = text_layers
        self.text_components = PrincipalComponents(text_width, pooled_size)
        self.image_components = PrincipalComponents(image_width, pooled_size)
        self.shortcut = nn.Linear(2 * pooled_size, embedding_size, bias=False)
        self.attribute_shortcut = nn.EmbeddingBag(sum(attribute_sizes), embedding_size, mode="mean")
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
        nn.init.normal_(self.read_out.weight, std=0.02)
        self.id_table = nn.Embedding(n_items + 1, embedding_size, padding_idx=0)
        nn.init.normal_(self.id_table.weight[1:], std=0.02)
        self.id_gate = nn.Linear(embedding_size, embedding_size)
        self.id_trust: Tensor
        self.register_buffer("id_trust", torch.ones(n_items + 1))

    def trust_ids(self, counts: Tensor, prior: float) -> None:
        """Let the id of an item count for n / (n + prior), n its events in training.

        An id that was taken a few times has learned little more than that it is seldom taken, and would push new items
        below those that nobody has taken yet (docs/log.md).

        Args:
            counts: (N,) events of each item.
            prior: events at which content and id are trusted alike; 0 = every id is trusted whole.
        """
        trust = counts / (counts + prior).clamp(min=1e-9) if prior > 0 else torch.ones_like(counts)
        self.id_trust[1 : len(counts) + 1] = trust

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

    def pooled(self, items: ItemBatch) -> Tensor:
        """Return (M, P): the components of the mean text and image token; zero where one is missing or not used."""
        text_present = items.text_mask.any(dim=1) & self.uses_text
        text = self.text_components(_text_mean(items))
        image = self.image_components(items.image.mean(dim=1))
        image_present = items.image_mask & self.uses_image
        both: Tensor = torch.cat([text * text_present[:, None], image * image_present[:, None]], dim=1)
        return both

    def vectors(self, content: Tensor, pooled: Tensor, attributes: Tensor, id_codes: Tensor) -> Tensor:
        """Return the (M, D) item vectors.

        Args:
            content: (M, D), see `content`.
            pooled: (M, P), see `pooled`.
            attributes: (M, A) int64 codes.
            id_codes: (M,) int64; code 0 adds nothing.
        """
        known: Tensor = content + self.shortcut(pooled) + self.attribute_shortcut(attributes + self.attribute_offsets)
        if not self.uses_ids:
            return known
        trust = self.id_trust[id_codes][:, None]
        identity: Tensor = trust * torch.sigmoid(self.id_gate(known)) * self.id_table(id_codes)
        return known + identity

    def forward(self, items: ItemBatch) -> Tensor:
        """Return the (M, D) item vectors."""
        return self.vectors(self.content(items), self.pooled(items), items.attributes, items.id_codes)

    def _text_tokens(self, items: ItemBatch) -> tuple[Tensor, Tensor, Tensor]:
        present = items.text_mask.any(dim=1) & self.uses_text  # (M,)
        mask = items.text_mask & present[:, None]
        text = items.text if self.text_layers is None else self.text_layers(items.text, mask)
        tokens = self.text_in(text) + self.text_type
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


def _text_mean(items: ItemBatch) -> Tensor:
    """(M, Wt): the mean of the last text layer, as it was pre-trained, so that the shortcut's inputs never change."""
    if items.text_mean is not None:
        return items.text_mean
    counts = items.text_mask.sum(dim=1).clamp(min=1)[:, None]
    return (items.text * items.text_mask[..., None]).sum(dim=1) / counts
