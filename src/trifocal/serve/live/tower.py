"""The item tower as it was trained, for one item at a time; see `trifocal.serve.live.encoder`.

Letters: T text tokens, G image cells, W text width, S compact size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from trifocal.batch import ItemBatch
from trifocal.bundle import Bundle
from trifocal.bundle.network import load_compact, load_recommender
from trifocal.errors import ConfigError, ServingError
from trifocal.features.compact import CompactProjection
from trifocal.features.items import FeatureState, item_texts
from trifocal.features.product_colours import dominant_colours, packed
from trifocal.index import normalised
from trifocal.model import TwoStageRecommender
from trifocal.ports import StoredItem, TokenSource
from trifocal.serve.live.encoder import item_frame
from trifocal.serve.online import ItemFeatures
from trifocal.serve.queries import QueryEncoder
from trifocal.types import AnyFloats, FloatArray

__all__ = ["TowerItemEncoder"]

# Keeps the least squares solvable where features repeat one another.
# Items that a projection is recovered from: many times its numbers.
_RECOVERED_MOST = 50_000
_RIDGE = 1e-4
_Tokens = npt.NDArray[np.float16]


class _TextTokens(Protocol):
    """What the tower needs of a text encoder beside pooled texts."""

    def encode(self, contents: Sequence[str]) -> list[FloatArray]: ...

    def lower(self, trainable_layers: int) -> TokenSource: ...


class TowerItemEncoder:
    """Encodes an item as training does; one at a time. Stability: internal."""

    def __init__(self, bundle: Bundle, queries: QueryEncoder, images: Callable[[], TokenSource]) -> None:
        """Load the tower.

        Raises:
            ArtifactError: when the bundle's weights do not fit its config.
            ConfigError: when the bundle holds no item tower.
        """
        recommender = load_recommender(bundle)
        if not isinstance(recommender, TwoStageRecommender):
            raise ConfigError(f"{bundle.folder} holds no item tower; its items cannot be encoded")
        self._tower = recommender.model.item_tower.eval()
        self._state = FeatureState.from_json(bundle.contents.feature_state)
        self._layers = int(bundle.contents.config["model"]["text_trainable_layers"])
        self._cells = len(self._tower.image_place)
        tables = recommender.knowledge.evidence
        self._sizes = [_width(tables.text), _width(tables.image)]
        text, image = (load_compact(bundle, modality) for modality in ("text", "image"))
        if text is None:
            text = _recovered(bundle.contents.text_vectors, np.asarray(tables.text))
        self._compact = [text, image]
        self._queries, self._load_images = queries, images
        self._images: TokenSource | None = None
        self._lower: TokenSource | None = None

    def encode(self, item: StoredItem, picture: Path | None, row: int | None) -> ItemFeatures:
        """See `ItemEncoder`."""
        frame = item_frame(item)
        lower, last = self._text(item_texts(frame)[0])
        cells = None if picture is None else self._picture(picture)
        attributes = self._state.attributes.encode(frame)[0]
        batch = self._batch(lower, last, cells, attributes, 0 if row is None else row + 1)
        tower = self._tower
        with torch.inference_mode():
            vector = tower.vectors(tower.content(batch), tower.pooled(batch), batch.attributes, batch.id_codes)[0]
        text, image = _mean(last, self._state.text_width), _mean(cells, self._state.image_width)
        compact_text, compact_image = (
            np.zeros(size, np.float32) if projection is None else projection.vectors(pooled[None])[0]
            for projection, pooled, size in zip(self._compact, (text, image), self._sizes, strict=True)
        )
        return ItemFeatures(vector.numpy(), text, compact_text, compact_image, attributes, _colours(picture))

    def warm_up(self) -> None:
        """See `ItemEncoder`."""
        self._image_source()

    def _text(self, text: str | None) -> tuple[_Tokens | None, _Tokens | None]:
        """Tokens (T, W) that the tower reads, and those of the last layer; in half precision, as they are kept."""
        if text is None:
            return None, None
        with self._queries.encoder() as encoder:
            source = _text_tokens(encoder)
            last = source.encode([text])[0].astype(np.float16)
            if not self._layers:
                return last, last
            if self._lower is None:
                self._lower = source.lower(self._layers)
            return self._lower.encode([text])[0].astype(np.float16), last

    def _picture(self, picture: Path) -> _Tokens:
        """(G, image width)."""
        try:
            return self._image_source().encode([str(picture)])[0].astype(np.float16)
        except (OSError, ValueError, SyntaxError) as error:
            raise ServingError(f"the picture cannot be read ({error}); send a whole file") from error

    def _image_source(self) -> TokenSource:
        if self._images is None:
            self._images = self._load_images()
        return self._images

    def _batch(
        self,
        tokens: _Tokens | None,
        last: _Tokens | None,
        cells: _Tokens | None,
        attributes: npt.NDArray[np.int64],
        id_code: int,
    ) -> ItemBatch:
        text = np.zeros((1, self._state.text_width), np.float16) if tokens is None else tokens
        image = np.zeros((self._cells, self._state.image_width), np.float16) if cells is None else cells
        mean = torch.from_numpy(_mean(last, self._state.text_width))[None] if self._layers else None
        return ItemBatch(
            text=torch.from_numpy(text.astype(np.float32))[None],
            text_mask=torch.full((1, len(text)), tokens is not None),
            image=torch.from_numpy(image.astype(np.float32))[None],
            image_mask=torch.tensor([cells is not None]),
            attributes=torch.from_numpy(attributes)[None],
            id_codes=torch.tensor([id_code]),
            text_mean=mean,
        )


def _text_tokens(encoder: object) -> _TextTokens:
    if not (hasattr(encoder, "encode") and hasattr(encoder, "lower")):
        raise ConfigError(f"a text encoder of the class {type(encoder).__name__} gives no tokens for the item tower")
    found: _TextTokens = encoder
    return found


def _colours(picture: Path | None) -> FloatArray:
    """(K, 4), or nothing where there is no picture; it has been read by now."""
    if picture is None:
        return np.zeros((0, 4), np.float32)
    return packed(dominant_colours(picture)).astype(np.float32)


def _mean(tokens: _Tokens | None, width: int) -> FloatArray:
    if tokens is None:
        return np.zeros(width, np.float32)
    found: FloatArray = tokens.astype(np.float32).mean(axis=0)
    return found


def _width(table: object) -> int:
    found: int = np.asarray(table).shape[1]
    return found


def _recovered(table: AnyFloats, compact: FloatArray) -> CompactProjection | None:
    """The projection that made `compact` (N, S) of `table` (N, W), nearly, by least squares; None = nothing did.

    For bundles that were written before projections were kept; of pictures they hold no features to recover one from.
    """
    some = slice(None, None, -(-len(table) // _RECOVERED_MOST))
    features, compact = table[some].astype(np.float32), compact[some]
    present = np.abs(features).any(axis=1) & np.abs(compact).any(axis=1)
    if not present.any():
        return None
    mean: FloatArray = features[present].mean(axis=0)
    centred = normalised(features[present] - mean)
    gram = centred.T @ centred
    gram[np.diag_indices(len(gram))] += _RIDGE * float(np.trace(gram)) / len(gram)
    return CompactProjection(mean, np.linalg.solve(gram, centred.T @ compact[present]).astype(np.float32))
