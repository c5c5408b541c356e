"""Part `off_policy`: how often the interval of an off-policy estimate holds the truth, on the shop's click model.

A visit has one exploration slot, filled from 20 candidates by a logging policy that is half chance; a click is worth 1.
The truth of a policy is exact: the expectation over every visit and candidate. Its estimates see a log of some visits:
who came, what was shown, with which propensity, whether it was clicked, and a rough guess of the shopper's taste.

Letters: S visits; K candidates of a visit; V logged visits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from benchmarks.feedback.plan import Setting
from benchmarks.feedback.shop_world import World, make_world
from benchmarks.table.figures import Goal, Measured

from trifocal.feedback.experiments.estimates import Numbers
from trifocal.feedback.experiments.off_policy import LoggedDecisions, Method, OffPolicyEstimate, estimate
from trifocal.types import IntArray

__all__ = ["GOALS", "METHODS", "POLICIES", "SIZES", "Slots", "draw_log", "make_slots", "measure"]

SIZES = ("off_policy_runs", "off_policy_visits", "products", "shoppers")
POLICIES = ("popular", "personal", "true taste with chance")
METHODS: tuple[Method, ...] = ("doubly robust", "snips", "ips")
# The one that the guide recommends.
_MAIN = METHODS[0]


def _name(policy: str, method: str) -> str:
    return f"truth within the 95 % interval, {policy}, {method}"


GOALS = tuple(Goal(_name(policy, _MAIN), "of runs", 0.9, "at least") for policy in POLICIES)

_CANDIDATES = 20
_SLOT = 3
# What a policy knows of a taste, and the half of the logging policy that is chance.
_GUESS_NOISE, _OTHER_NOISE, _CHANCE = 2.0, 1.0, 0.5
_NEWTON_STEPS, _RIDGE = 8, 1.0
_SEED = 7


@dataclass(frozen=True)
class Slots:
    """All visits with their candidates: what is known of them, what policies do, and the truth.

    Attributes:
        chances: (S, K) true chance of a click.
        features: (S, K, F) what a model of the reward may see.
        logging: (S, K) chances of the logging policy.
        targets: name -> (S, K) chances of a policy.
    """

    chances: Numbers
    features: Numbers
    logging: Numbers
    targets: Mapping[str, Numbers]

    def truth(self, policy: str) -> float:
        """Return the CTR that the policy really has."""
        return float((self.targets[policy] * self.chances).sum(axis=1).mean())


def measure(setting: Setting) -> Measured:
    """Estimate every policy by every method from each log."""
    sizes = setting.sizes
    slots = make_slots(make_world(sizes.products, sizes.shoppers, _SEED), np.random.default_rng([_SEED, 10]))
    values, detail = {}, {}
    found = [_run(slots, sizes.off_policy_visits, run) for run in range(sizes.off_policy_runs)]
    for policy in POLICIES:
        truth = slots.truth(policy)
        for method in METHODS:
            estimates = [run[policy, method] for run in found]
            values[_name(policy, method)] = float(np.mean([x.low <= truth <= x.high for x in estimates]))
            values[f"half of the interval over the truth, {policy}, {method}"] = float(
                np.mean([(x.high - x.low) / 2 / truth for x in estimates])
            )
        detail[policy] = {"truth": truth, "effective decisions": found[0][policy, _MAIN].effective_decisions}
    return Measured(values, _notes(slots, sizes.off_policy_runs, sizes.off_policy_visits), _units(values), detail)


def make_slots(world: World, rng: np.random.Generator) -> Slots:
    """Return one slot a visit, with random candidates."""
    shape = (len(world), _CANDIDATES)
    items = rng.random((len(world), len(world.utility.products))).argpartition(_CANDIDATES, axis=1)[:, :_CANDIDATES]
    taste = world.utilities(items)
    quality = world.utility.products.quality[items].astype(np.float64)
    looked = world.looked_at(_SLOT)[:, -1:]
    guess, other = (taste + noise * rng.standard_normal(shape) for noise in (_GUESS_NOISE, _OTHER_NOISE))
    logging = _CHANCE / _CANDIDATES + (1 - _CHANCE) * _softmax(guess)
    targets = (_softmax(3 * quality), _softmax(2 * other), 0.7 * _softmax(taste) + 0.3 / _CANDIDATES)
    scaled = (guess - world.utility.weights.click_threshold) / _GUESS_NOISE
    features = np.stack([np.ones(shape), scaled, scaled**2 / 4, quality, np.broadcast_to(looked, shape)], axis=-1)
    return Slots(looked * world.wish(taste), features, logging, dict(zip(POLICIES, targets, strict=True)))


def draw_log(slots: Slots, visits: int, policy: str, rng: np.random.Generator) -> LoggedDecisions:
    """Return a log of `visits`, seen from the policy, with a model of the reward that is fitted crosswise on halves."""
    visit = rng.integers(len(slots.chances), size=visits)
    action = (slots.logging[visit].cumsum(axis=1) < rng.random((visits, 1))).sum(axis=1).clip(max=_CANDIDATES - 1)
    reward = (rng.random(visits) < slots.chances[visit, action]).astype(np.float64)
    expected = _crosswise(slots.features[visit], action, reward)
    target = slots.targets[policy][visit]
    taken = np.arange(visits)
    return LoggedDecisions(
        reward,
        slots.logging[visit, action],
        target[taken, action],
        expected[taken, action],
        (target * expected).sum(axis=1),
    )


def _run(slots: Slots, visits: int, run: int) -> dict[tuple[str, Method], OffPolicyEstimate]:
    found: dict[tuple[str, Method], OffPolicyEstimate] = {}
    for policy in POLICIES:
        # The same log for each policy: the seed is the run's.
        log = draw_log(slots, visits, policy, np.random.default_rng([_SEED, 20, run]))
        found |= {(policy, method): estimate(log, method) for method in METHODS}
    return found


def _crosswise(features: Numbers, action: IntArray, reward: Numbers) -> Numbers:
    """Return (V, K) expected rewards, each half's from a model of the other half."""
    expected = np.zeros(features.shape[:2])
    half = np.arange(len(action)) % 2 == 0
    taken = features[np.arange(len(action)), action]
    for rows in (half, ~half):
        expected[rows] = _sigmoid(features[rows] @ _logistic(taken[~rows], reward[~rows]))
    return expected


def _logistic(features: Numbers, reward: Numbers) -> Numbers:
    """Return (F,) weights of a logistic regression with a light ridge, by Newton's method."""
    weights = np.zeros(features.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = _sigmoid(features @ weights)
        slope = features.T @ (chance - reward) + _RIDGE * weights
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + _RIDGE * np.eye(len(weights))
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def _sigmoid(scores: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-scores.clip(-30, 30))))


def _softmax(scores: Numbers) -> Numbers:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _notes(slots: Slots, runs: int, visits: int) -> dict[str, str]:
    return {
        goal.name: f"{runs} logs of {visits:,} visits; true CTR {slots.truth(policy):.4f}"
        for goal, policy in zip(GOALS, POLICIES, strict=True)
    }


def _units(values: Mapping[str, float]) -> dict[str, str]:
    return {name: "of runs" if name.startswith("truth within") else "of the truth" for name in values}
