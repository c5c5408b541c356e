"""A bundle's encoders as explanations read them: the text encoder that searches as well, token caches where there are.

Letters: G image cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from trifocal.errors import ConfigError
from trifocal.explain.content import CachedSource, CachedTexts, Encoders
from trifocal.model import TwoStageRecommender
from trifocal.ports import TokenSource
from trifocal.serve.queries import PooledEncoder
from trifocal.types import FloatArray

__all__ = ["BorrowedTexts", "encoders_of"]

_Borrow = Callable[[], AbstractContextManager[PooledEncoder]]


class _Texts(PooledEncoder, TokenSource, Protocol):
    """What a text encoder of the package can beside pooling."""

    @property
    def folder(self) -> Path: ...

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]: ...

    def lower(self, trainable_layers: int) -> TokenSource: ...


class BorrowedTexts:
    """The text encoder of the search as a `TextEncoder`: one in memory, and never used by two at a time.

    Stability: internal.
    """

    def __init__(self, borrow: _Borrow, source: TokenSource | None = None) -> None:
        """Take what lends the encoder, and what encodes in its stead while it is lent; None = itself.

        Raises:
            ConfigError: when its packages are not installed, or it does not tell tokens apart.
        """
        self._borrow, self._source = borrow, source
        with borrow() as lent:
            texts = _texts(lent)
            mine = source or texts
            self.name, self.width, self.fingerprint = mine.name, mine.width, mine.fingerprint
            self.folder = texts.folder

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """See `TokenSource`."""
        with self._borrow() as lent:
            return (self._source or _texts(lent)).encode(contents)

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        """See `TextEncoder`."""
        with self._borrow() as lent:
            return _texts(lent).token_ids(contents)


def encoders_of(
    recommender: TwoStageRecommender,
    borrow: _Borrow,
    images: Callable[[], TokenSource],
    *,
    widths: tuple[int, int],
    trained_layers: int,
    cache: Path | None,
) -> Encoders:
    """Return what reads and looks for `recommender`.

    Args:
        recommender: says which modalities count.
        borrow: lends the text encoder.
        images: loads the image encoder.
        widths: features of a text token and of an image cell.
        trained_layers: upper text layers that the item tower trained.
        cache: folder of token features, as training leaves it, or None.

    Raises:
        ConfigError: when a package is not installed, or `cache` is no folder.
    """
    if cache is not None and not cache.is_dir():
        raise ConfigError(
            f"serve.explain_features is {str(cache)!r}, which is no folder; name the `--cache` of `trifocal train`, "
            "or leave it empty"
        )
    tower = recommender.model.item_tower
    texts = BorrowedTexts(borrow) if tower.uses_text else None
    lower: TokenSource | None = None
    if texts is not None and trained_layers:
        with borrow() as lent:
            source = _texts(lent).lower(trained_layers)
        lower = BorrowedTexts(borrow, source)
    image = images() if tower.uses_image else None
    if cache is None:
        return Encoders(texts, image, *widths, len(tower.image_place), lower)
    return Encoders(
        texts and CachedTexts(texts, cache),
        image and CachedSource(image, cache, pictures=True),
        *widths,
        len(tower.image_place),
        lower and CachedSource(lower, cache, pictures=False),
    )


def _texts(lent: PooledEncoder) -> _Texts:
    missing = [name for name in ("folder", "token_ids", "encode", "lower") if not hasattr(lent, name)]
    if missing:
        raise ConfigError(
            f"a text encoder of the class {type(lent).__name__} has no {missing[0]}, so that its words cannot be "
            "explained; serve with the encoder of the bundle"
        )
    found: _Texts = lent  # type: ignore[assignment]  # as just looked up
    return found
