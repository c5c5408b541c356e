"""The catalogue as the item tower reads it: text tokens, image tokens, attribute codes; batches of any rows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from trifocal import columns as c
from trifocal.batch import ItemBatch
from trifocal.errors import ConfigError
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.config import FeaturesConfig
from trifocal.features.context import ContextVocabulary
from trifocal.features.image import image_source
from trifocal.features.product_colours import COLOURS_KEPT, ColourSource
from trifocal.features.scratch import catalogue_text_source, stored_text_source
from trifocal.features.text import TransformerTextSource
from trifocal.features.text_backbone import TextBackbone, TextLayerShape
from trifocal.features.token_cache import TokenCache, file_key, text_key
from trifocal.types import FloatArray, IntArray

__all__ = ["CatalogueFeatures", "FeatureState", "TrainedText", "encode_catalogue", "item_texts"]

# Text backbones that learned from the catalogue: no other machine has them, so that a bundle carries them.
_LEARNED = ("scratch", "static")


@dataclass(frozen=True)
class FeatureState:
    """What was fitted: stored in the bundle, so that online features are the offline ones.

    Attributes:
        attributes: codes of category, attributes and price.
        context: devices and countries seen in training.
        text_width: features of a text token.
        image_width: features of an image token.
        text_layer: of the backbone's layers, where some are trained; else None.
    """

    attributes: AttributeEncoder
    context: ContextVocabulary
    text_width: int
    image_width: int
    text_layer: TextLayerShape | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "attributes": self.attributes.to_json(),
            "context": self.context.to_json(),
            "text_width": self.text_width,
            "image_width": self.image_width,
            "text_layer": None if self.text_layer is None else asdict(self.text_layer),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> FeatureState:
        """Return the state that `to_json` wrote."""
        return cls(
            AttributeEncoder.from_json(state["attributes"]),
            ContextVocabulary.from_json(state["context"]),
            state["text_width"],
            state["image_width"],
            TextLayerShape(**state["text_layer"]) if state.get("text_layer") else None,
        )


@dataclass(frozen=True)
class TrainedText:
    """What is needed of the texts beside their tokens where upper text layers are trained. Stability: internal.

    Attributes:
        backbone: the weights that training starts from.
        last: token cache of the last pre-trained layer, for everything that compares texts.
        token_ids: ids of the tokens, by text key.
    """

    backbone: TextBackbone
    last: TokenCache
    token_ids: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class CatalogueFeatures:
    """The N items of a catalogue, ready for the item tower. Stability: caller.

    Attributes:
        text: token cache of the text source; of its frozen lower layers where the upper ones are trained.
        image: token cache of the image source.
        text_keys: cache key of each item's text; None = the item has no text.
        image_keys: cache key of each item's picture; None = the item has no picture.
        attributes: (N, A) codes.
        grid_cells: image tokens an item.
        trained: what is needed beside where upper text layers are trained, else None.
        text_encoder: folder of the text encoder where it was trained on this catalogue, else None.
        colours: of the pictures, by the same keys as `image`; None = not looked for.
    """

    text: TokenCache
    image: TokenCache
    text_keys: tuple[str | None, ...]
    image_keys: tuple[str | None, ...]
    attributes: IntArray
    grid_cells: int
    trained: TrainedText | None = None
    text_encoder: Path | None = None
    colours: TokenCache | None = None

    def __len__(self) -> int:
        return len(self.text_keys)

    def batch(self, rows: Sequence[int] | IntArray) -> ItemBatch:
        """Return the items at `rows`, each with its own id."""
        texts = [_tokens(self.text, self.text_keys[row], 1) for row in rows]
        images = [_tokens(self.image, self.image_keys[row], self.grid_cells) for row in rows]
        length = max((len(t) for t in texts), default=1)
        text = np.zeros((len(texts), length, self.text.width), dtype=np.float16)
        mask = np.zeros((len(texts), length), dtype=np.bool_)
        for place, (row, tokens) in enumerate(zip(rows, texts, strict=True)):
            text[place, : len(tokens)] = tokens
            mask[place, : len(tokens)] = self.text_keys[row] is not None
        index = np.asarray(rows, dtype=np.int64)
        return ItemBatch(
            text=torch.from_numpy(text),
            text_mask=torch.from_numpy(mask),
            image=torch.from_numpy(np.stack(images)),
            image_mask=torch.tensor([self.image_keys[row] is not None for row in rows]),
            attributes=torch.from_numpy(self.attributes[index]),
            id_codes=torch.from_numpy(index + 1),
            **self._trained_text(index, length),
        )

    def pooled_text(self) -> FloatArray:
        """Return the (N, text width) means of the last layer's text tokens, zero where there is no text."""
        return _pooled(self.text if self.trained is None else self.trained.last, self.text_keys)

    def pooled_image(self) -> FloatArray:
        """Return the (N, image width) means of the image tokens, zero where there is no picture."""
        return _pooled(self.image, self.image_keys)

    def product_colours(self) -> npt.NDArray[np.float16] | None:
        """Return (N, K, 4) CIELAB and share of each picture's colours, zero where there is none; None = not known."""
        if self.colours is None:
            return None
        blank = np.zeros((COLOURS_KEPT, self.colours.width), np.float16)
        return np.stack([blank if key is None else self.colours.tokens(key) for key in self.image_keys])

    def _trained_text(self, rows: IntArray, length: int) -> dict[str, Tensor]:
        if self.trained is None:
            return {}
        keys = [self.text_keys[row] for row in rows]
        token_ids = np.zeros((len(keys), length), dtype=np.int64)
        for place, key in enumerate(keys):
            if key is not None:
                found = self.trained.token_ids[key]
                token_ids[place, : len(found)] = found
        text_mean = torch.from_numpy(_pooled(self.trained.last, keys))
        return {"text_mean": text_mean, "token_ids": torch.from_numpy(token_ids)}


def _tokens(cache: TokenCache, key: str | None, blank_length: int) -> npt.NDArray[np.float16]:
    return np.zeros((blank_length, cache.width), dtype=np.float16) if key is None else cache.tokens(key)


def _pooled(cache: TokenCache, keys: Sequence[str | None]) -> FloatArray:
    blank = np.zeros(cache.width, dtype=np.float32)
    return np.stack([blank if k is None else cache.tokens(k).astype(np.float32).mean(axis=0) for k in keys])


def item_texts(items: pl.DataFrame) -> list[str | None]:
    """Return what the text encoder reads of each item: "title. category. description"; None where all is empty.

    The category path counts as text only beside a title or description: alone it is an attribute.
    """
    texts: list[str | None] = []
    for title, category, description in items.select(c.TITLE, c.CATEGORY, c.DESCRIPTION).iter_rows():
        path = category.replace(c.CATEGORY_SEPARATOR, ", ") if category else None
        own = title or description
        texts.append(". ".join(part for part in (title, path, description) if part) if own else None)
    return texts


def encode_catalogue(
    items: pl.DataFrame,
    image_root: Path,
    attributes: AttributeEncoder,
    config: FeaturesConfig,
    cache_folder: Path,
    *,
    trainable_layers: int = 0,
    text_encoder: Path | None = None,
) -> CatalogueFeatures:
    """Return the features of the canonical item table `items`, encoding what `cache_folder` does not hold yet.

    Args:
        items: the canonical table.
        image_root: folder that the picture names are relative to.
        attributes: fitted to `items`.
        config: encoders and sizes.
        cache_folder: where token features are kept between runs.
        trainable_layers: upper text layers that the item tower trains; tokens are then those of the layer below.
        text_encoder: folder of one that was trained on an earlier catalogue; None = one for this catalogue.

    Raises:
        ConfigError: when the text backbone has no such layers that can be trained.
    """
    texts = item_texts(items)
    own = text_encoder is None
    source = catalogue_text_source(texts, config, cache_folder) if own else stored_text_source(config, text_encoder)
    text = TokenCache(cache_folder, source, batch_size=config.batch_size)
    image = TokenCache(
        cache_folder,
        image_source(config.image_backbone, grid=config.image_grid, size=config.image_size, device=config.device),
        batch_size=config.batch_size,
    )
    text_keys = _encode(text, texts, text_key)
    trained = None
    if trainable_layers:
        if not isinstance(source, TransformerTextSource):
            raise ConfigError(
                f"model.text_trainable_layers = {trainable_layers}, but features.text_backbone = "
                f"{config.text_backbone!r} has no layers; set it to 0 or choose another backbone"
            )
        trained = TrainedText(source.backbone(trainable_layers), text, _token_ids(source, texts, text_keys))
        text = TokenCache(cache_folder, source.lower(trainable_layers), batch_size=config.batch_size)
        _encode(text, texts, text_key)
    paths = [None if name is None else str(image_root / name) for name in items[c.IMAGE]]
    image_keys = _encode(image, paths, file_key)
    colours = TokenCache(cache_folder, ColourSource())
    _encode(colours, paths, dict(zip(paths, image_keys, strict=True)).get)
    cells = config.image_grid * config.image_grid
    encoder = source.folder if config.text_backbone in _LEARNED else None
    return CatalogueFeatures(
        text, image, text_keys, image_keys, attributes.encode(items), cells, trained, encoder, colours
    )


def _token_ids(
    source: TransformerTextSource, texts: Sequence[str | None], keys: Sequence[str | None]
) -> dict[str, list[int]]:
    by_key = {key: text for key, text in zip(keys, texts, strict=True) if key is not None and text is not None}
    return dict(zip(by_key, source.token_ids(list(by_key.values())), strict=True))


def _encode(cache: TokenCache, contents: Sequence[str | None], key: Any) -> tuple[str | None, ...]:
    keys = tuple(None if content is None else str(key(content)) for content in contents)
    present = [(content, k) for content, k in zip(contents, keys, strict=True) if content is not None and k is not None]
    cache.add([content for content, _ in present], [k for _, k in present])
    return keys
