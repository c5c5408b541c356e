"""How large the benchmark is: the full size, and a quick one that shows in seconds that every part works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["CATALOGUE", "FULL", "QUICK", "ROOT", "Setting", "Sizes", "catalogue_sizes"]

ROOT = Path(__file__).resolve().parents[2]
# The sizes that the benchmark catalogue has.
CATALOGUE = ("items", "users", "text_width", "rank_candidates", "memory_items", "memory_links")


@dataclass(frozen=True)
class Sizes:
    """Everything that bears on a figure; what was stored with other sizes is measured again.

    Attributes:
        items: of the benchmark catalogue.
        users: with a history in it; every one asks at most once a server's life.
        text_width: features of a text vector, as MiniLM gives.
        rank_candidates: retrieved items that the ranker scores.
        memory_items: items that the memory covers.
        memory_links: links of each.
        rounds: alternating turns of the two services.
        warm_up: requests before each measurement.
        connections: closed loops of so many.
        requests: counted requests of each closed loop.
        growth: catalogue sizes of the growth part.
        growth_requests: counted requests of each.
        encoded: products of the sample shop that are encoded.
        encode_rounds: alternating turns.
        minutes: of mixed load.
        warm_up_s: of mixed load before the memory is read for the first time.
        overload: offered load, in capacities.
        overload_s: longest time of overload.
        quality_cases: test users of the sample shop that are asked about.
        quality_epochs: of the training on it.
    """

    items: int = 100_000
    users: int = 50_000
    text_width: int = 384
    rank_candidates: int = 200
    memory_items: int = 12_500
    memory_links: int = 200
    rounds: int = 5
    warm_up: int = 100
    connections: tuple[int, ...] = (1, 4, 16, 64)
    requests: tuple[int, ...] = (1000, 1000, 2000, 2000)
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    growth_requests: int = 300
    encoded: int = 300
    encode_rounds: int = 5
    minutes: float = 10.0
    warm_up_s: float = 60.0
    overload: float = 4.0
    overload_s: float = 20.0
    quality_cases: int = 4000
    quality_epochs: int = 4


FULL = Sizes()
QUICK = Sizes(
    items=600,
    users=400,
    memory_items=300,
    memory_links=20,
    rounds=1,
    warm_up=5,
    connections=(1, 4),
    requests=(30, 60),
    growth=(300, 600),
    growth_requests=30,
    encoded=8,
    encode_rounds=1,
    minutes=0.03,
    warm_up_s=1.0,
    overload_s=0.5,
    quality_cases=100,
    quality_epochs=1,
)


@dataclass(frozen=True)
class Setting:
    """Where and how large.

    Attributes:
        out: folder of the work in progress.
        sizes: how large.
        data: folder of the data sets, or None = generated texts.
        force: make again what an earlier run left.
    """

    out: Path
    sizes: Sizes
    data: Path | None = None
    force: bool = False

    @property
    def catalogue(self) -> Path:
        """Folder of the benchmark catalogue."""
        return self.out / "catalogue"

    def key(self, names: Sequence[str]) -> dict[str, object]:
        """Return what a stored figure must have been measured with, as JSON: those sizes, and the texts."""
        sizes = {name: getattr(self.sizes, name) for name in names}
        listed = {name: list(value) if isinstance(value, tuple) else value for name, value in sizes.items()}
        return {**listed, "texts": "generated" if self.data is None else "hm-week"}


def catalogue_sizes(sizes: Sizes, items: int) -> Sizes:
    """Return `sizes` for a generated catalogue of `items`, with no more users than its requests need."""
    users = sizes.growth_requests + sizes.warm_up
    return Sizes(**{**asdict(sizes), "items": items, "users": users})
