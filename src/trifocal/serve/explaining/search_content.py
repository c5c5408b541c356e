"""What items say and show, as the search compares them: tokens of the last layer, cells of pictures. Loads late.

Where a package is missing there are no tokens or cells; the rest of a search is explained without them.

Letters: T text tokens, W text width, G cells, L width of the pictures' vectors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
import torch

from trifocal.errors import ConfigError
from trifocal.explain.content import CachedSource, CachedTexts, TextEncoder
from trifocal.explain.likeness import CompactParts
from trifocal.explain.words import ItemText, Part, TextReader, words_of
from trifocal.ports import TokenSource
from trifocal.serve.explaining.encoders import BorrowedTexts
from trifocal.serve.picture_search import PictureEncoder
from trifocal.serve.queries import PooledEncoder
from trifocal.types import FloatArray

__all__ = ["ReadText", "SearchContent"]

_LOGGER = logging.getLogger(__name__)

# A list of results, and that of the page before: of each text and picture tokens stay in memory.
_REMEMBERED = 64
_Loaded = TypeVar("_Loaded")


@dataclass(frozen=True)
class ReadText:
    """A text: its words, and its tokens (T, W); None = nothing here tells tokens apart."""

    words: ItemText
    tokens: FloatArray | None


@dataclass(frozen=True)
class _Texts:
    encoder: TextEncoder
    reader: TextReader


class SearchContent:
    """Reads texts and looks at pictures for explanations of searches. Thread-safe. Stability: internal."""

    def __init__(
        self,
        borrow: Callable[[], AbstractContextManager[PooledEncoder]],
        pictures: PictureEncoder,
        cache: Path | None = None,
    ) -> None:
        """Load nothing yet.

        Args:
            borrow: lends the text encoder of the search.
            pictures: encodes pictures for the search.
            cache: folder of token features, as training leaves it, or None.
        """
        self._borrow, self._pictures = borrow, pictures
        self._cache = cache if cache is not None and cache.is_dir() else None
        # Once each, a failure too: what is not installed now is not at the next question.
        self._texts = lru_cache(maxsize=1)(lambda: _or_none(self._load_texts))
        self._images = lru_cache(maxsize=1)(lambda: _or_none(self._load_images))
        self._read = lru_cache(maxsize=_REMEMBERED)(self._read_now)
        self._look = lru_cache(maxsize=_REMEMBERED)(self._look_now)
        self._lock = Lock()

    def text(self, parts: Sequence[tuple[Part, str]], *, tokens: bool) -> ReadText:
        """Return the text of the `parts` joined; without `tokens`, its words only, and nothing is loaded."""
        return self._read(tuple(parts)) if tokens and parts else _plain(parts)

    def looks(self, picture: Path | None) -> FloatArray | None:
        """Return (G, L) what each cell adds to the picture's vector, row after row; None = it cannot be told."""
        return None if picture is None or self._pictures.projection is None else self._look(str(picture))

    def _read_now(self, parts: tuple[tuple[Part, str], ...]) -> ReadText:
        with self._lock:
            texts = self._texts()
        if texts is None:
            return _plain(parts)
        text = ". ".join(said for _, said in parts)
        tokens = np.asarray(texts.encoder.encode([text])[0], dtype=np.float32)
        return ReadText(texts.reader.read(parts, texts.encoder.token_ids([text])[0]), tokens)

    def _look_now(self, path: str) -> FloatArray | None:
        with self._lock:
            images = self._images()
        projection = self._pictures.projection
        if images is None or projection is None:
            return None
        try:
            cells = torch.from_numpy(np.asarray(images.encode([path])[0], dtype=np.float32))
        except (OSError, ValueError, SyntaxError) as error:
            _LOGGER.warning("the picture %s is not explained by its cells, since it cannot be read: %s", path, error)
            return None
        parts = CompactParts.of(cells[None], torch.ones(1, len(cells), dtype=torch.bool), projection)
        found: FloatArray = parts.parts[0].numpy()
        return found

    def _load_texts(self) -> _Texts:
        encoder: TextEncoder = BorrowedTexts(self._borrow)
        reader = TextReader(encoder.folder)
        return _Texts(encoder if self._cache is None else CachedTexts(encoder, self._cache), reader)

    def _load_images(self) -> TokenSource:
        source = self._pictures.source
        return source if self._cache is None else CachedSource(source, self._cache, pictures=True)


def _plain(parts: Sequence[tuple[Part, str]]) -> ReadText:
    words = words_of(parts)
    places = np.zeros(0, dtype=np.int64)
    return ReadText(ItemText(tuple(word for word, _, _ in words), tuple(part for _, part, _ in words), places), None)


def _or_none(load: Callable[[], _Loaded]) -> _Loaded | None:
    try:
        return load()
    except ConfigError as error:
        _LOGGER.warning("searches are explained without a part of their content: %s", error)
        return None
