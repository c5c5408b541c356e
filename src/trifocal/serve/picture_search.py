"""Search by a picture, by words, or by both. Sync; knows no HTTP.

```
picture ─► encoder ─► cosine to the items' pictures ─┐
words ───► `TextSearch` ─► cosine to their texts ────┴─► weighted sum of standard scores ─► best K
```

Letters: N items, S compact size.
"""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image, UnidentifiedImageError

from trifocal.errors import ConfigError, ServingError
from trifocal.features.compact import CompactProjection
from trifocal.index import GrowingRows
from trifocal.ports import TokenSource
from trifocal.ranking import top_k
from trifocal.serve.asks import Answer, Filters, Reason, ScoredItem
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.rungs import Rung
from trifocal.serve.search import TextSearch
from trifocal.serve.search_parts.apart import PictureApart
from trifocal.serve.stages import Stopwatch
from trifocal.serve.statuses import UnavailableError
from trifocal.types import BoolArray, FloatArray, FloatRows, IntArray, Rankings

__all__ = ["PictureEncoder", "PictureSearch", "SearchAsk"]

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# Three bytes a pixel once it is unpacked: a small file may hold a picture that fills the memory.
_MOST_PIXELS = 50_000_000
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class SearchAsk:
    """One search: words, a picture, or both.

    Attributes:
        picture: the bytes of a JPEG, PNG, GIF or WebP file.
        picture_weight: share of the picture where both are given, 0..1.
    """

    words: str | None = None
    picture: bytes | None = field(default=None, repr=False)
    k: int = 10
    filters: Filters = field(default_factory=Filters)
    picture_weight: float = 0.5


class PictureEncoder:
    """A picture -> a vector that can be compared with those of the items. Loads late. Stability: internal."""

    def __init__(self, load: Callable[[], TokenSource], projection: CompactProjection | None) -> None:
        """Take a function that loads the encoder; it is called at the first picture, and once.

        Args:
            load: gives the encoder; may raise ConfigError where its packages are missing.
            projection: that the items' vectors were made with, or None = the bundle holds none.
        """
        self._load, self._projection = load, projection
        self._source: TokenSource | None = None
        self._fault: ConfigError | None = None
        self._lock = Lock()

    def vector(self, picture: bytes) -> FloatArray:
        """Return the (S,) vector of the file `picture`.

        Raises:
            ServingError: when the bytes are no picture, or one of too many pixels.
            ConfigError: when the encoder's packages are not installed, or the bundle cannot compare pictures.
        """
        check_picture(picture)
        if self._projection is None:
            raise ConfigError(
                "this bundle does not compare pictures: its model does not look at them, or it was trained by an older "
                "version; train with the image modality and export again"
            )
        with self._lock:
            source = self._loaded()
        with tempfile.TemporaryDirectory(prefix="trifocal-") as folder:
            path = Path(folder) / "picture"
            path.write_bytes(picture)
            try:
                tokens = source.encode([str(path)])[0]
            except (OSError, ValueError, SyntaxError) as error:
                raise ServingError(f"the picture cannot be read ({error}); send a whole file") from error
        pooled = np.asarray(tokens, dtype=np.float32).mean(axis=0, keepdims=True)
        found: FloatArray = self._projection.vectors(pooled)[0]
        return found

    @property
    def projection(self) -> CompactProjection | None:
        """What makes cells comparable with the items' vectors; None = the bundle holds none."""
        return self._projection

    @property
    def source(self) -> TokenSource:
        """The encoder, loaded. Raises ConfigError when its packages are not installed."""
        with self._lock:
            return self._loaded()

    def _loaded(self) -> TokenSource:
        if self._fault is not None:
            raise self._fault
        if self._source is None:
            try:
                self._source = self._load()
            except ConfigError as error:
                self._fault = error
                raise
        return self._source


def check_picture(picture: bytes) -> None:
    """Pass what begins as a picture of a bearable size; nothing is unpacked.

    Raises:
        ServingError: when it is none.
    """
    try:
        with warnings.catch_warnings():
            # The bound is ours, and an error.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(picture), formats=_FORMATS) as found:
                width, height = found.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        what = f"{len(picture):,} bytes are no picture that can be read"
        raise ServingError(f"{what} ({type(error).__name__}); send a file of {', '.join(_FORMATS)}") from None
    if width * height > _MOST_PIXELS:
        raise ServingError(
            f"the picture has {width:,} x {height:,} pixels, the limit is {_MOST_PIXELS:,} in all; send a smaller one"
        )


@dataclass(frozen=True)
class _Question:
    ask: SearchAsk
    look: FloatArray
    exclude: IntArray


class PictureSearch:
    """Items that look like a picture, and fit some words. Stability: caller."""

    def __init__(
        self,
        *,
        looks: FloatRows,
        pictures: PictureEncoder,
        texts: TextSearch,
        catalogue: Catalogue,
        model_version: str,
        variant: str = "main",
    ) -> None:
        """Join both searches.

        Args:
            looks: (N, S) compact unit vectors of the items' pictures; zero = no picture. An array, or `GrowingRows`.
            pictures: encodes.
            texts: searches by words.
            catalogue: cards and filters.
            model_version: as answers say it.
            variant: as answers say it.
        """
        self._looks = GrowingRows.of(looks)
        self._pictures, self._texts, self._catalogue = pictures, texts, catalogue
        self._model_version, self._variant = model_version, variant
        self._rung = Rung("picture", self._by_picture)

    @property
    def looks(self) -> GrowingRows:
        """(N, S) compact unit vectors of the items' pictures."""
        return self._looks

    def with_looks(self, looks: FloatRows, texts: TextSearch, catalogue: Catalogue) -> PictureSearch:
        """Return the search over other items, with the same encoder; this one stays as it is."""
        return PictureSearch(
            looks=looks,
            pictures=self._pictures,
            texts=texts,
            catalogue=catalogue,
            model_version=self._model_version,
            variant=self._variant,
        )

    def search(self, ask: SearchAsk) -> Answer:
        """Return the items that fit best; items that are sold out or filtered out never.

        Raises:
            ServingError: when there is nothing to look for, or the picture is none.
            ConfigError: when pictures cannot be compared here, and there are no words beside.
            UnavailableError: when no rung could answer.
        """
        words = (ask.words or "").strip()
        if ask.picture is None:
            if not words:
                raise ServingError("the search is empty; send words, a picture, or both")
            return self._by_words(ask, ())
        watch = Stopwatch()
        try:
            with watch.stage("encode"):
                look = self._pictures.vector(ask.picture)
        except ConfigError as error:
            if not words:
                raise
            return self._by_words(ask, (f"the picture was ignored: {error}",))
        with watch.stage("exclude"):
            exclude = self._catalogue.barred_rows(ask.filters)
        with watch.stage("rank"):
            ranking = self._rung.attempt(_Question(ask, look, exclude), ask.k)
        if ranking is None:
            if words:
                return self._by_words(ask, ("the picture was ignored: comparing it failed, the log says why",))
            raise UnavailableError("pictures could not be compared; the log of the server says why")
        with watch.stage("answer"):
            items = self._scored(ranking)
        return Answer(items, "picture", self._model_version, watch.stages_ms, variant=self._variant)

    @cached_property
    def _pictured(self) -> BoolArray:
        """(N,) whether an item has a picture; read in parts, since the table may be large."""
        count = len(self._looks)
        parts = [np.arange(start, min(start + _ROWS_AT_ONCE, count)) for start in range(0, count, _ROWS_AT_ONCE)]
        found: BoolArray = np.concatenate([self._looks[rows].any(axis=1) for rows in parts])
        return found

    def _by_words(self, ask: SearchAsk, notes: tuple[str, ...]) -> Answer:
        answer = self._texts.search(ask.words or "", ask.k, ask.filters)
        items = tuple(replace(item, reason=Reason("query")) for item in answer.items)
        return replace(answer, items=items, notes=answer.notes + notes, variant=self._variant)

    def _by_picture(self, question: _Question, k: int) -> Rankings:
        ask = question.ask
        alike = self._looks.products(question.look)
        pictured = self._pictured
        if not (ask.words or "").strip():
            return top_k(np.where(pictured, alike, -np.inf).astype(np.float32)[None], k, exclude=[question.exclude])
        fits = self._texts.similarities(ask.words or "")
        weight = np.float32(ask.picture_weight)
        scores = weight * _standard(alike, pictured) + (1 - weight) * _standard(fits, np.isfinite(fits))
        return top_k(scores[None], k, exclude=[question.exclude])

    def taken_apart(self, ask: SearchAsk, rows: IntArray) -> PictureApart:
        """Return how the scores of the items in `rows` (K,) come about, for a picture and perhaps words.

        Raises:
            ServingError: when the picture is none.
            ConfigError: when pictures cannot be compared here.
        """
        look = self._pictures.vector(ask.picture or b"")
        alike, pictured = self._looks.products(look), self._pictured[rows]
        none = np.zeros(len(rows), np.float32)
        if not (ask.words or "").strip():
            return PictureApart(alike[rows], none, 0.0, look, np.where(pictured, alike[rows], 0), none)
        fits = self._texts.similarities(ask.words or "")
        found = np.isfinite(fits)
        mean, deviation = _spread(alike, self._pictured)
        words_mean, words_deviation = _spread(fits, found)
        weight = np.float32(ask.picture_weight / deviation)
        words = np.where(found[rows], np.float32((1 - ask.picture_weight) / words_deviation), none)
        likeness, middle = np.where(pictured, weight * alike[rows], none), np.where(pictured, weight * mean, none)
        of_words = words * np.where(found[rows], fits[rows] - words_mean, none)
        return PictureApart(of_words + likeness - middle, words, words_mean, weight * look, likeness, middle)

    def _scored(self, ranking: Rankings) -> tuple[ScoredItem, ...]:
        pairs = zip(ranking.item_rows[0].tolist(), ranking.scores[0].tolist(), strict=True)
        return tuple(ScoredItem(self._catalogue.card(row), score, Reason("query")) for row, score in pairs if row >= 0)


def _standard(values: FloatArray, present: BoolArray) -> FloatArray:
    """Return `values` (N,) with mean 0 and deviation 1 over those `present`; 0 = the mean for the others.

    >>> _standard(np.array([1, 3, 9], np.float32), np.array([True, True, False])).tolist()
    [-1.0, 1.0, 0.0]
    """
    mean, deviation = _spread(values, present)
    return np.where(present, (values - np.float32(mean)) / np.float32(deviation), np.float32(0)).astype(np.float32)


def _spread(values: FloatArray, present: BoolArray) -> tuple[float, float]:
    """Return mean and deviation of the `values` (N,) that are `present`."""
    known = values[present]
    return (float(known.mean()), max(float(known.std()), 1e-6)) if len(known) else (0.0, 1.0)
