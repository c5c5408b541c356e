"""Part `peeking`: tests on the sample shop's click model that are looked at after every 100 shoppers.

A/A tests show how often a test stops although there is no difference; A/B tests, with a candidate that knows the
shoppers somewhat better, how often and when a real one is found. Each shopper comes once and sees one page.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.feedback.plan import Setting
from benchmarks.feedback.shop_world import World, make_world
from benchmarks.table.figures import Goal, Measured

from trifocal.data.shop.behaviour import react
from trifocal.feedback.experiments.analysis import DEFAULT_RAILS
from trifocal.feedback.experiments.assignment import Assignment
from trifocal.feedback.experiments.estimates import MeanEstimate, Numbers, ratio_estimate
from trifocal.feedback.experiments.guard_rails import check_rail
from trifocal.feedback.experiments.sample_ratio import MISMATCH_P, always_valid_mismatch_p
from trifocal.feedback.experiments.sequential import LEAST_SHOPPERS, SequentialPlan, compare
from trifocal.types import BoolArray, IntArray

__all__ = ["GOALS", "SIZES", "Stops", "measure", "peeked"]

SIZES = ("aa_simulations", "aa_shoppers", "products", "shoppers")
GOALS = (Goal("A/A tests stopped although there is no difference", "of tests", 0.05),)

_EVERY = 100
_SHARES = {"control": 0.5, "candidate": 0.5}
_PLACES = 10
# How far the recommenders are off, in utility: a CTR about that of the shop, and a candidate some per cent above it.
_CONTROL_NOISE, _CANDIDATE_NOISE = 5.0, 4.7
_SEED = 7
_Z = 1.959964


# (S, places) utilities of the page that each shopper is shown; places past its end are no impression.
_Page = Numbers
# Metric -> top and bottom of each shopper.
_Columns = dict[str, tuple[Numbers, Numbers]]


@dataclass(frozen=True)
class Stops:
    """After how many shoppers one test stopped, and by what; None = never.

    Attributes:
        primary: by the difference of the CTR.
        rails: by a guard rail.
        ratio: by the sample ratio.
        fixed: a z test of the CTR would have, looked at as often.
        fixed_once: likewise, looked at only at the end.
    """

    primary: int | None
    rails: int | None
    ratio: int | None
    fixed: int | None
    fixed_once: int | None

    @property
    def whole(self) -> int | None:
        """The first of primary metric, guard rails and sample ratio."""
        return min((at for at in (self.primary, self.rails, self.ratio) if at is not None), default=None)


def measure(setting: Setting) -> Measured:
    """Run both kinds of test."""
    sizes = setting.sizes
    world = make_world(sizes.products, sizes.shoppers, _SEED)
    control, candidate = (_pages(world, noise, place) for place, noise in enumerate((_CONTROL_NOISE, _CANDIDATE_NOISE)))
    kinds = {"A/A": (control, control), "A/B": (control, candidate)}
    found = {
        kind: [peeked(world, pages, sizes.aa_shoppers, (_SEED, code, run)) for run in range(sizes.aa_simulations)]
        for code, (kind, pages) in enumerate(kinds.items())
    }
    lift = _ctr(world, candidate) / _ctr(world, control) - 1
    return _figures(found["A/A"], found["A/B"], lift, sizes.aa_shoppers)


def peeked(world: World, pages: tuple[_Page, _Page], shoppers: int, seed: Sequence[int]) -> Stops:
    """Return when a test of two variants stops that is looked at after every 100 of `shoppers`."""
    rng = np.random.default_rng(list(seed))
    assignment = Assignment("peeking", "-".join(map(str, seed)), _SHARES)
    treated = np.array([assignment.variant(str(row)) == "candidate" for row in range(shoppers)])
    drawn = rng.integers(len(world), size=shoppers)
    columns = _outcomes(world, pages, drawn, treated, rng)
    plan = SequentialPlan(shoppers // 2)
    stops = _Record()
    for count in (*range(_EVERY, shoppers, _EVERY), shoppers):
        _look(stops, columns, treated, count, plan)
    once = stops.last_z is not None and stops.last_z > _Z
    return Stops(stops.primary, stops.rails, stops.ratio, stops.fixed, shoppers if once else None)


@dataclass
class _Record:
    primary: int | None = None
    rails: int | None = None
    ratio: int | None = None
    fixed: int | None = None
    last_z: float | None = None


def _look(stops: _Record, columns: _Columns, treated: BoolArray, count: int, plan: SequentialPlan) -> None:
    """Note in `stops` what stops after `count` shoppers and has not stopped before."""
    of_candidate = treated[:count]
    control, candidate = _reached(columns["ctr"], of_candidate)
    found = compare(control, candidate, plan)
    enough = min(control.shoppers, candidate.shoppers) >= LEAST_SHOPPERS
    stops.last_z = abs(found.mean) / found.standard_error if enough else None
    seen = {"candidate": int(of_candidate.sum())}
    seen["control"] = count - seen["candidate"]
    hurt = any(check_rail(rail, *_reached(columns[rail.metric], of_candidate), plan).stop for rail in DEFAULT_RAILS)
    happened = {
        "primary": found.p <= plan.alpha,
        "rails": hurt,
        "ratio": always_valid_mismatch_p(seen, _SHARES) <= MISMATCH_P,
        "fixed": stops.last_z is not None and stops.last_z > _Z,
    }
    for name, stopped in happened.items():
        if stopped and getattr(stops, name) is None:
            setattr(stops, name, count)


def _reached(column: tuple[Numbers, Numbers], of_candidate: BoolArray) -> tuple[MeanEstimate, MeanEstimate]:
    top, bottom = (values[: len(of_candidate)] for values in column)
    control, candidate = (ratio_estimate(top[rows], bottom[rows]) for rows in (~of_candidate, of_candidate))
    return control, candidate


def _outcomes(
    world: World, pages: tuple[_Page, _Page], drawn: IntArray, treated: BoolArray, rng: np.random.Generator
) -> _Columns:
    """Return top and bottom of each metric for the shoppers `drawn`, in the order in which they come."""
    utilities = np.where(treated[:, None], pages[1][drawn], pages[0][drawn])
    place = np.broadcast_to(np.arange(1, utilities.shape[1] + 1), utilities.shape)
    shown = place <= world.page_sizes[drawn][:, None]
    device = np.broadcast_to(world.devices[drawn][:, None], utilities.shape)
    threshold = world.utility.weights.click_threshold
    done = react(utilities.reshape(-1), place.reshape(-1), device.reshape(-1), threshold, rng)
    clicked, bought = (flat.reshape(utilities.shape) & shown for flat in (done.clicked, done.bought))
    clicks = clicked.sum(axis=1).astype(np.float64)
    content = (world.content(utilities) * clicked).sum(axis=1) / np.maximum(clicks, 1)
    ones = np.ones(len(drawn))
    return {
        "ctr": (clicks, shown.sum(axis=1).astype(np.float64)),
        "conversion": (bought.any(axis=1).astype(np.float64), ones),
        "satisfaction": (content, ones),
    }


def _pages(world: World, noise: float, place: int) -> _Page:
    items = world.best_under_noise(noise, _PLACES, np.random.default_rng([_SEED, 100 + place]))
    return world.utilities(items)


def _ctr(world: World, page: _Page) -> float:
    clicks = world.wish(page) * world.looked_at(_PLACES)
    return float(clicks.sum() / world.page_sizes.sum())


def _figures(same: Sequence[Stops], different: Sequence[Stops], lift: float, shoppers: int) -> Measured:
    goal = GOALS[0].name
    looked = f"looks after every {_EVERY} of {shoppers:,} shoppers"
    values = {
        goal: _share([run.whole for run in same]),
        "A/A, by the CTR alone": _share([run.primary for run in same]),
        "A/A, by a guard rail": _share([run.rails for run in same]),
        "A/A, by the sample ratio": _share([run.ratio for run in same]),
        "A/A, a z test at .05 looked at as often": _share([run.fixed for run in same]),
        "A/B, true lift of the CTR": lift,
        "A/B tests that found the difference": _share([run.primary for run in different]),
        "A/B, a z test looked at once at the end": _share([run.fixed_once for run in different]),
    }
    found = [run.primary for run in different if run.primary is not None]
    if found:
        values["A/B, shoppers when it was found, median"] = statistics.median(found)
    units = dict.fromkeys(values, "of tests")
    units |= {"A/B, true lift of the CTR": "", "A/B, shoppers when it was found, median": "shoppers"}
    notes = {goal: f"{len(same)} tests, {looked}; stopped by CTR, guard rail or sample ratio"}
    notes["A/B tests that found the difference"] = f"{len(different)} tests, {looked}"
    return Measured(
        values, notes, units, {"A/A": [run.whole for run in same], "A/B": [run.primary for run in different]}
    )


def _share(stops: Sequence[int | None]) -> float:
    return sum(at is not None for at in stops) / len(stops)
