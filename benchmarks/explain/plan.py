"""How large the benchmark of explanations is: the full size, and a quick one that shows that every part works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["FULL", "QUICK", "ROOT", "Setting", "Sizes"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sizes:
    """Everything that bears on a figure; what was stored with other sizes is measured again.

    Attributes:
        pairs: user-item pairs whose explanations are tested by deletion and insertion.
        explained: items of an explained answer.
        answers: answers that are timed.
        products: of the generated shop that stands in for the fashion data where it is absent, and in quick runs.
        shoppers: of the same shop.
        epochs: of a training.
        seeds: trainings of each kind.
        queries: written queries of the search test.
    """

    pairs: int = 500
    explained: int = 10
    answers: int = 50
    products: int = 1500
    shoppers: int = 8000
    epochs: int = 6
    seeds: int = 3
    queries: int = 50


FULL = Sizes()
QUICK = Sizes(pairs=6, explained=3, answers=4, products=80, shoppers=120, epochs=1, seeds=1, queries=5)


@dataclass(frozen=True)
class Setting:
    """Where and how large.

    Attributes:
        out: folder of the work in progress.
        data: folder of the real data sets; None = absent, parts that need it cannot be measured in full.
        sizes: how large.
        force: make again what an earlier run left.
    """

    out: Path
    sizes: Sizes
    data: Path | None = None
    force: bool = False

    def key(self, names: Sequence[str]) -> dict[str, object]:
        """Return what a stored figure must have been measured with, as JSON."""
        found = asdict(self.sizes)
        return {name: found[name] for name in names}
