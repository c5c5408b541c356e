"""Who visits the running server, when, looking for what. No network, no clock.

```
first day      day + 1      day + 2 ...
shoppers 1-200 201-400      401-600        arrive for the first time
               1-200 again  201-400 again  come back, a day or two later
```
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from trifocal.data.shop.live.world import World
from trifocal.data.shop.visits import Visits, plan_visits
from trifocal.errors import ConfigError
from trifocal.types import IntArray

__all__ = ["LivePlan", "plan_live"]

_VISITS_MOST = 100
_DAYS_BETWEEN_MOST = 2
_LAST_HOUR = 22.9


@dataclass(frozen=True)
class LivePlan:
    """S visits in the order of time.

    Attributes:
        visits: what each is; days count from the first midnight of the shop.
        shopper_number: (S,) 0 = the shopper who arrives first.
        visit_number: (S,) 0 = the first of the shopper.
        visits_per_shopper: how often each comes.
        seed: of everything that chance decides in the visits.
    """

    visits: Visits
    shopper_number: IntArray
    visit_number: IntArray
    visits_per_shopper: int
    seed: int

    def __len__(self) -> int:
        return len(self.visits)

    def generator(self, row: int) -> np.random.Generator:
        """Return the chance of visit `row`, whatever runs beside it."""
        return np.random.default_rng([self.seed, int(self.shopper_number[row]), int(self.visit_number[row])])


def plan_live(
    world: World,
    *,
    shoppers: int,
    visits_per_shopper: int = 3,
    seed: int = 0,
    start: date | None = None,
    shoppers_per_day: int = 200,
) -> LivePlan:
    """Return the visits of `shoppers` shoppers, drawn at random.

    Args:
        world: the shop.
        shoppers: how many different ones come.
        visits_per_shopper: how often each comes, at most once a day.
        seed: equal seeds give equal plans.
        start: first day; None = the day after the last one of the shop.
        shoppers_per_day: how many arrive on each day.

    Raises:
        ConfigError: when there are not so many shoppers, when they come too often, or before the shop is there.
    """
    _check(world, shoppers, visits_per_shopper, shoppers_per_day)
    first_day = world.utility.days if start is None else world.day_of(start)
    if first_day < 0:
        raise ConfigError(f"start {start} is before the shop's first day {world.config.start}; name a later day")
    rng = np.random.default_rng([seed, shoppers, visits_per_shopper])
    chosen = rng.permutation(len(world.user_ids))[:shoppers]
    gaps = rng.integers(1, _DAYS_BETWEEN_MOST + 1, (shoppers, visits_per_shopper))
    gaps[:, 0] = 0
    days = first_day + np.arange(shoppers)[:, None] // shoppers_per_day + gaps.cumsum(axis=1)
    hours = (world.utility.shoppers.hour[chosen][:, None] + rng.normal(0, 1.8, days.shape)) % 24
    day = (days + np.minimum(hours, _LAST_HOUR) / 24).ravel()
    order = np.argsort(day, kind="stable")
    number = np.repeat(np.arange(shoppers), visits_per_shopper)[order]
    visits = plan_visits(world.utility, chosen[number], day[order], rng)
    return LivePlan(visits, number, np.tile(np.arange(visits_per_shopper), shoppers)[order], visits_per_shopper, seed)


def _check(world: World, shoppers: int, visits_per_shopper: int, shoppers_per_day: int) -> None:
    most = len(world.user_ids)
    if not 1 <= shoppers <= most:
        raise ConfigError(f"{shoppers} shoppers cannot come, the shop has {most}; ask for 1 to {most}")
    if not 1 <= visits_per_shopper <= _VISITS_MOST:
        raise ConfigError(f"{visits_per_shopper} visits of a shopper are out of bounds; ask for 1 to {_VISITS_MOST}")
    if shoppers_per_day < 1:
        raise ConfigError(f"{shoppers_per_day} shoppers a day are too few; let at least 1 arrive")
