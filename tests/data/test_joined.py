from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.joined import joined, without_forgotten
from trifocal.ports import KeptItem, StoredItem

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
START_S = START.timestamp()
PICTURES = Path("/live/pictures")


def dataset() -> Dataset:
    items = pl.DataFrame(
        {c.ITEM_ID: ["lamp", "vase"], c.TITLE: ["Lamp", "Vase"], c.IMAGE: ["lamp.jpg", None], c.AVAILABLE: [True, True]}
    )
    events = pl.DataFrame(
        {c.USER_ID: ["ann", "bob"], c.ITEM_ID: ["lamp", "vase"], c.EVENT: ["click", "click"], c.TIMESTAMP: [START] * 2},
        schema_overrides={c.TIMESTAMP: EVENT_SCHEMA[c.TIMESTAMP]},
    )
    return Dataset("toy", conform(items, ITEM_SCHEMA), conform(events, EVENT_SCHEMA), Path("/pictures"))


def event(user: str, item: str, at_s: float, kind: str = "click") -> pl.DataFrame:
    """One event as the export of the store gives it, with a column that a data set does not have."""
    values = {c.USER_ID: user, c.ITEM_ID: item, c.EVENT: kind, c.TIMESTAMP: datetime.fromtimestamp(at_s, UTC)}
    row = pl.DataFrame({**values, c.SESSION_ID: "s", c.DEVICE: "web", c.DWELL_MS: 900})
    return conform(row, EVENT_SCHEMA).with_columns(answer_id=pl.lit("a"))


def join(
    *,
    events: tuple[pl.DataFrame, ...] = (),
    items: tuple[KeptItem, ...] = (),
    forgotten: dict[str, float] | None = None,
) -> Dataset:
    live = pl.concat([dataset().events.clear().with_columns(answer_id=pl.lit("")), *events])
    return joined(dataset(), live, items, pictures=PICTURES, forgotten=forgotten or {})


def test_live_events_join_in_order_of_time() -> None:
    late, early = event("ann", "vase", START_S + 5.25), event("bob", "lamp", START_S - 5)
    found = join(events=(late, early)).events
    assert found[c.ITEM_ID].to_list() == ["lamp", "lamp", "vase", "vase"]
    assert found[c.USER_ID].to_list() == ["bob", "ann", "bob", "ann"]
    assert found.schema == pl.Schema(EVENT_SCHEMA)
    newest = found.row(-1, named=True)
    assert (newest[c.TIMESTAMP] - START).total_seconds() == 5.25
    assert (newest[c.SESSION_ID], newest[c.DEVICE], newest[c.DWELL_MS], newest[c.POSITION]) == ("s", "web", 900, None)


def test_an_event_that_was_imported_already_is_not_doubled() -> None:
    assert join(events=(event("ann", "lamp", START_S),)).events.height == 2
    # Another kind of event at the same moment is another event.
    assert join(events=(event("ann", "lamp", START_S, "cart"),)).events.height == 3


def test_an_event_of_an_unknown_item_is_left_out() -> None:
    assert join(events=(event("ann", "ghost", START_S + 1),)).events.height == 2


def test_a_new_item_follows_the_others_and_is_as_old_as_its_first_event() -> None:
    rug = StoredItem("rug", "Rug", category="Home", price=20.0, attributes=(("colour", "red"),), picture="rug.png")
    events = tuple(event("ann", "rug", START_S + 60 * n) for n in (2, 1))
    found = join(events=events, items=(KeptItem("rug", rug),))
    assert found.items[c.ITEM_ID].to_list() == ["lamp", "vase", "rug"]
    row = found.items.row(2, named=True)
    assert (row[c.TITLE], row[c.PRICE], row["attribute.colour"]) == ("Rug", 20.0, "red")
    assert row[c.IMAGE] == "/live/pictures/rug.png"
    assert (row[c.CREATED_AT] - START).total_seconds() == 60
    assert found.events.height == 4


def test_a_changed_item_keeps_its_place_and_the_picture_of_the_data_set() -> None:
    lamp = StoredItem("lamp", "Bright lamp", available=False, picture="lamp.jpg", in_bundle=True)
    found = join(items=(KeptItem("lamp", lamp),)).items
    assert found[c.ITEM_ID].to_list() == ["lamp", "vase"]
    row = found.row(0, named=True)
    assert (row[c.TITLE], row[c.IMAGE], row[c.AVAILABLE], row[c.CREATED_AT]) == ("Bright lamp", "lamp.jpg", False, None)


def test_a_deleted_item_stays_and_is_not_available() -> None:
    found = join(items=(KeptItem("vase", None),)).items
    assert found[c.AVAILABLE].to_list() == [True, False]


def test_what_a_forgotten_user_did_up_to_then_is_in_neither_part() -> None:
    events = (event("ann", "vase", START_S + 10), event("ann", "lamp", START_S + 11))
    found = join(events=events, forgotten={"ann": START_S + 10}).events
    assert found.filter(pl.col(c.USER_ID) == "ann")[c.TIMESTAMP].dt.epoch("s").to_list() == [START_S + 11]
    assert "bob" in found[c.USER_ID]


def test_an_event_without_a_time_is_forgotten_too() -> None:
    events = dataset().events
    untimed = events.with_columns(pl.lit(None, EVENT_SCHEMA[c.TIMESTAMP]).alias(c.TIMESTAMP))
    assert without_forgotten(untimed, {"ann": START_S})[c.USER_ID].to_list() == ["bob"]
    assert without_forgotten(events, {}) is events


def test_the_data_set_itself_is_not_changed() -> None:
    before = dataset()
    gone, forgotten = [KeptItem("vase", None)], {"bob": START_S}
    after = joined(before, before.events.clear(), gone, pictures=PICTURES, forgotten=forgotten)
    assert before.items[c.AVAILABLE].to_list() == [True, True]
    assert replace(after, items=before.items, events=before.events) == before
