"""What items say and show, as the model reads it: encoded on demand, the newest kept in memory. Knows no bundle.

```
row ─► Described ─► text ─► tokens (T, W), words ─┐
                 └► picture ─► cells (G, W) ──────┴─► ItemBatch
```

Letters: K items, T text tokens, G image cells, A attributes, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from trifocal import columns as c
from trifocal.batch import ItemBatch
from trifocal.errors import DataError
from trifocal.explain.words import ItemText, Part, TextReader, text_parts
from trifocal.features.product_colours import colour_names
from trifocal.features.token_cache import TokenCache, file_key, text_key
from trifocal.ports import TokenSource
from trifocal.types import FloatArray, IntArray

__all__ = [
    "CachedSource",
    "CachedTexts",
    "Described",
    "EncodedContent",
    "Encoders",
    "ItemContent",
    "TextEncoder",
    "described_items",
]

_Tokens = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Described:
    """One item, as it stands in the catalogue.

    Attributes:
        title, category, description: its text; the category is a path, `columns.CATEGORY_SEPARATOR` between levels.
        picture: its file, or None.
        attributes: (A,) int64 codes, price last.
        id_code: its row in the id table plus 1; 0 = the model learned no id of it.
    """

    title: str | None
    category: str | None
    description: str | None
    picture: Path | None
    attributes: IntArray
    id_code: int


class ItemContent(Protocol):
    """Content of items by row. Safe to use from several threads. Stability: caller."""

    def batch(self, item_rows: IntArray) -> ItemBatch:
        """Return the K items as the item tower reads them, with float32 features and their own ids."""
        ...

    def text(self, item_row: int) -> ItemText | None:
        """Return the words of the item, with the tokens of its row in `batch`; None = no text."""
        ...

    def title(self, item_row: int) -> str | None:
        """Return the title of the item, or None."""
        ...

    def category(self, item_row: int) -> str | None:
        """Return the category path of the item, or None."""
        ...

    def colours(self, item_row: int) -> tuple[str, ...]:
        """Return the names of the colours that the item's picture shows most; empty = no picture."""
        ...


class TextEncoder(TokenSource, Protocol):
    """A token source of texts, whose tokenizer lies in a folder; every text encoder of the package is one."""

    @property
    def folder(self) -> Path:
        """Where the tokenizer lies."""
        ...

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        """Return for each text the ids of its tokens, as `encode` cuts them."""
        ...


@dataclass(frozen=True)
class Encoders:
    """What reads and looks. `None` = the model does not use this modality, so that it counts as missing.

    Attributes:
        text: of the last pre-trained layer.
        image: of pictures.
        text_width, image_width: features a token.
        cells: G, image tokens an item.
        lower: the text encoder without the upper layers that the item tower trained; None = it trained none.
    """

    text: TextEncoder | None
    image: TokenSource | None
    text_width: int
    image_width: int
    cells: int
    lower: TokenSource | None = None


class CachedSource:
    """A text or image encoder that looks into a token cache first. Stability: caller."""

    def __init__(self, source: TokenSource, folder: Path, *, pictures: bool) -> None:
        """Open the cache of `source` under `folder`; with `pictures`, contents are files and not texts."""
        self._source, self._key = source, file_key if pictures else text_key
        self._cache = TokenCache(folder, source)
        self.name, self.width, self.fingerprint = source.name, source.width, source.fingerprint

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """See `TokenSource`; what the cache does not hold is encoded, and not added."""
        return [self._one(content) for content in contents]

    def _one(self, content: str) -> FloatArray:
        key = self._key(content)
        if key in self._cache:
            return self._cache.tokens(key).astype(np.float32)
        return self._source.encode([content])[0]


class CachedTexts:
    """A text encoder that looks into a token cache first. Stability: caller."""

    def __init__(self, source: TextEncoder, folder: Path) -> None:
        """Open the cache of `source` under `folder`."""
        self._source, self._cached = source, CachedSource(source, folder, pictures=False)
        self.name, self.width, self.fingerprint = source.name, source.width, source.fingerprint
        self.folder = source.folder

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """See `TokenSource`."""
        return self._cached.encode(contents)

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        """See `TextEncoder`."""
        return self._source.token_ids(contents)


class EncodedContent:
    """`ItemContent` of described items: encodes what is asked for, and keeps the newest. Stability: caller.

    Args:
        described: row -> the item as it stands now; may change between calls.
        encoders: as the model was trained with.
        remembered: texts, and as many pictures, whose tokens stay in memory.
    """

    def __init__(self, described: Callable[[int], Described], encoders: Encoders, *, remembered: int = 2000) -> None:
        self._described, self._encoders = described, encoders
        self._reader = None if encoders.text is None else TextReader(encoders.text.folder)
        # One at a time: the fast tokenizers refuse to be borrowed by two threads.
        self._lock = Lock()
        # By content, not by row: an item that was changed is read anew.
        self._text = lru_cache(maxsize=remembered)(self._text_now)
        self._picture = lru_cache(maxsize=remembered)(self._picture_now)
        self._colours = lru_cache(maxsize=remembered)(colour_names)

    def batch(self, item_rows: IntArray) -> ItemBatch:
        """See `ItemContent`."""
        items = [self._described(row) for row in item_rows.tolist()]
        texts = [self._text_of(item) for item in items]
        cells = [self._cells_of(item) for item in items]
        tokens, mask = _padded([None if text is None else text.tokens for text in texts], self._encoders.text_width)
        blank = np.zeros((self._encoders.cells, self._encoders.image_width), np.float16)
        return ItemBatch(
            text=tokens,
            text_mask=mask,
            image=torch.from_numpy(np.stack([blank if found is None else found for found in cells])).float(),
            image_mask=torch.tensor([found is not None for found in cells]),
            attributes=torch.from_numpy(np.stack([item.attributes for item in items]).astype(np.int64)),
            id_codes=torch.tensor([item.id_code for item in items], dtype=torch.int64),
            text_mean=self._text_means(texts),
        )

    def text(self, item_row: int) -> ItemText | None:
        """See `ItemContent`."""
        found = self._text_of(self._described(item_row))
        return None if found is None else found.words

    def title(self, item_row: int) -> str | None:
        """See `ItemContent`."""
        return self._described(item_row).title

    def category(self, item_row: int) -> str | None:
        """See `ItemContent`."""
        return self._described(item_row).category

    def colours(self, item_row: int) -> tuple[str, ...]:
        """See `ItemContent`."""
        picture = self._described(item_row).picture
        return () if picture is None else self._colours(str(picture))

    def _text_of(self, item: Described) -> _Read | None:
        parts = text_parts(item.title, item.category, item.description)
        return self._text(tuple(parts)) if parts and self._reader is not None else None

    def _cells_of(self, item: Described) -> _Tokens | None:
        if item.picture is None or self._encoders.image is None:
            return None
        return self._picture(str(item.picture))

    def _text_now(self, parts: tuple[tuple[Part, str], ...]) -> _Read:
        source, reader = self._encoders.text, self._reader
        if source is None or reader is None:
            raise DataError("the model reads no texts, but one was given to be read; give encoders with a text encoder")
        text = ". ".join(said for _, said in parts)
        with self._lock:
            last = source.encode([text])[0].astype(np.float16)
            lower = last if self._encoders.lower is None else self._encoders.lower.encode([text])[0].astype(np.float16)
            token_ids = source.token_ids([text])[0]
        return _Read(lower, last.astype(np.float32).mean(axis=0), reader.read(parts, token_ids))

    def _picture_now(self, path: str) -> _Tokens:
        source = self._encoders.image
        if source is None:
            raise DataError(f"the model sees no pictures, but {path} was given; give encoders with an image encoder")
        try:
            cells: _Tokens = source.encode([path])[0].astype(np.float16)
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"the picture {path} cannot be read ({error}); put a whole file in its place") from error
        return cells

    def _text_means(self, texts: Sequence[_Read | None]) -> Tensor | None:
        """(K, W) of the last pre-trained layer, where the tokens are of a lower one."""
        if self._encoders.lower is None:
            return None
        blank = np.zeros(self._encoders.text_width, np.float32)
        return torch.from_numpy(np.stack([blank if text is None else text.mean for text in texts]))


def described_items(
    items: pl.DataFrame, image_root: Path, attributes: IntArray, *, known: int
) -> Callable[[int], Described]:
    """Return what describes the rows of a catalogue that does not change.

    Args:
        items: canonical item table of N rows.
        image_root: what its pictures are relative to; a picture that is not there counts as missing.
        attributes: (N, A) codes, as the evidence tables hold them.
        known: rows of the model's id table.
    """
    columns = [_texts(items, name) for name in (c.TITLE, c.CATEGORY, c.DESCRIPTION, c.IMAGE)]

    def described(row: int) -> Described:
        title, category, description, image = (column[row] for column in columns)
        picture = None if image is None else image_root / image
        present = picture is not None and picture.is_file()
        code = row + 1 if row < known else 0
        return Described(title, category, description, picture if present else None, attributes[row], code)

    return described


@dataclass(frozen=True)
class _Read:
    """A text: its tokens (T, W), their mean in the last layer (W,), its words."""

    tokens: _Tokens
    mean: FloatArray
    words: ItemText


def _padded(texts: Sequence[_Tokens | None], width: int) -> tuple[Tensor, Tensor]:
    """(K, T, W) float32 and (K, T) bool; a missing text has no token."""
    length = max((len(text) for text in texts if text is not None), default=1)
    tokens = np.zeros((len(texts), length, width), np.float32)
    mask = np.zeros((len(texts), length), np.bool_)
    for place, text in enumerate(texts):
        if text is not None:
            tokens[place, : len(text)], mask[place, : len(text)] = text, True
    return torch.from_numpy(tokens), torch.from_numpy(mask)


def _texts(items: pl.DataFrame, name: str) -> list[str | None]:
    return items[name].to_list() if name in items.columns else [None] * items.height
