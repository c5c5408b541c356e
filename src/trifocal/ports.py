"""The Protocols that stages meet at, and the values that stores keep. No implementation, no file, no network.

Every Protocol has one shared test suite in `tests/contracts/`, which each implementation runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from trifocal.records import CacheStats, EventBatch, KeptItem, StoredEvent, StoredItem
from trifocal.types import FloatArray, IntArray, Rankings, Request

__all__ = [
    "Cache",
    "CacheStats",
    "EventBatch",
    "EventSource",
    "EventStore",
    "Index",
    "ItemStore",
    "KeptItem",
    "MutableIndex",
    "Recommender",
    "StoredEvent",
    "StoredItem",
    "TokenSource",
    "Validator",
]


class Recommender(Protocol):
    """Anything that ranks the catalogue for a request: a baseline, the model, the served pipeline. Stability: full.

    What Python users hold is another thing, the class `trifocal.Recommender`: frames in and out, in their own ids.
    """

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


class EventStore(Protocol):
    """Durable log of live events, numbered in the order of arrival. Stability: caller."""

    def append(self, events: Sequence[StoredEvent]) -> int:
        """Store `events` durably, in one transaction; return how many were new."""
        ...

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        """Return the user's newest `limit` events, oldest first."""
        ...

    def after(self, sequence: int, limit: int) -> list[tuple[int, StoredEvent]]:
        """Return the first `limit` events past the number `sequence`, in the order of arrival, each with its number.

        Numbers rise from 1, may leave some out, and never come again. Whoever goes on from the last number seen gets
        every event once, however many processes write: none appears later under a number that was passed.
        """
        ...

    def count(self) -> int:
        """Return how many events are kept."""
        ...

    def prune(self, before_s: float) -> int:
        """Delete durably what happened before `before_s`, seconds since 1970, UTC; return how many events there were.

        The id of such an event is forgotten with it: sent again, it would be new.
        """
        ...

    def forget(self, user_id: str) -> int:
        """Delete every event of the user durably; return how many there were."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class EventSource(Protocol):
    """Where live events come from beside HTTP: a log that other programs write. Stability: caller."""

    def read(self) -> EventBatch:
        """Return what comes next, empty where nothing came for a while; what cannot be used is set aside.

        What was read and not acknowledged comes again, here or elsewhere, after a restart.
        """
        ...

    def acknowledge(self, batch: EventBatch) -> None:
        """Never give the messages of `batch` again; only once its events are durable."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class ItemStore(Protocol):
    """Durable list of what changed in a running service: items, users who are to be forgotten. Stability: caller."""

    @property
    def pictures(self) -> Path | None:
        """The folder of the pictures; None = this store keeps none."""
        ...

    def put(self, kept: KeptItem) -> None:
        """Keep `kept` durably, in place of what was there under its id."""
        ...

    @property
    def is_durable(self) -> bool:
        """Whether a restart keeps what is kept here."""
        ...

    def item(self, item_id: str) -> KeptItem | None:
        """Return what is kept under `item_id`, or None."""
        ...

    def items(self) -> list[KeptItem]:
        """Return everything kept, in the order in which the ids first came."""
        ...

    def forget_user(self, user_id: str, at_s: float) -> None:
        """Note durably that what the user did up to `at_s`, seconds since 1970, UTC, must not be used any more."""
        ...

    def forgotten_users(self) -> dict[str, float]:
        """Return user id -> up to when, for everybody who is to be forgotten."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class Cache(Protocol):
    """Bytes by key, bounded; may forget anything at any time, never raises because a level is away. Stability: caller.

    What is written says whether it arrived: False = some level did not take it. A value that could not be dropped is
    not read again through the same cache.
    """

    def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None."""
        ...

    def put(self, key: str, value: bytes) -> bool:
        """Keep `value` under `key` in place of what was there; return whether every level took it."""
        ...

    def drop(self, key: str) -> bool:
        """Forget `key`; return whether every level did."""
        ...

    def drop_matching(self, prefix: str) -> bool:
        """Forget every key that starts with `prefix`, read literally; return whether every level did."""
        ...

    def clear(self) -> bool:
        """Forget everything of this cache; return whether every level did."""
        ...

    def stats(self) -> tuple[CacheStats, ...]:
        """Return one value a level, nearest first."""
        ...
