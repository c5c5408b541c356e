from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.train.test_knowledge import training_data

from trifocal.model.evidence import EVIDENCE, EvidenceTables, HeldOut, evidence_columns, evidence_of, today
from trifocal.train.knowledge import evidence_tables
from trifocal.types import Context, FloatArray, History

DAY = 86_400
NOON = 100 * DAY
HALF = 0.5**0.5
COLUMNS = (*EVIDENCE, "attribute")
# Four items: 0 and 1 at right angles in words, 2 between them, 3 without any; one attribute and the price.
TABLES = EvidenceTables(
    text=np.array([[1, 0], [0, 1], [HALF, HALF], [0, 0]], np.float32),
    image=np.array([[0, 1], [0, 0], [0, 1], [0, -1]], np.float32),
    attributes=np.array([[1, 2], [2, 4], [1, 5], [0, 0]]),
    counts=np.array([4, 9, 3, 0], np.float32),
    device_counts=np.array([[0, 1, 3], [0, 9, 0], [0, 1, 2], [0, 0, 0]], np.float32),
    newest_counts=np.array([1, 0, 2, 0], np.float32),
    pairs=np.array([0 * 4 + 1, 0 * 4 + 2, 1 * 4 + 0, 2 * 4 + 0]),
    pair_counts=np.array([1, 2, 1, 2], np.float32),
    newest_from_s=np.array([NOON]),
)
# Took item 0 the day before and item 1 an hour ago.
HISTORY = History(
    np.array([0, 1]),
    np.ones(2, np.int64),
    np.array([NOON - DAY, NOON - 3600]),
    np.ones(2, np.int64),
    np.ones(2, np.int64),
)
CONTEXT = Context(NOON, device_code=2)


def row(
    candidate: int, history: History = HISTORY, context: Context = CONTEXT, held_out: HeldOut | None = None
) -> dict[str, float]:
    """What is known of `candidate` beside item 3, whose memory is 0.5 and 0.25 more."""
    memory = np.array([0.25, 0.75], np.float32)
    found = evidence_of(TABLES, np.array([candidate, 3]), history, context, memory, memory * np.float32(0.5), held_out)
    assert found.shape == (2, evidence_columns(2))
    assert found.dtype == np.float32
    return dict(zip(COLUMNS, found[0].tolist(), strict=True))


def test_every_column_by_hand() -> None:
    mean = 5 / 16  # events on device 2 among all
    expected = {
        "memory": 0.25,
        "memory_behind_best": -0.5,
        "memory_today": 0.125,
        "log_popularity": np.log(4),
        "channel_share": (2 + 5 * mean) / (3 + 5) - mean,
        "trend": 2 / (3 + 5),
        # Cosine 0.7071 to both; to the fourth power a quarter each.
        "text_nearest": HALF,
        "text_sum": 0.5,
        "text_mean": 0.25,
        "text_newest": HALF,
        # The picture of item 0 is the same, item 1 has none.
        "image_nearest": 1.0,
        "image_sum": 1.0,
        "image_mean": 0.5,
        "image_newest": 0.0,
        # Two users took 0 and 2: 2 / (3 * 4)^0.5; nobody took 1 and 2.
        "together_sum": 2 / 12**0.5,
        "together_nearest": 2 / 12**0.5,
        "together_items": 1.0,
        "together_users": 2.0,
        # Bucket 5 after buckets 2 and 4.
        "price_level": 5.0,
        "price_difference": 2.0,
        "price_nearest": 1.0,
        "log_history": np.log(3),
        "today_share": 0.5,
        "attribute": 0.5,
    }
    assert row(2) == pytest.approx(expected, abs=1e-6)


def test_an_item_of_which_nothing_is_known_is_all_zero_beside_the_memory() -> None:
    known = row(3)
    zero = {name for name, value in known.items() if value == 0}
    pictures_apart = {name for name in COLUMNS if name.startswith(("text", "image", "together", "price"))}
    assert pictures_apart | {"log_popularity", "trend", "attribute"} <= zero
    # Five pseudo-events at the mean are the mean itself.
    assert known["channel_share"] == pytest.approx(0)


def test_what_was_held_out_counts_less() -> None:
    mean = 5 / 16
    whole, held = row(2), row(2, held_out=HeldOut(np.array([True, False]), newest=True))
    expected = whole | {
        "log_popularity": np.log(3),
        "channel_share": (1 + 5 * mean) / (2 + 5) - mean,
        "trend": 1 / (2 + 5),
        "together_sum": 1 / 8**0.5,
        "together_nearest": 1 / 8**0.5,
        "together_users": 1.0,
    }
    assert held == pytest.approx(expected, abs=1e-6)
    earlier = row(2, held_out=HeldOut(np.array([True, False]), newest=False))
    assert earlier["trend"] == pytest.approx(2 / 7)
    assert row(2, held_out=HeldOut(np.array([False, True]), newest=True)) == whole


def test_counts_never_fall_below_nothing() -> None:
    held = row(3, held_out=HeldOut(np.array([True, True]), newest=True))
    assert (held["log_popularity"], held["trend"], held["together_users"]) == (0, 0, 0)


def test_a_stranger_has_the_item_s_own_evidence_alone() -> None:
    found, known = row(2, History()), row(2)
    own = {"memory", "memory_behind_best", "memory_today", "log_popularity", "channel_share", "trend"}
    assert {name: found[name] for name in own} == {name: known[name] for name in own}
    assert {found[name] for name in COLUMNS if name not in own} == {0.0}


def test_unknown_times_are_of_today() -> None:
    assert today(HISTORY, CONTEXT).tolist() == [False, True]
    assert today(HISTORY, Context()).tolist() == [True, True]
    assert today(History.of_rows([0, 1]), CONTEXT).tolist() == [True, True]
    assert row(2, History.of_rows([0, 1]))["today_share"] == 1


@pytest.mark.parametrize("device", [0, 3])
def test_an_unknown_device_says_nothing(device: int) -> None:
    assert row(2, context=Context(NOON, device))["channel_share"] == 0


def test_a_price_is_compared_with_known_ones_alone() -> None:
    found = row(2, History.of_rows([3, 0]))
    assert (found["price_level"], found["price_difference"], found["price_nearest"]) == (5, 3, 3)
    nothing = row(2, History.of_rows([3]))
    assert (nothing["price_level"], nothing["price_difference"], nothing["price_nearest"]) == (0, 0, 0)


def test_without_pairs_nothing_was_taken_together() -> None:
    none = replace(TABLES, pairs=np.zeros(0, np.int64), pair_counts=np.zeros(0, np.float32))
    assert none.taken_together(np.array([0, 1]), np.array([2, 3, 1])).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert TABLES.taken_together(np.array([0, 1]), np.array([2, 3, 1])).tolist() == [[2, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_of_what_was_held_out_leaks(tmp_path: Path, seed: int) -> None:
    """Evidence less the user's own = evidence of tables that never saw what was held out, clicked on three times."""
    data = training_data(tmp_path, seed)
    history = data.histories["u0"]
    target = int(history.item_rows[-1])
    hidden = history.item_rows == target
    shown = history.at(~hidden)
    without = replace(data, histories={**data.histories, "u0": shown})
    context = Context(int(history.timestamps_s[hidden][0]), int(history.device_codes[hidden][0]))
    found, expected = (
        evidence_of(
            evidence_tables(part, data.features, ("text", "image"), 4),
            np.array([target]),
            shown,
            context,
            np.zeros(1, np.float32),
            np.zeros(1, np.float32),
            held_out,
        )[0]
        for part, held_out in ((data, HeldOut(np.array([True]), newest=True)), (without, None))
    )
    share = EVIDENCE.index("channel_share")
    # The mean over all items, to which the share is drawn, knows the event: one in some two hundred.
    assert abs(found[share] - expected[share]) < 0.01
    np.testing.assert_allclose(_less(found, share), _less(expected, share), atol=1e-5)


def _less(evidence: FloatArray, column: int) -> FloatArray:
    found: FloatArray = np.delete(evidence, column)
    return found


def test_pairs_are_found_alike_by_row_and_by_key() -> None:
    generator = np.random.default_rng(0)
    size = 30
    keys = np.unique(generator.integers(0, size * size, 200))
    tables = replace(
        TABLES,
        counts=np.ones(size, np.float32),
        pairs=keys,
        pair_counts=generator.integers(1, 9, len(keys)).astype(np.float32),
    )
    history, candidates = generator.choice(size, 6, replace=False), generator.choice(size, 12, replace=False)
    pairs = tables.taken_pairs
    links = pairs.starts[history + 1] - pairs.starts[history]
    found = pairs._found_by_row(history, candidates, links)
    assert found.any()
    np.testing.assert_array_equal(found, pairs._found_by_key(history, candidates))
    np.testing.assert_array_equal(found, tables.taken_together(history, candidates))


def test_an_item_that_joins_was_taken_with_none_and_changes_no_other_count() -> None:
    size = len(TABLES.counts)
    grown = TABLES.grown(
        text=np.concatenate([TABLES.text[np.arange(size)], TABLES.text[np.array([0])]]),
        image=np.concatenate([TABLES.image[np.arange(size)], TABLES.image[np.array([0])]]),
        attributes=np.concatenate([TABLES.attributes, TABLES.attributes[:1]]),
        counts=np.append(TABLES.counts, np.float32(0)),
        device_counts=np.concatenate([TABLES.device_counts, np.zeros_like(TABLES.device_counts[:1])]),
        newest_counts=np.append(TABLES.newest_counts, np.float32(0)),
    )
    rows, every = np.arange(size), np.arange(size + 1)
    found = grown.taken_together(every, every)
    assert not found[size].any()
    assert not found[:, size].any()
    np.testing.assert_array_equal(found[:size, :size], TABLES.taken_together(rows, rows))
