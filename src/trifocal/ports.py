"""The Protocols that stages meet at. No implementation, no file, no network.

Every Protocol has one shared test suite in `tests/contracts/`, which each implementation runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trifocal.types import FloatArray, IntArray, Rankings, Request

__all__ = ["EventStore", "Index", "MutableIndex", "Recommender", "StoredEvent", "TokenSource", "Validator"]


class Recommender(Protocol):
    """Anything that ranks the catalogue for a request: a baseline, the model, the served pipeline. Stability: full."""

    @property
    def name(self) -> str:
        """Short name, as it stands in tables: `trifocal`, `als` ..."""
        ...

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request, never one that the request excludes."""
        ...


class Index(Protocol):
    """Vectors -> nearest items by inner product. Stability: caller."""

    def search(self, vectors: FloatArray, k: int, *, exclude: Sequence[IntArray] = ()) -> Rankings:
        """Return the `k` items of greatest inner product with each of `vectors` (B, D), never an excluded one."""
        ...

    def __len__(self) -> int: ...


class MutableIndex(Index, Protocol):
    """An index that changes while it is searched: a search sees it before or after a change. Stability: caller."""

    def add(self, vectors: FloatArray) -> IntArray:
        """Append the items of `vectors` (M, D) and return their new rows, in order."""
        ...

    def replace(self, row: int, vector: FloatArray) -> None:
        """Give the item of `row` another vector (D,); a removed one is there again."""
        ...

    def remove(self, rows: IntArray) -> None:
        """Answer with none of `rows` from now on; other rows keep their number."""
        ...


class TokenSource(Protocol):
    """A frozen encoder: raw content -> a sequence of token features. Text, picture, later audio. Stability: caller."""

    @property
    def name(self) -> str:
        """The modality and the backbone, as a file name: `text-minilm`."""
        ...

    @property
    def width(self) -> int:
        """Features a token."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of weights and preparation: equal fingerprints give equal features."""
        ...

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return for each text or file path its features (tokens, width), at least one token."""
        ...


class Validator(Protocol):
    """Scores a recommender during training; handed in by the caller, so that training knows no metric."""

    def __call__(self, recommender: Recommender) -> dict[str, float]:
        """Return named figures; the greater, the better."""
        ...


@dataclass(frozen=True)
class StoredEvent:
    """One event of the live service, in ids of the outside world.

    Attributes:
        event_id: the client's own id; a second event of the same id is ignored.
        timestamp_s: seconds since 1970, UTC.
        dwell_ms: milliseconds looked at, or None.
        position: place in the list that was shown, 1 = first, or None.
    """

    event_id: str
    user_id: str
    item_id: str
    event: str
    timestamp_s: float
    session_id: str | None = None
    device: str | None = None
    country: str | None = None
    dwell_ms: int | None = None
    position: int | None = None
    query: str | None = None
    value: float | None = None


class EventStore(Protocol):
    """Durable log of live events. Stability: caller."""

    def append(self, events: Sequence[StoredEvent]) -> int:
        """Store `events` durably, in one transaction; return how many were new."""
        ...

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        """Return the user's newest `limit` events, oldest first."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
