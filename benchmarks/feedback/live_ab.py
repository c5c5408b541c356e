"""ALS against Trifocal on the living shop: a server assigns, shoppers come, the always-valid test stops it.

A shopper counts once all visits are over. Only recommendations count: a search is answered alike in both variants.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.feedback.live_world import served
from benchmarks.feedback.plan import Setting
from benchmarks.table.figures import Measured

from trifocal.columns import CATEGORY, ITEM_ID
from trifocal.data.shop.live import (
    ShopClient,
    VisitDone,
    open_http,
    plan_live,
    read_world,
    result_json,
    simulate_visits,
)
from trifocal.feedback.experiments import MeanEstimate, SequentialPlan, SequentialTest, compare, ratio_estimate
from trifocal.feedback.experiments.shoppers import METRICS, exposures, read_events, shopper_table
from trifocal.feedback.sql import SqlEventStore

__all__ = ["CANDIDATE", "CONTROL", "STOPPED", "Peeks", "Shopper", "measure_ab"]

STOPPED = "the A/B test stopped by itself"
CONTROL, CANDIDATE = "als", "trifocal"
_EVERY = 100
_SEED = 11
_THREADS = 3
_Z = 1.959964
# Without guard rails, so that nothing but the test ends it.
_SETTINGS = """[serve.experiment]
name = "als-or-trifocal"
salt = "the living shop"
guard_rails = []

[[serve.experiment.variants]]
name = "als"
share = 0.5
model = "als"

[[serve.experiment.variants]]
name = "trifocal"
share = 0.5
"""


@dataclass
class Shopper:
    """What one shopper did on recommendations, over all visits so far."""

    variant: str = ""
    impressions: int = 0
    clicks: int = 0
    bought: bool = False
    content: float = 0.0
    visits: int = 0

    def take(self, visit: VisitDone) -> None:
        """Add a visit."""
        pages = [page for page in visit.pages if not page.is_search]
        clicks = sum(page.clicks for page in pages)
        self.variant = self.variant or visit.variant
        self.impressions += sum(page.impressions for page in pages)
        self.clicks += clicks
        self.bought = self.bought or any(page.purchases for page in pages)
        self.visits += bool(pages)
        self.content += sum(page.content for page in pages) / clicks if clicks else 0.0


@dataclass
class Peeks:
    """Looks at the click rates after every hundred shoppers; called after each visit, False = they differ.

    Attributes:
        shoppers: those whose visits are all over, in the order in which they ended.
    """

    test: SequentialTest
    visits_per_shopper: int
    every: int = _EVERY
    shoppers: list[Shopper] = field(default_factory=list)
    looks: list[dict[str, float]] = field(default_factory=list)
    _running: dict[str, Shopper] = field(default_factory=dict)

    def __call__(self, visit: VisitDone) -> bool:
        """Take a visit; return whether to go on."""
        shopper = self._running.setdefault(visit.user_id, Shopper())
        shopper.take(visit)
        if visit.visit_number + 1 < self.visits_per_shopper:
            return True
        self.shoppers.append(self._running.pop(visit.user_id))
        if len(self.shoppers) % self.every:
            return True
        now = self.test.look(self.estimate(CONTROL, "ctr"), self.estimate(CANDIDATE, "ctr"))
        self.looks.append(
            {"shoppers": len(self.shoppers), "mean": now.mean, "low": now.low, "high": now.high, "p": now.p}
        )
        return not self.test.stopped

    def estimate(self, variant: str, metric: str) -> MeanEstimate:
        """Return `ctr`, `conversion` or `satisfaction` (the true one) of the shoppers of `variant`."""
        own = [shopper for shopper in self.shoppers if shopper.variant == variant]
        pairs = {
            "ctr": [(shopper.clicks, shopper.impressions) for shopper in own],
            "conversion": [(float(shopper.bought), 1) for shopper in own],
            "satisfaction": [(shopper.content, shopper.visits) for shopper in own],
        }[metric]
        found = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        return ratio_estimate(found[:, 0], found[:, 1])


def measure_ab(setting: Setting, shop: Path, bundle: Path) -> Measured:
    """Serve both variants and let shoppers come until the test stops, or all have come."""
    sizes, folder = setting.sizes, setting.out / "live-ab"
    folder.mkdir(parents=True, exist_ok=True)
    config, events = folder / "serve.toml", folder / "events.sqlite"
    config.write_text(_SETTINGS, encoding="utf-8")
    for old in folder.glob("events.sqlite*"):
        old.unlink()
    world = read_world(shop)
    plan = plan_live(
        world, shoppers=sizes.ab_shoppers, visits_per_shopper=sizes.ab_visits, seed=_SEED, shoppers_per_day=_EVERY
    )
    peeks = Peeks(SequentialTest(SequentialPlan(sizes.ab_shoppers)), sizes.ab_visits)
    with (
        served(bundle, folder / "serve.log", config=config, events=events) as server,
        open_http(server.address, connections=_THREADS) as http,
    ):
        result = simulate_visits(world, plan, ShopClient(http), concurrency=_THREADS, on_visit=peeks)
    categories = pl.read_parquet(shop / "items.parquet", columns=[ITEM_ID, CATEGORY])
    found = {metric: [peeks.estimate(variant, metric) for variant in (CONTROL, CANDIDATE)] for metric in _METRICS}
    found["measured satisfaction"] = _measured_satisfaction(events, categories)
    detail: dict[str, object] = {"looks": peeks.looks, "simulation": result_json(result)}
    return _figures(peeks, found, detail)


# Name of `Peeks.estimate` -> name in the table.
_METRICS = {"ctr": "CTR", "conversion": "conversion of shoppers", "satisfaction": "true satisfaction"}


def _measured_satisfaction(events: Path, categories: pl.DataFrame) -> list[MeanEstimate]:
    """Return the score that the service itself can measure, of both variants, over everybody who came."""
    store = SqlEventStore(events)
    try:
        log = read_events(store)
    finally:
        store.close()
    table = shopper_table(log, exposures(log, (CONTROL, CANDIDATE)), categories=categories)
    metric = METRICS["satisfaction"]
    found = []
    for variant in (CONTROL, CANDIDATE):
        own = table.filter(pl.col("variant") == variant)
        found.append(ratio_estimate(own[metric.top].to_numpy(), own[metric.bottom].to_numpy()))
    return found


def _figures(peeks: Peeks, found: dict[str, list[MeanEstimate]], detail: dict[str, object]) -> Measured:
    shoppers, plan = len(peeks.shoppers), peeks.test.plan
    values: dict[str, float] = {STOPPED: float(peeks.test.stopped), "shoppers until the stop": float(shoppers)}
    notes = {STOPPED: f"after {shoppers:,} shoppers, p {peeks.test.least_p:.2g}, looked at after every {_EVERY}"}
    units: dict[str, str] = {}
    for metric, (control, candidate) in found.items():
        name = _METRICS.get(metric, metric)
        for variant, estimate in ((CONTROL, control), (CANDIDATE, candidate)):
            key = f"{name}, {variant}"
            values[key], notes[key] = estimate.mean, _interval(estimate)
        difference = compare(control, candidate, plan)
        lift = f"lift of {name}"
        values[lift], units[lift] = 100 * difference.lift, "%"
        notes[lift] = f"difference {difference.mean:.4f}, always valid {difference.low:.4f} to {difference.high:.4f}"
        detail[name] = {CONTROL: asdict(control), CANDIDATE: asdict(candidate), "difference": asdict(difference)}
    # Where too few came there is no ratio; JSON has no such numbers.
    finite = {name: value for name, value in values.items() if np.isfinite(value)}
    return Measured(finite, notes, units, _plain(detail))


def _interval(estimate: MeanEstimate) -> str:
    reach = _Z * estimate.standard_error
    return f"{estimate.mean - reach:.4f} to {estimate.mean + reach:.4f}, {estimate.shoppers:,} shoppers"


def _plain(detail: dict[str, object]) -> dict[str, object]:
    """Return `detail` with None where a number is not finite."""

    def cleaned(value: object) -> object:
        if isinstance(value, dict):
            return {name: cleaned(one) for name, one in value.items()}
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        return None if isinstance(value, float) and not np.isfinite(value) else value

    return {name: cleaned(value) for name, value in detail.items()}
