from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.contracts.event_store import stored_event

import trifocal.feedback.export as export_module
from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, read_dataset
from trifocal.data.importing import import_plan
from trifocal.data.readers.canonical import canonical_plan
from trifocal.feedback import MemoryEventStore
from trifocal.feedback.export import EXPORT_SCHEMA, stored_events, write_events
from trifocal.ports import StoredEvent

WHOLE = StoredEvent(
    "x", "ann", "shoe", "rating", 1772362800.25, "s", "phone", "NL", 900, 3, "red shoe", 4.5, "a", 0.5, "m", "v", "full"
)


def store_of(*events: StoredEvent) -> MemoryEventStore:
    store = MemoryEventStore()
    store.append(events)
    return store


def test_the_columns_are_those_of_a_data_set_and_what_the_answer_said() -> None:
    assert dict(list(EXPORT_SCHEMA.items())[: len(EVENT_SCHEMA)]) == EVENT_SCHEMA
    assert tuple(EXPORT_SCHEMA) == (*c.EVENT_COLUMNS, *c.ECHO_COLUMNS)


def test_every_field_is_there() -> None:
    (row,) = stored_events(store_of(WHOLE), {}).rows()
    time = datetime(2026, 3, 1, 11, 0, 0, 250_000, UTC)
    assert row == (
        "ann", "shoe", "rating", time, "s", "phone", "NL", 900, 3, "red shoe", 4.5, "a", 0.5, "m", "v", "full",
    )  # fmt: skip


def test_the_oldest_come_first_over_pages_and_equal_times_as_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "_PAGE", 2)
    store = store_of(*(stored_event(number, timestamp_s=time) for number, time in enumerate((5.0, 1.0, 5.0, 0.5, 1.0))))
    assert stored_events(store, {})[c.ITEM_ID].to_list() == ["item3", "item1", "item4", "item0", "item2"]
    assert stored_events(store, {}, after=3)[c.ITEM_ID].to_list() == ["item3", "item4"]


def test_what_a_forgotten_user_did_is_left_out() -> None:
    store = store_of(stored_event(1), stored_event(2), stored_event(3), stored_event(1 + 9, "ben"))
    # Up to and with the moment; what came later is of somebody new.
    assert stored_events(store, {"ann": 2.0, "cem": 9.0})[c.ITEM_ID].to_list() == ["item3", "item10"]


def test_an_empty_store_is_an_empty_frame() -> None:
    assert stored_events(MemoryEventStore(), {}).schema == EXPORT_SCHEMA


def test_a_file_or_a_folder_is_written(tmp_path: Path) -> None:
    events = stored_events(store_of(WHOLE), {})
    assert write_events(events, tmp_path / "a" / "live.parquet") == tmp_path / "a" / "live.parquet"
    path = write_events(events, tmp_path / "b")
    assert path == tmp_path / "b" / "events.parquet"
    assert pl.read_parquet(path).equals(events)
    assert [file.name for file in (tmp_path / "b").iterdir()] == ["events.parquet"]


def test_the_importer_reads_it(tmp_path: Path) -> None:
    store = store_of(WHOLE, replace(WHOLE, event_id="y", item_id="unknown"))
    write_events(stored_events(store, {}), tmp_path / "live")
    pl.DataFrame({c.ITEM_ID: ["shoe"], c.TITLE: ["Shoe"]}).write_parquet(tmp_path / "live" / "items.parquet")
    plan = canonical_plan(tmp_path / "live")
    assert plan is not None
    summary = import_plan(plan, tmp_path / "dataset")
    assert (summary.events_read, summary.events_kept) == (2, 1)
    events = read_dataset(tmp_path / "dataset").events
    assert events.equals(stored_events(store, {}).head(1).select(c.EVENT_COLUMNS))
