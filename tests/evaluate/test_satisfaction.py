"""Four users, five logged sessions, lists of known items: what would have been hit, and how satisfied that was."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from trifocal.data.cases import Cases
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.errors import DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import Result
from trifocal.evaluate.satisfaction import HitSatisfaction, logged_satisfaction, offline_satisfaction
from trifocal.types import Request, UserId, Vocabulary

VOCABULARY = Vocabulary.of([f"i{row}" for row in range(30)])
USERS = ("ann", "bob", "cy", "dee")
CASES = Cases(tuple(UserId(u) for u in USERS), (Request(),) * 4, (np.array([0]),) * 4)
START = datetime(2026, 3, 2, tzinfo=UTC)
CONFIG = EvaluateConfig(bootstrap_samples=500)

# user, session, event, item. dee only looks; eve is nobody's case; session 1 is there for ann and for bob.
LOG = conform(
    pl.DataFrame(
        [
            ("ann", "1", "click", "i0"), ("ann", "1", "click", "i1"), ("ann", "2", "purchase", "i2"),
            ("bob", "1", "click", "i0"), ("bob", "3", "impression", "i5"), ("cy", "4", "click", "i6"),
            ("cy", "5", "click", "unknown"), ("dee", "6", "impression", "i0"), ("eve", "7", "click", "i0"),
        ],
        schema=["user_id", "session_id", "event", "item_id"],
        orient="row",
    ).with_columns(pl.lit(START).alias("timestamp")),
    EVENT_SCHEMA,
)  # fmt: skip
SESSIONS = pl.DataFrame(
    [
        ("ann", "1", 0.9), ("ann", "2", 0.3), ("bob", "1", 0.6), ("bob", "3", 0.0), ("cy", "4", None),
        ("cy", "5", 0.5), ("dee", "6", 0.0), ("eve", "7", 1.0), ("ann", "earlier", 0.1),
    ],
    schema=["user_id", "session_id", "satisfaction"],
    orient="row",
)  # fmt: skip


def lists(*rows: list[int], name: str = "model") -> Result:
    """A result whose lists start with `rows`, filled up with -1."""
    width = max(len(row) for row in rows)
    return Result(name, {}, np.array([row + [-1] * (width - len(row)) for row in rows]), 0.0)


def found(*results: Result) -> list[HitSatisfaction]:
    return offline_satisfaction(results, CASES, vocabulary=VOCABULARY, events=LOG, sessions=SESSIONS, config=CONFIG)


def test_hits_by_hand() -> None:
    # ann's session 1 is hit (twice, counts once), bob's is not: i0 stands in ann's list only.
    (one,) = found(lists([1, 0, 9], [9], [9], [0]))
    assert (one.name, one.hit, one.sessions, one.users) == ("model", 1, 4, 3)
    assert one.share == pytest.approx(1 / 4)
    assert one.satisfaction is not None
    assert (one.satisfaction.mean, one.satisfaction.low, one.satisfaction.high) == pytest.approx((0.9, 0.9, 0.9))


def test_the_mean_is_over_sessions_and_the_interval_over_users() -> None:
    (both,) = found(lists([0, 2], [0], [6], [0]))
    assert (both.hit, both.sessions) == (3, 4)
    assert both.satisfaction is not None
    # Sessions of 0.9, 0.3 and 0.6; a resample of ann and bob has (1.2 a + 0.6 b) / (2 a + b) = 0.6 whatever a and b.
    assert (both.satisfaction.mean, both.satisfaction.low, both.satisfaction.high) == pytest.approx((0.6, 0.6, 0.6))


def test_only_the_first_20_places_count() -> None:
    behind = [*range(9, 29), 0]
    assert found(lists(behind, [9], [9], [9]))[0].hit == 0
    assert found(lists(behind[1:], [9], [9], [9]))[0].hit == 1


def test_no_hit_has_no_mean_and_models_keep_their_order() -> None:
    none, some = found(lists([9], [9], [9], [9], name="none"), lists([0], [9], [9], [9], name="some"))
    assert (none.name, none.hit, none.share, none.satisfaction) == ("none", 0, 0, None)
    assert (some.name, some.hit) == ("some", 1)


def test_an_unknown_item_is_not_hit_by_the_filling_of_a_short_list() -> None:
    # cy took an item outside the vocabulary, whose row is -1.
    assert found(lists([9, 9], [9, 9], [9], [9, 9]))[0].hit == 0


def test_all_sessions_that_could_be_hit() -> None:
    every = logged_satisfaction(CASES, events=LOG, sessions=SESSIONS, config=CONFIG)
    # ann 0.9 and 0.3, bob 0.6, cy's session 5; session 4 has no score, 3 and 6 no positive event.
    assert (every.name, every.hit, every.sessions, every.users, every.share) == ("all sessions", 4, 4, 3, 1)
    assert every.satisfaction is not None
    assert every.satisfaction.mean == pytest.approx((0.9 + 0.3 + 0.6 + 0.5) / 4)
    assert 0.5 <= every.satisfaction.low < every.satisfaction.mean < every.satisfaction.high <= 0.6


def test_the_interval_is_that_of_the_normal_law_for_many_users() -> None:
    users = [f"u{row:04d}" for row in range(1600)]
    values = np.random.default_rng(0).uniform(0, 1, len(users))
    cases = Cases(tuple(UserId(u) for u in users), (Request(),) * 1600, (np.array([0]),) * 1600)
    frame = pl.DataFrame({"user_id": users, "session_id": users, "satisfaction": values})
    log = conform(
        frame.select("user_id", "session_id", pl.lit("click").alias("event"), pl.lit("i0").alias("item_id")),
        EVENT_SCHEMA,
    )
    # Half of the lists hit.
    result = lists(*[[0] if row % 2 else [1] for row in range(1600)])
    (one,) = offline_satisfaction([result], cases, vocabulary=VOCABULARY, events=log, sessions=frame)
    assert (one.hit, one.users) == (800, 1600)
    assert one.satisfaction is not None
    assert one.satisfaction.mean == pytest.approx(values[1::2].mean())
    # 1.96 * 0.2887 / sqrt(800) = 0.0200.
    assert (one.satisfaction.high - one.satisfaction.low) / 2 == pytest.approx(0.0200, rel=0.12)


def test_the_seed_decides() -> None:
    first, again, other = (
        logged_satisfaction(
            CASES, events=LOG, sessions=SESSIONS, config=EvaluateConfig(bootstrap_samples=101, seed=seed)
        )
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.users == other.users


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="result model is about 3 users, the cases about 4; evaluate again"):
        found(lists([0], [0], [0]))
    with pytest.raises(DataError, match="none of 9 scored sessions is of one of 4 asked users"):
        logged_satisfaction(CASES, events=LOG.clear(), sessions=SESSIONS)
