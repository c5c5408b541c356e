"""Off-policy estimates: by hand, unbiased and covering on a bandit whose truth is known, honest about clipping."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from trifocal.errors import ConfigError, DataError
from trifocal.feedback.experiments.estimates import Numbers
from trifocal.feedback.experiments.off_policy import LoggedDecisions, Method, estimate

METHODS: tuple[Method, ...] = ("ips", "snips", "doubly robust")


@dataclass(frozen=True)
class _Bandit:
    """Two contexts, three actions."""

    chances: Numbers
    logging: Numbers
    target: Numbers

    @property
    def truth(self) -> float:
        return float((self.target * self.chances).sum(axis=1).mean())

    def log(self, rng: np.random.Generator, decisions: int, *, model: float = 1.0) -> LoggedDecisions:
        """`model`: what the model's chances are off by, as a factor."""
        context = rng.integers(2, size=decisions)
        action = (self.logging[context].cumsum(axis=1) < rng.random((decisions, 1))).sum(axis=1)
        reward = (rng.random(decisions) < self.chances[context, action]).astype(np.float64)
        expected = self.chances * model
        return LoggedDecisions(
            reward,
            self.logging[context, action],
            self.target[context, action],
            expected[context, action],
            (self.target * expected).sum(axis=1)[context],
        )


BANDIT = _Bandit(
    chances=np.array([[0.1, 0.3, 0.5], [0.6, 0.2, 0.1]]),
    logging=np.array([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4]]),
    target=np.array([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]),
)


def test_by_hand() -> None:
    # w = 2, 0.5; w r = 2, 0; q = 0.5 throughout: 0.5 + 2 * 0.5 = 1.5, 0.5 - 0.5 * 0.5 = 0.25.
    half = np.array([0.5, 0.5])
    log = LoggedDecisions(np.array([1.0, 0.0]), np.array([0.25, 0.8]), np.array([0.5, 0.4]), half, half)
    assert [estimate(log, method).value for method in METHODS] == pytest.approx([1.0, 0.8, 0.875])
    found = estimate(log, "doubly robust", interval="normal")
    # standard error of 1.5 and 0.25: 0.625
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * 0.625)
    assert found.effective_decisions == pytest.approx(2.5**2 / 4.25)


@pytest.mark.parametrize("method", METHODS)
def test_the_interval_holds_the_truth_as_often_as_it_says(method: Method) -> None:
    rng = np.random.default_rng(7)
    found = [estimate(BANDIT.log(rng, 600), method) for _ in range(400)]
    assert np.mean([x.low <= BANDIT.truth <= x.high for x in found]) == pytest.approx(0.95, abs=0.03)
    assert np.mean([x.value for x in found]) == pytest.approx(BANDIT.truth, abs=0.01)


def test_a_good_model_narrows_and_a_wrong_one_does_no_harm() -> None:
    rng = np.random.default_rng(8)
    ips = estimate(BANDIT.log(rng, 5000), "ips")
    good = estimate(BANDIT.log(rng, 5000), "doubly robust")
    wrong = [estimate(BANDIT.log(rng, 600, model=0.2), "doubly robust") for _ in range(300)]
    assert good.high - good.low < 0.85 * (ips.high - ips.low)
    assert np.mean([x.low <= BANDIT.truth <= x.high for x in wrong]) == pytest.approx(0.95, abs=0.04)


def test_clipping_says_what_it_takes() -> None:
    log = BANDIT.log(np.random.default_rng(9), 20_000)
    free, clipped = estimate(log, "ips"), estimate(log, "ips", clip=2.0)
    assert 0.1 < clipped.lost_weight < 1
    assert free.value - clipped.lost_weight <= clipped.value < free.value
    assert clipped.high - clipped.low < free.high - free.low
    assert "clipping took" in clipped.warning
    assert free.warning == ""


def test_bernstein_is_wider_and_always_holds() -> None:
    log = BANDIT.log(np.random.default_rng(10), 2000)
    normal = estimate(log, "ips", clip=8.0, interval="normal")
    sure = estimate(log, "ips", clip=8.0, interval="empirical bernstein")
    assert sure.low < normal.low < normal.high < sure.high


def test_decisions_of_one_answer_count_as_one_draw() -> None:
    log = BANDIT.log(np.random.default_rng(11), 500)
    rewards, propensities, target = (np.repeat(column, 2) for column in (log.rewards, log.propensities, log.target))
    twice = LoggedDecisions(rewards, propensities, target, clusters=np.repeat(np.arange(500), 2))
    once, again = (estimate(each, "snips", interval="normal") for each in (log, twice))
    assert [again.low, again.high] == pytest.approx([once.low, once.high])


def test_little_evidence_and_missing_actions_are_said() -> None:
    log = BANDIT.log(np.random.default_rng(12), 80)
    assert "decisions' worth of evidence" in estimate(log).warning
    blind = replace(log, target=np.full(80, 0.9), propensities=np.full(80, 0.3))
    assert "never tried" in estimate(blind, "ips").warning


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensities": np.zeros(3)}, "3 propensities are outside"),
        ({"rewards": np.array([0.0, 2.0, 1.0])}, "1 rewards are outside 0..1, the first is 2"),
        ({"target": np.array([np.nan, 0, 0])}, "1 target are outside"),
        ({"rewards": np.zeros(2)}, r"columns of \[2, 3\] decisions"),
    ],
)
def test_a_log_that_cannot_be_is_refused(change: dict[str, Numbers], message: str) -> None:
    columns = {"rewards": np.zeros(3), "propensities": np.full(3, 0.5), "target": np.full(3, 0.5)} | change
    with pytest.raises(DataError, match=message):
        LoggedDecisions(columns["rewards"], columns["propensities"], columns["target"])


def test_a_method_that_lacks_something_is_refused() -> None:
    log = LoggedDecisions(np.zeros(3), np.full(3, 0.5), np.zeros(3))
    with pytest.raises(ConfigError, match="doubly robust needs"):
        estimate(log)
    with pytest.raises(DataError, match="none of the 3 logged actions"):
        estimate(log, "snips")
    with pytest.raises(ConfigError, match="needs ips, a clip"):
        estimate(log, "ips", interval="empirical bernstein")


def test_where_rewards_are_rare_the_plain_interval_is_too_narrow_and_the_default_is_not() -> None:
    rare = replace(BANDIT, chances=np.array([[0.02, 0.01, 0.02], [0.02, 0.01, 0.01]]))
    rng = np.random.default_rng(13)
    logs = [rare.log(rng, 300) for _ in range(300)]
    for method in METHODS:
        wilson, normal = ([estimate(log, method, interval=kind) for log in logs] for kind in ("wilson", "normal"))
        assert np.mean([x.low <= rare.truth <= x.high for x in wilson]) >= 0.94
        assert np.mean([x.low <= rare.truth <= x.high for x in normal]) < 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_log_without_a_reward_still_knows_something(method: Method) -> None:
    half, small = np.full(200, 0.5), np.full(200, 0.005)
    found = estimate(LoggedDecisions(np.zeros(200), half, half, small, small), method)
    assert found.low <= found.value == pytest.approx(0.0)
    # Exactly none of 200 leaves room up to 3.7 / 200.
    assert 0.015 < found.high < 0.04
