from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.bundle.small_bundle import small_histories, small_items

from trifocal.errors import ServingError
from trifocal.features.context import ContextVocabulary
from trifocal.feedback import MemoryEventStore
from trifocal.ports import Cache, StoredEvent
from trifocal.serve.caches import MemoryCache
from trifocal.serve.caches.sessions import HISTORY_OVERHEAD_BYTES
from trifocal.serve.histories import HistoryCoder, KnownHistories
from trifocal.serve.state import ShopperState
from trifocal.types import Vocabulary


class CountingStore(MemoryEventStore):
    """Counts how often it was read; `meanwhile` happens during the first read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.meanwhile: Sequence[StoredEvent] = ()
        self.state: ShopperState | None = None

    def newest(self, user_id: str, limit: int) -> list[StoredEvent]:
        self.reads += 1
        found = super().newest(user_id, limit)
        if self.meanwhile and self.state is not None:
            events, self.meanwhile = self.meanwhile, ()
            self.state.record(events)
        return found


def build(
    store: MemoryEventStore, session_bytes: int = 100_000, shared: Cache | None = None, model_version: str = "m1"
) -> ShopperState:
    coder = HistoryCoder(
        Vocabulary.of(small_items()["item_id"].to_list()), ContextVocabulary(Vocabulary.of([]), Vocabulary.of([]))
    )
    return ShopperState(
        KnownHistories(small_histories(), coder), coder, store,
        session_bytes=session_bytes, shared=shared, model_version=model_version,
    )  # fmt: skip


def click(number: int, user_id: str = "ann", item_id: str = "green-lamp") -> StoredEvent:
    return StoredEvent(f"e{number}", user_id, item_id, "click", 600.0 + number)


def test_bundle_and_live_events_are_one_history() -> None:
    state = build(MemoryEventStore())
    assert state.history("ann").item_rows.tolist() == [0, 3]
    assert state.record([click(1)]) == 1
    assert state.history("ann").item_rows.tolist() == [0, 3, 8]


def test_a_stranger_has_no_history() -> None:
    state = build(MemoryEventStore())
    assert len(state.history("nobody")) == 0
    assert not state.knows("nobody")
    assert state.knows("ann")


def test_somebody_new_is_known_by_the_first_event() -> None:
    state = build(MemoryEventStore())
    state.record([click(1, "new")])
    assert state.knows("new")
    assert state.history("new").item_rows.tolist() == [8]


def test_the_store_is_read_once_until_something_happens() -> None:
    store = CountingStore()
    state = build(store)
    for _ in range(3):
        state.history("ann")
    assert store.reads == 1
    state.record([click(1)])
    state.history("ann")
    assert store.reads == 2


def test_the_cache_forgets_who_was_away_longest() -> None:
    store = CountingStore()
    state = build(store, session_bytes=2 * (HISTORY_OVERHEAD_BYTES + 3 + 2 * 40))  # two events are 80 bytes
    for user_id in ("ann", "ben", "ann", "eve", "ann"):
        state.history(user_id)
    assert store.reads == 3
    state.history("ben")
    assert store.reads == 4


def test_an_event_during_the_read_is_not_lost_in_the_cache() -> None:
    store = CountingStore()
    state = store.state = build(store)
    store.meanwhile = [click(1)]
    state.history("ann")
    assert state.history("ann").item_rows.tolist() == [0, 3, 8]


def test_an_event_that_the_store_kept_before_it_raised_is_not_lost() -> None:
    class BreakingStore(MemoryEventStore):
        def append(self, events: Sequence[StoredEvent]) -> int:
            super().append(events)
            raise ServingError("the disk is full")

    state = build(BreakingStore())
    state.history("ann")
    with pytest.raises(ServingError, match="disk"):
        state.record([click(1)])
    assert state.history("ann").item_rows.tolist() == [0, 3, 8]


def test_two_processes_share_histories_and_events() -> None:
    store, shared = CountingStore(), MemoryCache(100_000)
    ours, theirs = (build(store, shared=shared) for _ in range(2))
    assert ours.history("ann").item_rows.tolist() == theirs.history("ann").item_rows.tolist() == [0, 3]
    assert store.reads == 1
    ours.record([click(1)])
    assert build(store, shared=shared).history("ann").item_rows.tolist() == [0, 3, 8]
    assert [level.level for level in ours.stats()] == ["memory", "memory"]


def test_forgetting_and_clearing_read_anew() -> None:
    store = CountingStore()
    state = build(store, shared=MemoryCache(100_000))
    state.history("ann")
    _, everywhere = state.forget("ann")
    assert everywhere
    state.history("ann")
    assert store.reads == 2
    state = build(store)
    for _ in range(2):
        state.history("ann")
        state.clear()
    assert store.reads == 4


def test_shoppers_with_a_history_come_first() -> None:
    state = build(MemoryEventStore())
    # ann has three liked events, ben one, eve only saw something.
    assert state.some_shoppers(5, seed=1, events_min=3) == ["ann", "ben"]
    assert state.some_shoppers(1, seed=2, events_min=3) == ["ann"]
