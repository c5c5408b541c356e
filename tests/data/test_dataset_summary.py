"""The figures of a data set, worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from trifocal import columns as c
from trifocal.data import Dataset, write_dataset
from trifocal.data.dataset_summary import dataset_figures


def dataset(folder: Path, times: list[datetime | None]) -> Path:
    items = pl.DataFrame({c.ITEM_ID: ["1", "2", "3"], c.TITLE: ["Bag", "Hat", None], c.IMAGE: [None, None, "c.jpg"]})
    events = pl.DataFrame(
        {
            c.USER_ID: ["a", "a", "a", "b"],
            c.ITEM_ID: ["1", "1", "2", "1"],
            c.EVENT: ["click", "click", "cart", "click"],
            c.TIMESTAMP: times,
            c.SESSION_ID: ["a-1", "a-1", "a-2", None],
        },
        schema_overrides={c.TIMESTAMP: pl.Datetime("us", "UTC")},
    )
    write_dataset(Dataset("tiny", items, events, folder), folder)
    return folder


def test_counts_what_is_there_and_what_lacks(tmp_path: Path) -> None:
    day = datetime(2024, 1, 1, tzinfo=UTC)
    figures = dataset_figures(dataset(tmp_path, [None, day, day, datetime(2024, 1, 3, 12, tzinfo=UTC)]))
    assert (figures.name, figures.users, figures.items, figures.items_with_events) == ("tiny", 2, 3, 2)
    assert figures.items_without == {"image": 2, "title": 1, "description": 3, "category": 3, "price": 3}
    assert figures.events == {"click": 3, "cart": 1}
    # Pairs a-1, a-2, b-1 of 2 x 3 possible ones.
    assert figures.density == pytest.approx(0.5)
    assert (figures.first, figures.last, figures.events_without_time) == ("2024-01-01 00:00", "2024-01-03 12:00", 1)
    assert figures.sessions == 2
    assert (figures.events_per_user[0.0], figures.events_per_user[1.0]) == (1, 3)
    assert (figures.event_count, figures.rejects) == (4, {})


def test_no_known_time_is_no_span(tmp_path: Path) -> None:
    figures = dataset_figures(dataset(tmp_path, [None] * 4))
    assert (figures.first, figures.last, figures.events_without_time) == (None, None, 4)
