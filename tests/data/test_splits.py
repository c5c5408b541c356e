from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.named_splits import named_split
from trifocal.data.splits import assigned_split, restrict, time_split
from trifocal.errors import ConfigError, DataError

START = datetime(2024, 1, 1, tzinfo=UTC)


def dataset(minutes: Sequence[int | None], created: dict[str, int] | None = None) -> Dataset:
    """One event a minute given: user i % 3, item i % 4; items may be created at a minute."""
    times = [None if m is None else START + timedelta(minutes=m) for m in minutes]
    events = pl.DataFrame(
        {
            "user_id": [f"u{i % 3}" for i in range(len(minutes))],
            "item_id": [f"i{i % 4}" for i in range(len(minutes))],
            "event": ["click" if i % 5 else "impression" for i in range(len(minutes))],
            "timestamp": times,
        }
    )
    ids = [f"i{i}" for i in range(4)]
    made = [None if item not in (created or {}) else START + timedelta(minutes=(created or {})[item]) for item in ids]
    items = pl.DataFrame(
        {"item_id": ids, "created_at": made}, schema_overrides={"created_at": pl.Datetime("us", "UTC")}
    )
    return Dataset("toy", conform(items, ITEM_SCHEMA), conform(events, EVENT_SCHEMA), Path())


def test_time_split_has_the_shares_and_leaks_nothing() -> None:
    data = dataset(list(range(100)))
    split = time_split(data)
    assert [split.train.height, split.validation.height, split.test.height] == [70, 15, 15]
    assert split.train["timestamp"].max() < split.validation["timestamp"].min()  # type: ignore[operator]
    assert split.validation["timestamp"].max() < split.test["timestamp"].min()  # type: ignore[operator]
    assert not split.leaky
    assert split.items is None


def test_equal_times_stay_on_one_side_and_the_nearest_cut_is_taken() -> None:
    # 60 | 12 | 14 | 14 events: after 72 lies nearer to 70 than after 60; after 86 nearer to 85 than after 72.
    split = time_split(dataset([0] * 60 + [1] * 12 + [2] * 14 + [3] * 14))
    assert [split.train.height, split.validation.height, split.test.height] == [72, 14, 14]


def test_a_single_mass_of_equal_times_still_leaves_three_parts() -> None:
    split = time_split(dataset([0] * 2 + [1] * 96 + [2] * 2))
    assert [split.train.height, split.validation.height, split.test.height] == [2, 96, 2]


def test_later_events_change_nothing_before() -> None:
    whole = time_split(dataset(list(range(100))))
    changed = dataset(list(range(100)))
    late = pl.col("timestamp") >= whole.test["timestamp"].min()
    events = changed.events.with_columns(pl.when(late).then(pl.lit("u9")).otherwise("user_id").alias("user_id"))
    other = time_split(Dataset("toy", changed.items, events, Path()))
    assert other.train.equals(whole.train)
    assert other.validation.equals(whole.validation)
    assert other.fingerprint != whole.fingerprint


def test_events_without_time_are_counted_and_items_must_exist_before_the_test() -> None:
    split = time_split(dataset([None, None, *range(100)], created={"i1": 84, "i2": 85, "i3": 99}))
    assert "2 events without a time left out" in split.note
    assert split.items == ("i0", "i1")


def test_refit_joins_train_and_validation_in_order() -> None:
    split = time_split(dataset(list(range(100))))
    refit = split.refit()
    assert refit.train.height == 85
    assert refit.train["timestamp"].is_sorted()
    assert refit.validation.is_empty()
    assert refit.test.equals(split.test)
    assert refit.fingerprint == split.fingerprint
    assert refit.note.endswith("trained on train + validation")
    assert refit.before("test").equals(split.before("test"))


def test_time_split_refuses_too_few_times_and_odd_fractions() -> None:
    with pytest.raises(DataError, match="3 different times, these have 2"):
        time_split(dataset([0, 0, 1, 1]))
    with pytest.raises(ConfigError, match=r"\(0.9, 0.2, 0.1\).*sum 1"):
        time_split(dataset([0, 1, 2]), (0.9, 0.2, 0.1))


def parts() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_id": ["u0", "u1", "u2", "gone"],
            "item_id": ["i3", "i1", "i2", "i1"],
            "part": ["train", "validation", "test", "test"],
        }
    )


def test_assigned_split_keeps_one_event_of_each_listed_pair() -> None:
    data = dataset(list(range(60)))
    split = assigned_split(data, parts(), "toy-random")
    assert [split.train.height, split.validation.height, split.test.height] == [1, 1, 1]
    # u0 takes i3 at minutes 3, 15 (an impression), 27 ...: the first click counts.
    assert split.train["timestamp"][0] == START + timedelta(minutes=3)
    assert split.train.columns == data.events.columns
    assert split.leaky
    assert "1 of 4 listed pairs are not in the data" in split.note
    assert split.items == ("i1", "i2", "i3")
    kept = restrict(data, split)
    assert kept.items["item_id"].to_list() == ["i1", "i2", "i3"]
    assert set(kept.events["item_id"]) == {"i1", "i2", "i3"}


def test_restrict_without_candidates_is_the_data_set_itself() -> None:
    data = dataset(list(range(100)))
    assert restrict(data, time_split(data)) is data


def test_assigned_split_refuses_foreign_pairs_and_missing_columns() -> None:
    data = dataset(list(range(60)))
    foreign = parts().with_columns(pl.lit("nobody").alias("user_id"))
    with pytest.raises(DataError, match="lists 4 pairs, toy has none"):
        assigned_split(data, foreign, "x")
    with pytest.raises(DataError, match=r"lack \['part'\]"):
        assigned_split(data, parts().drop("part"), "x")


def test_named_split_reads_its_file_or_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIFOCAL_DATA", raising=False)
    data = dataset(list(range(60)))
    file = tmp_path / "hm-random.parquet"
    parts().write_parquet(file)
    assert named_split(data, "hm-random", file).train.height == 1
    assert named_split(data, "time").name == "time"
    with pytest.raises(ConfigError, match="needs its file"):
        named_split(data, "hm-random")
    with pytest.raises(ConfigError, match=r"no split 'best'.*time, hm-random"):
        named_split(data, "best")


def test_the_fingerprint_depends_on_the_parts_alone() -> None:
    first, again = time_split(dataset(list(range(90)))), time_split(dataset(list(range(90))))
    assert first.fingerprint == again.fingerprint
    assert time_split(dataset(list(range(90))), (0.6, 0.2, 0.2)).fingerprint != first.fingerprint
