from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.errors import ConfigError, DataError
from trifocal.recommender.training import newest_split, quiet, settings_of


def dataset(users: list[str], hours: Sequence[int | None]) -> Dataset:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [None if hour is None else start + timedelta(hours=hour) for hour in hours]
    events = {"user_id": users, "item_id": ["i"] * len(users), "event": ["click"] * len(users), "timestamp": times}
    items = conform(pl.DataFrame({"item_id": ["i"], "title": ["I"]}), ITEM_SCHEMA)
    frame = pl.DataFrame(events, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})
    return Dataset("small", items, conform(frame, EVENT_SCHEMA), Path())


def test_settings_come_from_sections_or_a_file_and_the_seed_stands_above(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[train]\nepochs = 3\n")
    assert settings_of({"train": {"epochs": 3}}, None) == settings_of(tmp_path / "a.toml", None)
    assert settings_of(None, 5).train.seed == 5
    with pytest.raises(ConfigError, match=r"the settings cannot be used: train.epoks: Extra inputs.*default.toml"):
        settings_of({"train": {"epoks": 3}}, None)


def test_the_newest_tenth_is_held_out_and_learned_from_at_last() -> None:
    split = newest_split(dataset(["u"] * 20, list(range(20))))
    assert (split.train.height, split.validation.height, split.test.height) == (18, 2, 0)
    assert split.refit().train.height == 20


def test_where_nearly_all_happened_at_once_something_is_left_to_learn_from() -> None:
    split = newest_split(dataset(["u"] * 20, [0] * 19 + [1]))
    assert (split.train.height, split.validation.height) == (19, 1)
    split = newest_split(dataset(["u"] * 20, [0] + [1] * 19))
    assert (split.train.height, split.validation.height) == (1, 19)


def test_without_times_the_last_event_of_each_user_is_held_out() -> None:
    split = newest_split(dataset(["a", "a", "b", "c", "c", "c"], [None] * 6))
    assert split.validation["user_id"].to_list() == ["a", "c"]
    assert split.train.height == 4
    with pytest.raises(DataError, match="none of the 2 users has two events"):
        newest_split(dataset(["a", "b"], [None, None]))


def test_bars_are_drawn_only_where_they_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    for silent in (True, False):
        with quiet(silent=silent):
            sys.stderr.write("bar")
    assert capsys.readouterr().err == "bar"
