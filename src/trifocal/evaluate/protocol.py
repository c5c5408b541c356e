"""Any `Recommender` + cases -> figures. Full ranking over the catalogue; never sampled negatives (PROTOCOL.md, 1)."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trifocal.data.cases import Cases
from trifocal.evaluate.latency import Latency
from trifocal.evaluate.metrics import user_metrics
from trifocal.ports import Recommender
from trifocal.types import IntArray

__all__ = ["KEPT", "CasesValidator", "Result", "evaluate"]

# Places of each list that are kept for coverage and for the sample users of the report.
KEPT = 20


@dataclass(frozen=True)
class Result:
    """What one recommender reached on B cases. Stability: caller.

    Attributes:
        name: of the recommender.
        metrics: name -> (B,) float64, a figure a user, in the order of the cases.
        item_rows: (B, at most 20) the head of each list.
        seconds: spent ranking all cases, in batches.
        latency: of single answers, where it was measured.
        train_seconds: spent learning, where it is known.
    """

    name: str
    metrics: dict[str, npt.NDArray[np.float64]]
    item_rows: IntArray
    seconds: float
    latency: Latency | None = None
    train_seconds: float | None = None

    @property
    def means(self) -> dict[str, float]:
        """The mean of each metric over users."""
        return {name: float(values.mean()) for name, values in self.metrics.items()}


def evaluate(recommender: Recommender, cases: Cases, k: int = 50, batch: int = 256) -> Result:
    """Return the figures of `recommender` on `cases`, from lists of `k` items, asked `batch` at a time."""
    start = time.perf_counter()
    starts = range(0, len(cases), batch)
    lists = [recommender.recommend(cases.requests[at : at + batch], k).item_rows for at in starts]
    seconds = time.perf_counter() - start
    item_rows = np.concatenate(lists)
    metrics = user_metrics(item_rows, cases.truths)
    return Result(recommender.name, metrics, item_rows[:, :KEPT].copy(), seconds)


@dataclass(frozen=True)
class CasesValidator:
    """A `Validator`: the mean figures of a recommender on fixed cases. Stability: caller."""

    cases: Cases
    k: int = 50
    batch: int = 256

    def __call__(self, recommender: Recommender) -> dict[str, float]:
        """Return named figures; the greater, the better."""
        return evaluate(recommender, self.cases, self.k, self.batch).means
