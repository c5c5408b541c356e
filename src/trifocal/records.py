"""What stores keep and caches count; `ports.py` gives it on. Imports nothing from this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CacheStats", "EventBatch", "KeptItem", "StoredEvent", "StoredItem"]


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


@dataclass(frozen=True)
class EventBatch:
    """Some events of a source that have not been acknowledged.

    Attributes:
        events: in the order of the source.
        receipts: what the source calls their messages.
    """

    events: tuple[StoredEvent, ...] = ()
    receipts: tuple[str, ...] = ()


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
