from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from trifocal.data.cases import build_cases
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.named_splits import COLD_SPLITS, SPLIT_NAMES, cold_split, named_split
from trifocal.data.splits import Split, restrict
from trifocal.errors import ConfigError, DataError
from trifocal.features.context import ContextVocabulary

CONTEXT = ContextVocabulary.fit([], [])


def dataset(events: Sequence[tuple[str, str, float | None]], *, kind: str = "purchase", **items: str) -> Dataset:
    """Events of (user, item, days after 16 September 2020 or None); items with their product group."""
    start = datetime(2020, 9, 16, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "user_id": [user for user, _, _ in events],
            "item_id": [item for _, item, _ in events],
            "event": [kind] * len(events),
            "timestamp": [None if day is None else start + timedelta(days=day) for _, _, day in events],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    names = sorted({item for _, item, _ in events} | set(items))
    table = conform(pl.DataFrame({"item_id": names}), ITEM_SCHEMA).with_columns(
        pl.Series("attribute.product_group", [items.get(name) for name in names], dtype=pl.String)
    )
    return Dataset("toy", table, conform(frame, EVENT_SCHEMA), Path())


def asked(data: Dataset, split: Split, part: str = "test") -> dict[str, tuple[list[str], list[str], list[str]]]:
    """User -> ids of the history, of the excluded items, and of the answers."""
    ids = restrict(data, split).vocabulary().ids
    cases = build_cases(split, "test" if part == "test" else "validation", restrict(data, split).vocabulary(), CONTEXT)
    return {
        user: ([ids[r] for r in q.history.item_rows], [ids[r] for r in q.exclude], [ids[r] for r in truth])
        for user, q, truth in zip(cases.user_ids, cases.requests, cases.truths, strict=True)
    }


BASKETS = dataset(
    [
        ("u", "a", 0),
        ("u", "b", 4.9),
        ("v", "c", 5),
        ("v", "d", 5),
        ("w", "a", 5),
        ("u", "c", 6),
        ("u", "a", 6),
        ("w", "b", 6),
        ("w", "d", 6),
        ("x", "d", 6),
    ]
)


def parts_file(folder: Path, rows: list[tuple[str, ...]], *names: str) -> Path:
    path = folder / "parts.parquet"
    pl.DataFrame(rows, schema=list(names), orient="row").write_parquet(path)
    return path


def test_basket_completion_asks_for_the_hidden_item_with_the_rest_of_the_basket_known(tmp_path: Path) -> None:
    path = parts_file(tmp_path, [("u", "a"), ("w", "d")], "user_id", "item_id")
    split = named_split(BASKETS, "hm-time", path)
    assert (split.train.height, split.validation.height, split.test.height) == (2, 3, 5)
    # u took a on an earlier day as well: it stays in the history, and can be found all the same.
    assert asked(BASKETS, split) == {
        "u": (["a", "b", "c"], ["b", "c"], ["a"]),
        "w": (["a", "b"], ["a", "b"], ["d"]),
    }


def test_the_hidden_item_of_a_validation_basket_is_drawn_by_seed(tmp_path: Path) -> None:
    path = parts_file(tmp_path, [("u", "a")], "user_id", "item_id")
    first, again = (named_split(BASKETS, "hm-time", path) for _ in range(2))
    assert first.hidden["validation"]["user_id"].to_list() == ["v"]
    found = asked(BASKETS, first, "validation")
    assert found == asked(BASKETS, again, "validation")
    history, _, answers = found["v"]
    assert sorted(history + answers) == ["c", "d"]


def test_the_fingerprint_tells_which_items_are_hidden(tmp_path: Path) -> None:
    first = named_split(BASKETS, "hm-time", parts_file(tmp_path, [("u", "a")], "user_id", "item_id"))
    other = named_split(BASKETS, "hm-time", parts_file(tmp_path, [("u", "c")], "user_id", "item_id"))
    assert first.fingerprint != other.fingerprint


def test_next_day_asks_who_came_before_for_what_is_new() -> None:
    found = asked(BASKETS, named_split(BASKETS, "hm-next-day"))
    assert found == {"u": (["a", "b"], ["a", "b"], ["c"]), "w": (["a"], ["a"], ["b", "d"])}


def test_leave_one_out_goes_by_order_and_needs_three_events() -> None:
    data = dataset([(user, item, None) for user, items in (("u", "abc"), ("v", "dcba"), ("w", "ab")) for item in items])
    split = named_split(data, "ml1m-loo")
    assert split.leaky
    assert asked(data, split) == {
        "u": (["a", "b"], ["a", "b"], ["c"]),
        "v": (["d", "c", "b"], ["b", "c", "d"], ["a"]),
    }
    assert asked(data, split, "validation")["v"] == (["d", "c"], ["c", "d"], ["b"])


def test_a_stranger_of_ml100k_time_shows_the_first_half_of_what_they_liked() -> None:
    old = [("u", "abcdefgh"[i % 8], 0.1 * i) for i in range(17)]
    new = [("u", "i", 2.0), ("v", "a", 2.1), ("v", "b", 2.2), ("v", "c", 2.3)]
    data = dataset(old[:17] + new[:1] + new[1:])
    split = named_split(data, "ml100k-time")
    assert (split.train.height, split.validation.height, split.test.height) == (14, 3, 4)
    found = asked(data, split)
    assert found["v"] == (["a"], ["a"], ["b", "c"])
    assert found["u"][2] == ["i"]


def test_an_unseen_group_is_in_no_history_and_no_training_event(tmp_path: Path) -> None:
    rows = [
        (user, item, part) for user in "uv" for item, part in (("s1", "train"), ("t1", "validation"), ("s2", "train"))
    ]
    rows += [("u", "t2", "test"), ("v", "t2", "test"), ("u", "s3", "test"), ("v", "t1", "test")]
    groups = {"s1": "shoes", "s2": "shoes", "s3": "shoes", "t1": "tops", "t2": "tops"}
    data = dataset([(user, item, 0) for user, item, _ in dict.fromkeys((u, i, "") for u, i, _ in rows)], **groups)
    path = parts_file(tmp_path, list(dict.fromkeys(rows)), "user_id", "item_id", "part")
    within, everywhere = (named_split(data, f"hm-unseen-1{scope}", path) for scope in ("", "-all"))
    for split in (within, everywhere):
        assert set(split.train["item_id"]) == {"s1", "s2"}
        assert split.validation.is_empty()
        assert set(split.test["item_id"]) == {"t1", "t2"}
    assert within.items == ("t1", "t2")
    assert asked(data, within)["u"] == (["s1", "s2"], ["s1", "s2", "s3"], ["t2"])
    assert asked(data, everywhere)["u"] == (["s1", "s2"], ["s1", "s2"], ["t2"])


def test_a_cold_split_is_its_base_with_thinned_items() -> None:
    """Sixty items have twelve users in train and five later: too few for 50 interactions, enough for 10."""
    old = [(f"u{user}", f"i{item}", 0.01 * user) for user in range(12) for item in range(60)]
    data = dataset(old + [(f"v{user}", f"i{item}", 5 + user + 0.001 * item) for user in range(5) for item in range(60)])
    made, base = cold_split(data, "cold"), named_split(data, "time")
    assert set(made.levels.values()) == {0, 1, 2, 5, 10}
    assert named_split(data, "cold").fingerprint == made.split.fingerprint != base.fingerprint
    assert set(made.split.test["item_id"]) <= set(made.levels)
    counted = dict(made.split.train.group_by("item_id").len().iter_rows())
    assert all(counted.get(item, 0) == level for item, level in made.levels.items())
    with pytest.raises(ConfigError, match="split 'time' has no thinned items; choose one of cold, hm-cold"):
        cold_split(data, "time")


@pytest.mark.parametrize("name", COLD_SPLITS)
def test_a_cold_split_bears_its_name(name: str, tmp_path: Path) -> None:
    events = [(f"u{user}", f"i{item}", 0.01 * user) for user in range(12) for item in range(60)]
    days = [(f"v{place}", f"i{place}", 5.0 + place) for place in range(2)]
    data = dataset(events + days)
    rows: list[tuple[str, ...]] = [
        (user, item, "test" if user.startswith("v") else "train") for user, item, _ in events + days
    ]
    path = parts_file(tmp_path, rows, "user_id", "item_id", "part")
    assert named_split(data, name, path).name == name


def test_a_missing_file_is_looked_for_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIFOCAL_DATA", raising=False)
    with pytest.raises(ConfigError, match=r"hm-time needs its file hm-time-targets\.parquet, None is none"):
        named_split(BASKETS, "hm-time")
    monkeypatch.setenv("TRIFOCAL_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match=r"hm-random needs its file hm-random\.parquet, .*hm-week"):
        named_split(BASKETS, "hm-random")
    (tmp_path / "hm-week").mkdir()
    parts_file(tmp_path / "hm-week", [("u", "a")], "user_id", "item_id").rename(
        tmp_path / "hm-week" / "hm-time-targets.parquet"
    )
    assert named_split(BASKETS, "hm-time").hidden["test"].height == 1


def test_the_wrong_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hides 1 pairs, toy has none"):
        named_split(BASKETS, "hm-time", parts_file(tmp_path, [("zz", "a")], "user_id", "item_id"))
    with pytest.raises(DataError, match="needs users with 3 events, toy has none"):
        named_split(dataset([("u", "a", 0), ("v", "a", 0)]), "ml1m-loo")
    with pytest.raises(DataError, match="needs 3 events with a time, toy has 0"):
        named_split(dataset([("u", "a", None)]), "ml100k-time")
    with pytest.raises(ConfigError, match="there is no split 'tme'; choose one of time, hm-random"):
        named_split(BASKETS, "tme")


def test_every_name_is_documented_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/evaluate.md").read_text(encoding="utf-8")
    for name in SPLIT_NAMES:
        assert name.replace("-all", "").rstrip("123").rstrip("-") in guide
