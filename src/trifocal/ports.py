"""The Protocols that stages meet at. No implementation, no file, no network.

Every Protocol has one shared test suite in `tests/contracts/`, which each implementation runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

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
        answer_id: of the answer that showed the item; this and the next four are as that answer said.
        propensity: chance that the item stood at this place, 0..1, or None.
        model_version: which model answered.
        variant: which of the served variants answered.
        rung: which rung of the ladder answered.
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
    answer_id: str | None = None
    propensity: float | None = None
    model_version: str | None = None
    variant: str | None = None
    rung: str | None = None


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


@dataclass(frozen=True)
class EventBatch:
    """Some events of a source that have not been acknowledged.

    Attributes:
        events: in the order of the source.
        receipts: what the source calls their messages.
    """

    events: tuple[StoredEvent, ...] = ()
    receipts: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class StoredItem:
    """An item that was added to, or changed in, the running service, in ids of the outside world.

    Attributes:
        category: path, as in the canonical item table.
        price: None = unknown.
        attributes: name -> value, names rising.
        picture: file in the store's picture folder, or, with `in_bundle`, in the bundle's; None = there is none.
        in_bundle: where `picture` is.
    """

    item_id: str
    title: str | None = None
    description: str | None = None
    category: str | None = None
    price: float | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    available: bool = True
    picture: str | None = None
    in_bundle: bool = False


@dataclass(frozen=True)
class KeptItem:
    """What an `ItemStore` holds of one id.

    Attributes:
        item: as it stands now; None = it was deleted.
        features: what the model made of it, in the code of whoever wrote it.
        model_version: of the bundle that `features` are of.
    """

    item_id: str
    item: StoredItem | None
    features: bytes = b""
    model_version: str = ""


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


@dataclass(frozen=True)
class CacheStats:
    """What one level of a cache did since it was made.

    Attributes:
        level: `none` = keeps nothing, `memory` = this process, `shared` = a server that several processes use.
        hits: answers that were there.
        misses: answers that were not there, or too old.
        evictions: entries that made room for others.
        failures: calls that broke or came too late.
        skipped: calls that were not made because the level is left alone after a failure.
        entries: how many are kept, or None where only the server knows.
        used_bytes: keys, values and overhead, or None where only the server knows.
        limit_bytes: the bound of `used_bytes`, or None where only the server knows.
        is_available: False while the level is left alone after a failure.
    """

    level: Literal["none", "memory", "shared"]
    hits: int = 0
    misses: int = 0
    evictions: int = 0
    failures: int = 0
    skipped: int = 0
    entries: int | None = None
    used_bytes: int | None = None
    limit_bytes: int | None = None
    is_available: bool = True


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
