"""A model that breaks while shoppers visit: its item vectors are shuffled in the running service, later put right.

```
healthy ── break ──► broken ── the rung moves ──► fallen back ── repair ──► repaired ── the first rung again ──► end
```

Server and visitors share this process, so that the engine can be reached; they talk over HTTP all the same. The rung in
force is read after each visit. Settings are the default ones: what is measured is what is shipped.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import uvicorn
from benchmarks.feedback.plan import Setting, Sizes
from benchmarks.table.figures import Measured

from trifocal.bundle import read_bundle
from trifocal.cli.serve import listening_socket
from trifocal.data.shop.live import LivePlan, ShopClient, VisitDone, open_http, plan_live, read_world, simulate_visits
from trifocal.data.shop.live.figures import share_of
from trifocal.errors import ConfigError, ServingError
from trifocal.feedback import MemoryEventStore
from trifocal.index import IndexConfig, build_index
from trifocal.serve import ServeConfig, build_service
from trifocal.serve.app import create_app
from trifocal.serve.current import Current
from trifocal.serve.http_server import BoundedHttp
from trifocal.serve.online import OnlineEngine
from trifocal.serve.service import Service

__all__ = ["CLIMBED", "DELAY", "FALSE_MOVES", "RECOVERED", "Story", "measure_break", "shuffled"]

DELAY = "impressions until the service fell back"
RECOVERED = "CTR fallen back / before the break"
CLIMBED = "climbed back after the repair"
FALSE_MOVES = "false moves before the break"
_SEED = 23
_THREADS = 3
_READY_S = 120.0
# So many impressions that nothing happens end a phase.
_PATIENCE = 4
_IMPRESSIONS_A_VISIT = 14

Phase = Literal["healthy", "broken", "fallen", "repaired"]


@dataclass
class _Seen:
    """Recommended impressions and clicks of one phase, by the rung that answered."""

    impressions: dict[str, int] = field(default_factory=dict)
    clicks: dict[str, int] = field(default_factory=dict)

    def take(self, visit: VisitDone) -> None:
        for page in visit.pages:
            if not page.is_search:
                self.impressions[page.rung] = self.impressions.get(page.rung, 0) + page.impressions
                self.clicks[page.rung] = self.clicks.get(page.rung, 0) + page.clicks

    @property
    def total(self) -> int:
        return sum(self.impressions.values())

    @property
    def hits(self) -> int:
        return sum(self.clicks.values())


@dataclass
class Story:
    """Moves from phase to phase; called after each visit, False = it is over.

    Attributes:
        rung: reads the number of the rung in force, 0 = best.
        disturb: breaks the model.
        repair: puts it right.
        length: impressions of the phases `healthy` and `fallen`.
        moves: (phase, rung) at each change of the rung.
    """

    rung: Callable[[], int]
    disturb: Callable[[], None]
    repair: Callable[[], None]
    length: int
    phase: Phase = "healthy"
    seen: dict[Phase, _Seen] = field(default_factory=dict)
    moves: list[tuple[Phase, int]] = field(default_factory=list)
    began_s: dict[str, float] = field(default_factory=lambda: {"healthy": time.perf_counter()})
    climbed: bool = False
    _rung: int = 0

    def __call__(self, visit: VisitDone) -> bool:
        """Take a visit; return whether the story goes on."""
        seen = self.seen.setdefault(self.phase, _Seen())
        seen.take(visit)
        rung = self.rung()
        if rung != self._rung:
            self.moves.append((self.phase, rung))
            self._rung = rung
        if self.phase == "healthy" and seen.total >= self.length:
            self.disturb()
            self._enter("broken")
        elif self.phase == "broken" and (rung > 0 or seen.total >= _PATIENCE * self.length):
            self._enter("fallen")
        elif self.phase == "fallen" and seen.total >= self.length:
            self.repair()
            self._enter("repaired")
        elif self.phase == "repaired":
            self.climbed = self.fell and rung == 0
            return not self.climbed and seen.total < _PATIENCE * self.length
        return True

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.began_s[phase] = time.perf_counter()

    def of(self, phase: Phase) -> _Seen:
        """Return what was seen in `phase`."""
        return self.seen.get(phase, _Seen())

    @property
    def fell(self) -> bool:
        """Whether the service left the first rung after the break."""
        return any(phase == "broken" and rung > 0 for phase, rung in self.moves)


def measure_break(setting: Setting, shop: Path, bundle: Path, *, config: ServeConfig | None = None) -> Measured:
    """Serve, break, repair; return the goals that could be measured, and the click rate of each phase."""
    world, sizes = read_world(shop), setting.sizes
    plan = _plan(world_shoppers=min(sizes.break_shoppers, len(world.user_ids)), sizes=sizes, shop=shop)
    current = Current(build_service(read_bundle(bundle), MemoryEventStore(), config=config))
    healthy = current.service
    story = Story(
        rung=lambda: current.service.gateway.entrance.rung,
        disturb=lambda: setattr(current, "service", _broken(healthy)),
        repair=lambda: setattr(current, "service", healthy),
        length=sizes.break_impressions,
    )
    with _running(current) as address, open_http(address, connections=_THREADS) as http:
        client = ShopClient(http)
        _wait(client)
        story.began_s["healthy"] = time.perf_counter()
        minutes = len(plan) / sizes.break_visits_per_s / 60
        result = simulate_visits(world, plan, client, concurrency=_THREADS, minutes=minutes, on_visit=story)
    return _figures(story, sizes, result.wall_s)


def shuffled(engine: OnlineEngine, rng: np.random.Generator) -> OnlineEngine:
    """Return `engine` with every item vector at another item's place, in the index as well.

    Raises:
        ConfigError: when the engine does not say what it is made of.
    """
    growth = engine.growth
    if growth is None:
        raise ConfigError("this engine has no parts that could be shuffled; build it with `online_engine`")
    vectors = np.ascontiguousarray(engine.vectors[rng.permutation(len(engine.vectors))])
    index = build_index(vectors, config=IndexConfig(kind="exact")).index
    tables = engine.ranking.tables  # type: ignore[attr-defined]  # an `EvidenceRanking`
    retrieval = growth.retrieval.grown(vectors=vectors, index=index, memory=growth.links, counts=tables.counts)
    ranking = growth.ranking.grown(tables, retrieval)
    parts = replace(growth, retrieval=retrieval, ranking=ranking, index=index, vectors=vectors)
    return replace(engine, retrieval=retrieval, ranking=ranking, vectors=vectors, growth=parts)


def _broken(service: Service) -> Service:
    engine = service.gateway.engine
    if not isinstance(engine, OnlineEngine):
        raise ConfigError(f"an engine of the class {type(engine).__name__} cannot be broken; serve a trained bundle")
    version = service.catalogue_version + 1
    wrong = shuffled(engine, np.random.default_rng(_SEED))
    # Another version, so that no cached answer hides what the model says now.
    return replace(service, gateway=service.gateway.grown(service.catalogue, wrong, version), catalogue_version=version)


def _plan(*, world_shoppers: int, sizes: Sizes, shop: Path) -> LivePlan:
    # Healthy, broken at the worst, fallen, repaired at the worst; and a half more, since visits differ in length.
    phases = 2 + 2 * _PATIENCE
    visits = 1.5 * phases * sizes.break_impressions / _IMPRESSIONS_A_VISIT / world_shoppers
    return plan_live(
        read_world(shop),
        shoppers=world_shoppers,
        visits_per_shopper=min(int(visits) + 1, 100),
        seed=_SEED,
        shoppers_per_day=world_shoppers,
    )


@contextmanager
def _running(current: Current) -> Iterator[str]:
    listener: socket.socket = listening_socket("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(current), http=BoundedHttp, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


def _wait(client: ShopClient) -> None:
    until = time.perf_counter() + _READY_S
    while True:
        try:
            client.check()
        except ServingError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _figures(story: Story, sizes: Sizes, wall_s: float) -> Measured:
    values: dict[str, float] = {
        FALSE_MOVES: float(sum(phase == "healthy" for phase, _ in story.moves)),
        CLIMBED: float(story.climbed),
    }
    notes = {FALSE_MOVES: f"in {story.of('healthy').total:,} impressions"}
    before, after = story.of("healthy"), story.of("fallen")
    if story.fell:
        values[DELAY] = float(story.of("broken").total)
        notes[DELAY] = f"{_lasted(story, 'broken', 'fallen')} at {sizes.break_visits_per_s:g} visits a second"
        values[RECOVERED] = (after.hits / max(after.total, 1)) / max(before.hits / max(before.total, 1), 1e-9)
        answered = ", ".join(f"{rung} {count:,}" for rung, count in sorted(after.impressions.items()))
        notes[RECOVERED] = f"impressions after the fall: {answered}"
    if story.climbed:
        notes[CLIMBED] = f"{story.of('repaired').total:,} impressions after the repair"
    for phase, seen in story.seen.items():
        share = share_of(seen.hits, seen.total)
        name = f"CTR, {phase}"
        values[name] = share.value
        notes[name] = f"{share.low:.4f} to {share.high:.4f}, {seen.total:,} impressions"
    detail: dict[str, object] = {phase: asdict(seen) for phase, seen in story.seen.items()}
    detail |= {"moves": [list(move) for move in story.moves], "wall_s": round(wall_s, 1)}
    return Measured(values, notes, detail=detail)


def _lasted(story: Story, first: Phase, then: Phase) -> str:
    return f"{story.began_s[then] - story.began_s[first]:.1f} s"
