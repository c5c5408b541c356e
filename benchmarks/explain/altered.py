"""Items with words taken out of their text and cells hidden in their picture, encoded anew.

Words are really taken out before the encoder reads, and cells painted over before it looks, so that nothing of what
the explanation was computed from is assumed. `with_features` takes the cells' features instead: what the explanation
speaks of, since a cell of the feature map has looked at more than its own part of the picture.

Letters: V variants of one item, P words or cells, T text tokens, G image cells.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from trifocal.batch import ItemBatch
from trifocal.explain.content import Encoders
from trifocal.explain.words import ItemText
from trifocal.features.image import load_picture
from trifocal.ports import TokenSource
from trifocal.types import BoolArray, FloatArray

__all__ = ["said", "with_cells", "with_features", "with_words"]

# As large as the largest encoder of the package looks at.
_SIDE = 260
# Products are shown on light ground, and the encoder pads with it: where it is white, there is nothing.
_NOTHING = (255, 255, 255)


def said(text: ItemText, kept: BoolArray) -> str:
    """Return the words of `text` that are `kept` (P,), its parts joined by full stops as they were.

    >>> words = ItemText(("Red", "shoe", "It", "fits"), ("title", "title", "description", "description"), np.zeros(0))
    >>> said(words, np.array([True, True, False, True])), said(words, np.zeros(4, bool))
    ('Red shoe. fits', '')
    """
    parts: dict[str, list[str]] = {}
    for word, part, wanted in zip(text.words, text.parts, kept, strict=True):
        if wanted:
            parts.setdefault(part, []).append(word)
    return ". ".join(" ".join(words) for words in parts.values())


def with_words(item: ItemBatch, text: ItemText, kept: BoolArray, encoders: Encoders) -> ItemBatch:
    """Return the one `item` V times, with the words that `kept` (V, P) names."""
    if encoders.text is None:
        return item
    texts = [said(text, row) for row in kept]
    last = _encoded(encoders.text, texts)
    read = last if encoders.lower is None else _encoded(encoders.lower, texts)
    length = max(max(map(len, read)), 1)
    tokens, mask = torch.zeros(len(texts), length, encoders.text_width), torch.zeros(len(texts), length).bool()
    for place, found in enumerate(read):
        if texts[place]:
            tokens[place, : len(found)], mask[place, : len(found)] = torch.from_numpy(found), True
    means = torch.stack([torch.from_numpy(found).mean(dim=0) for found in last])
    return replace(
        _times(item, len(texts)),
        text=tokens,
        text_mask=mask,
        text_mean=None if encoders.lower is None else means * mask.any(dim=1)[:, None],
    )


def with_cells(item: ItemBatch, picture: Path, kept: BoolArray, encoders: Encoders) -> ItemBatch:
    """Return the one `item` V times, the cells of its picture that `kept` (V, P) does not name painted over."""
    if encoders.image is None:
        return item
    whole = load_picture(str(picture), _SIDE)
    with tempfile.TemporaryDirectory(prefix="trifocal-") as folder:
        paths = [Path(folder) / f"{place}.png" for place in range(len(kept))]
        for path, row in zip(paths, kept, strict=True):
            _painted(whole, row).save(path)
        cells = np.stack([np.asarray(found, np.float32) for found in encoders.image.encode([str(p) for p in paths])])
    return replace(_times(item, len(kept)), image=torch.from_numpy(cells))


def with_features(item: ItemBatch, kept: BoolArray, neutral: Tensor) -> ItemBatch:
    """Return the one `item` V times, cells that `kept` (V, P) does not name with the features `neutral` (width,)."""
    there = torch.from_numpy(kept)[..., None]
    return replace(_times(item, len(kept)), image=torch.where(there, item.image, neutral))


def _painted(whole: Image.Image, kept: BoolArray) -> Image.Image:
    side = math.isqrt(len(kept))
    edges = [round(place * _SIDE / side) for place in range(side + 1)]
    found = whole.copy()
    for cell in np.flatnonzero(~kept).tolist():
        line, column = divmod(cell, side)
        found.paste(_NOTHING, (edges[column], edges[line], edges[column + 1], edges[line + 1]))
    return found


def _encoded(source: TokenSource, texts: Sequence[str]) -> list[FloatArray]:
    return [np.asarray(found, np.float32) for found in source.encode(list(texts))]


def _times(item: ItemBatch, count: int) -> ItemBatch:
    def repeated(tensor: Tensor) -> Tensor:
        return tensor.expand(count, *tensor.shape[1:])

    return ItemBatch(
        text=repeated(item.text),
        text_mask=repeated(item.text_mask),
        image=repeated(item.image),
        image_mask=repeated(item.image_mask),
        attributes=repeated(item.attributes),
        id_codes=repeated(item.id_codes),
        text_mean=None if item.text_mean is None else repeated(item.text_mean),
    )
