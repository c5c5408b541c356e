"""A shopper's words -> a query vector, in a bounded cache. Wraps whatever encoder the bundle was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Protocol

import numpy as np

from trifocal.errors import ConfigError
from trifocal.types import FloatArray

__all__ = ["PooledEncoder", "QueryEncoder"]


class PooledEncoder(Protocol):
    """Texts -> (texts, width) means of their token features; what `trifocal.features.text` gives."""

    def pooled(self, contents: list[str]) -> FloatArray:
        """Return one vector a text."""
        ...


class QueryEncoder:
    """Encodes each query once. Stability: internal."""

    def __init__(self, load: Callable[[], PooledEncoder], *, cached: int = 2048) -> None:
        """Take a function that loads the encoder; it is called at the first query, and once.

        Args:
            load: gives the encoder; may raise ConfigError where its packages are missing.
            cached: how many queries are remembered.
        """
        self._load = load
        self._encoder: PooledEncoder | None = None
        self._fault: ConfigError | None = None
        self._lock = Lock()
        self._encode = lru_cache(maxsize=cached)(self._encode_now)

    def vector(self, query: str) -> FloatArray:
        """Return the (text width,) vector of `query`.

        Raises:
            ConfigError: when the encoder's packages are not installed.
        """
        return self._encode(" ".join(query.lower().split()))

    @contextmanager
    def encoder(self) -> Iterator[PooledEncoder]:
        """Give the encoder, to nobody else meanwhile.

        Raises:
            ConfigError: when the encoder's packages are not installed.
        """
        with self._lock:
            yield self._loaded()

    def _encode_now(self, query: str) -> FloatArray:
        # One at a time: the fast tokenizers refuse to be borrowed by two threads.
        with self.encoder() as encoder:
            vector = encoder.pooled([query])[0]
        return np.asarray(vector, dtype=np.float32)

    def _loaded(self) -> PooledEncoder:
        if self._fault is not None:
            raise self._fault
        if self._encoder is None:
            try:
                self._encoder = self._load()
            except ConfigError as error:
                self._fault = error
                raise
        return self._encoder
