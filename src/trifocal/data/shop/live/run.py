"""Pays the visits of a plan to a server, from several threads. No file.

A shopper belongs to one thread, so that nobody's second visit overtakes the first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from trifocal.data.shop.live.client import ShopClient
from trifocal.data.shop.live.plan import LivePlan
from trifocal.data.shop.live.visit import VisitDone, visit_server
from trifocal.data.shop.live.world import World
from trifocal.errors import ConfigError, ServingError
from trifocal.progress import Bar, progress_bar

__all__ = ["LiveResult", "simulate_visits"]

_CONCURRENCY_MOST = 64
# So many visits in a row that failed: the server is gone.
_FAULTS_MOST = 20


@dataclass(frozen=True)
class LiveResult:
    """What became of a simulation.

    Attributes:
        visits: those that were paid, in the order in which they ended.
        planned: how many were to be paid.
        refused: how often the server said "too many requests".
        wall_s: seconds in all.
    """

    visits: tuple[VisitDone, ...]
    planned: int
    refused: int
    wall_s: float


@dataclass
class _Run:
    """What the threads share."""

    on_visit: Callable[[VisitDone], bool]
    bar: Bar
    done: list[VisitDone] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    impressions: int = 0
    clicks: int = 0
    faults_in_a_row: int = 0

    def take(self, visit: VisitDone) -> None:
        """Count `visit`, show how things stand, and stop where the hook or the faults say so."""
        with self.lock:
            if self.stop.is_set():
                return
            self.done.append(visit)
            self.impressions += visit.impressions
            self.clicks += visit.clicks
            self.bar.advance()
            self.bar.note(f"CTR {self.clicks / max(self.impressions, 1):.4f} of {self.impressions:,} impressions")
            self.faults_in_a_row = self.faults_in_a_row + 1 if visit.fault else 0
            if self.faults_in_a_row >= _FAULTS_MOST:
                raise ServingError(f"{_FAULTS_MOST} visits in a row failed, the last so: {visit.fault}")
            if not self.on_visit(visit):
                self.stop.set()


def simulate_visits(
    world: World,
    plan: LivePlan,
    client: ShopClient,
    *,
    concurrency: int = 4,
    minutes: float = 0.0,
    on_visit: Callable[[VisitDone], bool] = lambda _: True,
) -> LiveResult:
    """Return what came of the visits of `plan`; Ctrl-C ends them early.

    Args:
        world: the shop whose shoppers come.
        plan: when they come.
        client: the way to the server.
        concurrency: threads; as many visits run at a time at most.
        minutes: spread the visits evenly over this long; 0 = as fast as the server answers.
        on_visit: called after each visit, never twice at a time; False = enough. Visits that run then are not counted.

    Raises:
        ConfigError: when there are too few or too many threads.
        DataError: when the server shows a product that the shop does not have.
        ServingError: when one visit after another fails.
    """
    if not 1 <= concurrency <= _CONCURRENCY_MOST:
        raise ConfigError(f"concurrency {concurrency} is out of bounds; visit with 1 to {_CONCURRENCY_MOST} threads")
    refused, begun = client.refused, time.perf_counter()
    with progress_bar("Visiting the shop", len(plan)) as bar:
        run = _Run(on_visit, bar)

        def work(thread: int) -> None:
            for row in range(len(plan)):
                if plan.shopper_number[row] % concurrency != thread:
                    continue
                due_s = begun + 60 * minutes * row / len(plan)
                if run.stop.wait(max(due_s - time.perf_counter(), 0.0)):
                    return
                run.take(visit_server(world, plan, row, client))

        _in_threads(work, concurrency, run.stop)
    return LiveResult(tuple(run.done), len(plan), client.refused - refused, time.perf_counter() - begun)


def _in_threads(work: Callable[[int], None], threads: int, stop: threading.Event) -> None:
    """Run `work` in each thread; a fault in one, or Ctrl-C, ends all."""
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work, thread) for thread in range(threads)]
        try:
            ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            stop.set()
            return
        stop.set()
        for future in ended:
            future.result()
