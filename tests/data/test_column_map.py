"""The column map: what is accepted, and that every fault is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from trifocal.data.column_map import column_map_of, load_column_map
from trifocal.errors import ConfigError
from trifocal.types import EventType

GOOD = """
[items]
file = "products.csv"
image_pattern = "{item_id:.3}/{item_id}.jpg"
[items.columns]
item_id = "sku"
title = ["brand", "name"]
description = "text"
[items.columns.attributes]
colour = "colour_name"
[events]
file = "log.jsonl"
[events.columns]
user_id = "visitor"
item_id = "sku"
[events.values]
view = "click"
"""


def test_reads_a_map_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(GOOD, encoding="utf-8")
    column_map = load_column_map(path)
    assert column_map.items.columns.title == ("brand", "name")
    assert column_map.items.columns.description == ("text",)
    assert column_map.items.columns.attributes == {"colour": "colour_name"}
    assert column_map.events.values == {"view": EventType.CLICK}
    assert column_map.events.default_event is EventType.PURCHASE
    assert column_map.events.session_gap_minutes == 30
    assert (column_map.limits.price_min, column_map.limits.price_max) == (0, 1e7)


def test_names_all_faults_at_once() -> None:
    content = {
        "items": {"file": "a.csv", "encoding": "klingon", "columns": {"item_id": "sku", "titel": "name"}},
        "events": {"file": "b.csv", "columns": {"user_id": "u"}, "values": {"view": "look"}, "session_gap_minutes": 0},
    }
    with pytest.raises(ConfigError) as caught:
        column_map_of(content, "shop.toml")
    message = str(caught.value)
    assert message.startswith("shop.toml has 5 fault(s)")
    for place in (
        "items.columns.titel",
        "items.encoding",
        "events.columns.item_id",
        "events.values.view",
        "events.session_gap_minutes",
    ):
        assert place in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_pattern": "{sku}.jpg"}, "must hold {item_id} and no other field"),
        ({"image_pattern": "photo.jpg"}, "must hold {item_id} and no other field"),
        ({"separator": "::"}, "set quoted = false"),
        ({"columns": {"item_id": "sku"}}, "an item needs text or a picture"),
    ],
)
def test_refuses_what_cannot_work(change: dict[str, object], message: str) -> None:
    items = {"file": "a.csv", "columns": {"item_id": "sku", "title": "name"}} | change
    events = {"file": "b.csv", "columns": {"user_id": "u", "item_id": "i"}}
    with pytest.raises(ConfigError, match=message):
        column_map_of({"items": items, "events": events}, "map")


def test_a_missing_map_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_column_map(tmp_path / "none.toml")


def test_a_map_that_is_no_toml_says_where(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text("[items\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"is no TOML: .*line 1"):
        load_column_map(path)
