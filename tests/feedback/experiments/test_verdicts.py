"""Verdicts on simulated logs: better, worse, harmful, broken, open."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.feedback.experiments.simulated import HALVES, simulated_events

from trifocal.feedback.experiments.analysis import Experiment, looks_of
from trifocal.feedback.experiments.guard_rails import GuardRail
from trifocal.feedback.experiments.shoppers import event_frame
from trifocal.feedback.experiments.verdicts import Outcome, least_p, verdict_of

EXPERIMENT = Experiment("test", HALVES, shoppers=600, rails=())


@pytest.mark.parametrize(
    ("candidate", "outcome", "said"),
    [(0.5, "better", "CTR \\+0.1"), (0.15, "worse", "CTR -0.1"), (0.3, "open", "either way")],
)
def test_the_primary_metric_decides(candidate: float, outcome: Outcome, said: str) -> None:
    events = event_frame(simulated_events(500, {"control": 0.3, "candidate": candidate}))
    looks = looks_of(events, EXPERIMENT, every=250)
    found = verdict_of(looks, EXPERIMENT, "candidate")
    assert found.outcome == outcome
    assert found.stop is (outcome != "open")
    assert re.search(said, found.because)
    assert (least_p(looks, "ctr", "candidate") <= 0.05) is found.stop


def test_a_rail_stops_before_the_primary_metric_does() -> None:
    experiment = Experiment("test", HALVES, shoppers=600, primary="conversion", rails=(GuardRail("ctr", 0.05),))
    events = event_frame(simulated_events(500, {"control": 0.3, "candidate": 0.2}))
    found = verdict_of(looks_of(events, experiment, every=250), experiment, "candidate")
    assert found.outcome == "harmful"
    assert "CTR loses at least" in found.because


def test_lost_shoppers_break_the_experiment_whatever_was_certain_before() -> None:
    events = event_frame(simulated_events(700, {"control": 0.3, "candidate": 0.5}, lost=0.4))
    looks = looks_of(events, EXPERIMENT, every=200)
    found = verdict_of(looks, EXPERIMENT, "candidate")
    assert found.outcome == "broken"
    assert "meant: control 50%, candidate 50%" in found.because


def test_what_was_certain_once_stands() -> None:
    events = event_frame(simulated_events(500, {"control": 0.3, "candidate": 0.5}))
    look = looks_of(events, EXPERIMENT, every=500)[-1]
    figures = look.metrics["ctr"]
    later = {name: replace(found, p=1.0) for name, found in figures.differences.items()}
    unsure = replace(look, metrics={"ctr": replace(figures, differences=later)})
    assert verdict_of((look, unsure), EXPERIMENT, "candidate").outcome == "better"
    assert verdict_of((unsure,), EXPERIMENT, "candidate").outcome == "open"
