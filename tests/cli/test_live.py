"""What a verb learns from: the data set with the store's events and items, without those who are to be forgotten."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.train.small_world import OLD_ITEMS, START, trained, without_weights, world

from trifocal import columns as c
from trifocal.cli.live import with_live
from trifocal.data.dataset import write_dataset
from trifocal.feedback.sql import SqlEventStore, SqlItemStore
from trifocal.ports import KeptItem, StoredEvent, StoredItem

AT_S = (START + timedelta(days=28)).timestamp()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_dataset(world(days=28), tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Two users on the item `new`, of whom one was deleted since, and came back after."""
    path = tmp_path / "events.sqlite"
    events, items = SqlEventStore(path), SqlItemStore(path)
    items.put(KeptItem("new", StoredItem("new", "green thing z", category="Home", price=5.0)))
    events.append([StoredEvent(f"e{user}", f"u{user:02}", "new", "click", AT_S + 60) for user in (1, 2)])
    events.forget("u01")
    items.forget_user("u01", AT_S + 120)
    events.append([StoredEvent("later", "u01", "i0", "click", AT_S + 180)])
    events.close()
    items.close()
    return str(path)


def test_without_a_store_the_data_set_is_as_it_is(shop: Path) -> None:
    learned = with_live(shop, None)
    assert learned.forgotten == 0
    assert learned.dataset.events.equals(world(days=28).events)


def test_live_items_and_events_join(shop: Path, store: str) -> None:
    dataset = with_live(shop, store).dataset
    assert dataset.items[c.ITEM_ID].to_list()[-1] == "new"
    assert dataset.items.height == OLD_ITEMS + 1
    assert dataset.events.filter(pl.col(c.ITEM_ID) == "new")[c.USER_ID].to_list() == ["u02"]


def test_a_deleted_user_is_in_no_training_set_and_in_no_history_of_a_bundle(
    shop: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_weights(monkeypatch)
    learned = with_live(shop, store)
    assert learned.forgotten == 1
    # What came after the deletion is a new beginning.
    left = learned.dataset.events.filter(pl.col(c.USER_ID) == "u01")
    assert left[c.TIMESTAMP].dt.epoch("s").to_list() == [int(AT_S) + 180]
    bundle = trained(tmp_path, learned.dataset)
    kept = bundle.contents.histories.filter(pl.col(c.USER_ID) == "u01")
    assert kept[c.TIMESTAMP].dt.epoch("s").to_list() == [int(AT_S) + 180]
    assert "u02" in bundle.contents.histories[c.USER_ID]
    assert bundle.contents.items.height == OLD_ITEMS + 1


def test_what_a_recommendation_led_to_is_told_apart(shop: Path, store: str) -> None:
    with closing(SqlEventStore(store)) as events:
        events.append(
            [
                StoredEvent(f"s{number}", "u03", item, "click", AT_S + 300, answer_id=answer, rung=rung)
                for number, (item, answer, rung) in enumerate(
                    [("i1", "a", "full"), ("i2", "a", "memory"), ("i3", "b", "text"), ("i4", None, None)]
                )
            ]
        )
    learned = with_live(shop, store)
    assert learned.recommended is not None
    assert learned.recommended[c.ITEM_ID].to_list() == ["i1", "i2"]
    assert with_live(shop, None).recommended is None
