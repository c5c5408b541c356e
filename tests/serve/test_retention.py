from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest
from tests.contracts.event_store import stored_event

from trifocal.feedback import MemoryEventStore
from trifocal.serve.retention import DAY_S, kept_for


def wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(500):
        if happened():
            return
        time.sleep(0.01)
    pytest.fail("it does not happen")


def test_the_old_goes_at_the_start_and_again_later() -> None:
    store = MemoryEventStore()
    store.append([stored_event(1, timestamp_s=0.5 * DAY_S), stored_event(2, timestamp_s=1.5 * DAY_S)])
    now = [3.0 * DAY_S]
    with kept_for(store, 2.0, every_s=0.01, clock=lambda: now[0]):
        wait_for(lambda: store.count() == 1)
        now[0] = 4.0 * DAY_S
        wait_for(lambda: store.count() == 0)


def test_nothing_goes_where_all_is_kept() -> None:
    store = MemoryEventStore()
    store.append([stored_event(1)])
    with kept_for(store, 0.0, every_s=0.001):
        time.sleep(0.02)
    assert store.count() == 1


def test_a_store_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(MemoryEventStore):
        tries = 0

        def prune(self, before_s: float) -> int:
            self.tries += 1
            if self.tries == 1:
                raise OSError("disk full")
            return super().prune(before_s)

    store = Failing()
    store.append([stored_event(1)])
    with caplog.at_level(logging.INFO), kept_for(store, 1.0, every_s=0.01):
        wait_for(lambda: store.count() == 0)
    assert "old events could not be deleted" in caplog.text
