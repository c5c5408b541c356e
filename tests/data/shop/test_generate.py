"""The written shop: a data set like any other, its truth, and the same bytes from the same seed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from trifocal.data.dataset import EVENT_SCHEMA, read_dataset
from trifocal.data.shop import ShopConfig, generate_shop, true_utility
from trifocal.data.shop.generate import simulate
from trifocal.errors import DataError

_CONFIG = ShopConfig(products=60, shoppers=120, days=56, seed=3)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    generate_shop(folder, _CONFIG)
    return folder


def test_the_folder_is_a_data_set_with_every_picture(shop: Path) -> None:
    dataset = read_dataset(shop)
    assert dataset.items.height == 60
    assert dataset.items["category"].n_unique() == 12
    for name in dataset.items["image"]:
        with Image.open(dataset.image_root / name) as picture:
            assert picture.size == (224, 224)
    assert set(dataset.events["item_id"]) <= set(dataset.items["item_id"])


def test_the_catalogue_says_nothing_of_style(shop: Path) -> None:
    columns = read_dataset(shop).items.columns
    assert [name for name in columns if name.startswith("attribute.")] == ["attribute.brand"]


def test_events_are_sorted_and_complete(shop: Path) -> None:
    events = read_dataset(shop).events
    assert dict(events.schema) == EVENT_SCHEMA
    assert events["timestamp"].is_sorted()
    assert set(events["event"]) == {"impression", "click", "cart", "purchase"}
    for name in ("user_id", "item_id", "timestamp", "session_id", "device", "country", "position"):
        assert events[name].null_count() == 0, name
    clicks = events.filter(pl.col("event") == "click")
    assert clicks["dwell_ms"].null_count() == 0
    assert (clicks["dwell_ms"] > 0).all()
    assert events.filter(pl.col("event") != "click")["dwell_ms"].null_count() == events.height - clicks.height


def test_no_event_comes_before_its_item(shop: Path) -> None:
    dataset = read_dataset(shop)
    joined = dataset.events.join(dataset.items.select("item_id", "created_at"), on="item_id")
    assert (joined["timestamp"] >= joined["created_at"]).all()


def test_a_purchase_has_the_price_as_its_value(shop: Path) -> None:
    dataset = read_dataset(shop)
    bought = dataset.events.filter(pl.col("event") == "purchase").join(dataset.items, on="item_id")
    assert bought.height > 0
    assert bought["value"].to_list() == bought["price"].to_list()


def test_a_session_has_one_shopper_one_device_one_query(shop: Path) -> None:
    per_session = (
        read_dataset(shop)
        .events.group_by("session_id")
        .agg(pl.col("user_id", "device", "query").n_unique(), pl.col("timestamp").max() - pl.col("timestamp").min())
    )
    assert (per_session.select("user_id", "device", "query").max().row(0)) == (1, 1, 1)
    assert per_session["timestamp"].max() < timedelta(hours=2)  # type: ignore[operator]  # polars' max is untyped


def test_equal_settings_write_equal_files(shop: Path, tmp_path: Path) -> None:
    generate_shop(tmp_path, _CONFIG)
    names = sorted(path.relative_to(shop) for path in shop.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for name in names:
        assert (shop / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_truth_on_disk_gives_the_utilities_of_the_simulation(shop: Path) -> None:
    _, visits, behaviour = simulate(_CONFIG)
    for row in (0, 500, len(behaviour) - 1):
        visit = behaviour.visit[row]
        moment = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=float(visits.day[visit]))
        user = f"user-{visits.shopper[visit] + 1:05d}"
        utilities = true_utility(shop / "truth", [user], moment)
        assert utilities.shape == (1, 60)
        assert utilities.dtype == np.float32
        assert utilities[0, behaviour.item[row]] == pytest.approx(behaviour.utility[row], abs=1e-3)


def test_the_default_moment_is_the_end(shop: Path) -> None:
    end = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=56)
    users = ["user-00002", "user-00001"]
    np.testing.assert_array_equal(true_utility(shop / "truth", users), true_utility(shop / "truth", users, end))


def test_an_unknown_shopper_is_refused(shop: Path) -> None:
    with pytest.raises(DataError, match=r"'nobody' is no shopper .* from user-00001 to user-00120"):
        true_utility(shop / "truth", ["nobody"])


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no truth\.json"):
        true_utility(tmp_path, ["user-00001"])


def test_session_truth_is_the_mean_satisfaction_of_its_clicks(shop: Path) -> None:
    utility, visits, behaviour = simulate(_CONFIG)
    sessions = pl.read_parquet(shop / "truth" / "sessions.parquet")
    assert sessions.height == len(visits)
    values = behaviour.utility[(behaviour.visit == 10) & behaviour.clicked]
    threshold = utility.weights.click_threshold
    expected = float(np.mean(1 / (1 + np.exp(threshold - values)))) if len(values) else 0.0
    assert sessions["satisfaction"][10] == pytest.approx(expected, abs=1e-5)
    assert sessions.filter(pl.col("clicks") == 0)["satisfaction"].max() == 0


def test_summary_counts_what_is_there(shop: Path) -> None:
    counts = json.loads((shop / "summary.json").read_text(encoding="utf-8"))
    events = read_dataset(shop).events
    assert counts["items"] == 60
    assert counts["events"] == events.height
    assert counts["clicks"] == events.filter(pl.col("event") == "click").height
