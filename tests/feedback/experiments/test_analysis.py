"""The analysis of simulated logs: figures against a count by hand, looks in order, wrong experiments refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.feedback.experiments.simulated import HALVES, START_S, simulated_events

from trifocal.errors import ConfigError, DataError
from trifocal.feedback.experiments.analysis import Experiment, look_at, looks_of
from trifocal.feedback.experiments.guard_rails import GuardRail
from trifocal.feedback.experiments.shoppers import event_frame

EXPERIMENT = Experiment("test", HALVES, shoppers=600)


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    return event_frame(simulated_events(500, {"control": 0.3, "candidate": 0.4}))


def test_the_ctr_is_that_of_a_count(events: pl.DataFrame) -> None:
    found = look_at(events, EXPERIMENT).metrics["ctr"]
    of_variant = events.filter(pl.col("variant") == "candidate")
    shown, clicked = (of_variant.filter(pl.col("event") == kind).height for kind in ("impression", "click"))
    assert found.reached["candidate"].mean == pytest.approx(clicked / shown)
    assert found.plain["candidate"].lift == pytest.approx(1 / 3, abs=0.12)


def test_history_takes_noise_out(events: pl.DataFrame) -> None:
    found = look_at(events, EXPERIMENT).metrics["ctr"]
    assert found.variance_left < 0.9
    plain, sharper = found.plain["candidate"], found.differences["candidate"]
    assert sharper.standard_error == pytest.approx(plain.standard_error * found.variance_left**0.5, rel=0.05)
    assert sharper.mean == pytest.approx(plain.mean, abs=2 * plain.standard_error)


def test_all_metrics_have_figures(events: pl.DataFrame) -> None:
    look = look_at(events, EXPERIMENT)
    assert set(look.metrics) == {"ctr", "conversion", "satisfaction"}
    assert all(0 < m.reached[v].mean < 1 for m in look.metrics.values() for v in HALVES)
    assert [rail.metric for rail in look.rails["candidate"]] == ["conversion", "satisfaction"]


def test_looks_come_after_every_so_many_shoppers_and_at_the_end(events: pl.DataFrame) -> None:
    looks = looks_of(events, EXPERIMENT, every=200)
    assert [look.shoppers for look in looks] == [200, 400, 500]
    assert looks[-1] == look_at(events, EXPERIMENT)
    assert len(looks_of(events, EXPERIMENT, every=10, most=4)) <= 5


def test_a_look_knows_nothing_of_later(events: pl.DataFrame) -> None:
    early = look_at(events, EXPERIMENT, until_s=START_S + 1e5 + 6000)
    cut = events.filter(pl.col("timestamp_s") <= START_S + 1e5 + 6000)
    assert early.shoppers == 101
    assert early.metrics["ctr"] == look_at(cut, EXPERIMENT).metrics["ctr"]


def test_a_log_without_sessions_has_no_satisfaction() -> None:
    events = event_frame(simulated_events(40, HALVES)).with_columns(session_id=pl.lit(None, dtype=pl.String))
    look = look_at(events, EXPERIMENT)
    assert set(look.metrics) == {"ctr", "conversion"}
    assert [rail.metric for rail in look.rails["candidate"]] == ["conversion"]


def test_several_candidates_share_the_chance_of_a_false_verdict() -> None:
    experiment = Experiment("test", {"control": 0.4, "b": 0.3, "c": 0.3}, shoppers=900)
    assert experiment.plan.alpha == pytest.approx(0.025)
    assert experiment.plan.shoppers == 600
    assert experiment.candidates == ("b", "c")


def test_a_log_of_other_variants_is_refused() -> None:
    events = event_frame(simulated_events(20, HALVES))
    with pytest.raises(DataError, match="nobody saw x, y; the log holds"):
        looks_of(events, Experiment("test", {"x": 0.5, "y": 0.5}, control="x"))


@pytest.mark.parametrize(
    ("shares", "control", "rails", "message"),
    [
        (HALVES, "old", (), "has no variant 'old'"),
        ({"control": 1.0}, "control", (), "has one variant"),
        (HALVES, "control", (GuardRail("speed"),), "watches 'speed'; known metrics are ctr"),
    ],
)
def test_an_experiment_that_compares_nothing_is_refused(
    shares: dict[str, float], control: str, rails: tuple[GuardRail, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Experiment("test", shares, control=control, rails=rails)


def test_an_early_look_with_one_variant_says_nothing() -> None:
    only = event_frame(simulated_events(30, HALVES)).filter(pl.col("variant").fill_null("") != "candidate")
    found = look_at(only, EXPERIMENT).metrics["ctr"]
    assert np.isnan(found.reached["candidate"].mean)
    assert found.differences["candidate"].p == 1.0
