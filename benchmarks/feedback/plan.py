"""How large the benchmark of the feedback loop is: the full size, and a quick one that shows that every part works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["FULL", "QUICK", "Setting", "Sizes"]


@dataclass(frozen=True)
class Sizes:
    """Everything that bears on a figure; what was stored with other sizes is measured again.

    Attributes:
        kills: times that a writer is killed.
        kill_events: events that it would write if it were left alone.
        rate_events: events of the measurement of the rate.
        aa_simulations: tests of a variant against itself.
        aa_shoppers: shoppers of each of them.
        off_policy_runs: logs that the off-policy estimates are made from.
        off_policy_visits: visits of each.
        healthy_impressions: without an anomaly.
        breaks: simulated breaks.
        products: of the sample shop.
        shoppers: of the sample shop.
        ab_shoppers: shoppers that visit the live shop at most in the test.
        ab_visits: how often each of them comes.
        break_shoppers: shoppers that visit while the model is broken and repaired.
        break_impressions: what they see before the break, and after the service has fallen back.
        break_visits_per_s: how fast they come.
        update_epochs: of the full training on the sample shop.
    """

    kills: int = 20
    kill_events: int = 200_000
    rate_events: int = 60_000
    aa_simulations: int = 200
    aa_shoppers: int = 5000
    off_policy_runs: int = 100
    off_policy_visits: int = 3000
    healthy_impressions: int = 100_000
    breaks: int = 20
    products: int = 1500
    shoppers: int = 8000
    ab_shoppers: int = 6000
    ab_visits: int = 2
    break_shoppers: int = 250
    break_impressions: int = 6000
    break_visits_per_s: float = 3.0
    update_epochs: int = 8


FULL = Sizes()
QUICK = Sizes(
    kills=2,
    kill_events=5000,
    rate_events=2000,
    aa_simulations=10,
    aa_shoppers=400,
    off_policy_runs=4,
    off_policy_visits=300,
    healthy_impressions=5000,
    breaks=2,
    products=120,
    shoppers=300,
    ab_shoppers=60,
    ab_visits=1,
    break_shoppers=60,
    break_impressions=400,
    break_visits_per_s=40.0,
    update_epochs=1,
)


@dataclass(frozen=True)
class Setting:
    """Where and how large.

    Attributes:
        out: folder of the work in progress.
        sizes: how large.
        force: make again what an earlier run left.
    """

    out: Path
    sizes: Sizes
    force: bool = False

    def key(self, names: Sequence[str]) -> dict[str, object]:
        """Return what a stored figure must have been measured with, as JSON."""
        found = asdict(self.sizes)
        return {name: found[name] for name in names}
