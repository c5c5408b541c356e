"""What every `EventSource` must do, wherever the events come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from tests.contracts.event_store import stored_event

from trifocal.ports import EventSource, StoredEvent


class EventSourceContract:
    """Inherit, and say how the source is written and opened."""

    @abstractmethod
    def write(self, events: Sequence[StoredEvent]) -> None:
        """Put `events` behind what the source holds."""

    @abstractmethod
    def open(self) -> EventSource:
        """Return the source as a consumer finds it after a start, again after a restart."""

    @pytest.fixture
    def source(self) -> Iterator[EventSource]:
        with closing(self.open()) as source:
            yield source

    def test_events_come_in_order_and_whole(self, source: EventSource) -> None:
        events = (stored_event(2), stored_event(1, "ben"), stored_event(3))
        self.write(events)
        assert source.read().events == events

    def test_what_was_acknowledged_does_not_come_again(self, source: EventSource) -> None:
        self.write([stored_event(1)])
        source.acknowledge(source.read())
        self.write([stored_event(2)])
        assert source.read().events == (stored_event(2),)
        with closing(self.open()) as again:
            assert again.read().events == (stored_event(2),)

    def test_what_was_not_acknowledged_comes_again_after_a_restart(self, source: EventSource) -> None:
        self.write([stored_event(1), stored_event(2)])
        assert len(source.read().events) == 2
        with closing(self.open()) as again:
            batch = again.read()
            assert batch.events == (stored_event(1), stored_event(2))
            again.acknowledge(batch)
            assert again.read().events == ()

    def test_an_empty_batch_can_be_acknowledged(self, source: EventSource) -> None:
        batch = source.read()
        assert batch.events == ()
        source.acknowledge(batch)
