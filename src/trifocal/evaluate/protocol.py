"""Any `Recommender` + cases -> figures. Full ranking over the catalogue; never sampled negatives (PROTOCOL.md, 1)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from trifocal.data.cases import Cases
from trifocal.errors import DataError
from trifocal.evaluate.latency import Latency, mean_latency
from trifocal.evaluate.metrics import user_metrics
from trifocal.ports import Recommender
from trifocal.types import IntArray

__all__ = ["KEPT", "CasesValidator", "Result", "evaluate", "pool_seeds"]

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
        seed_means: metric -> mean over users, one entry a training seed; empty where one training was measured.
        parameters: numbers that were learned, where it is known.
        size_mb: of the stored model in megabytes of 10^6 bytes, where it is known.
        version: of the package that a rival comes from.
        settings: name -> value, as they were chosen on validation.
        tuning: what the choice of the settings took: "20 trials, 94 s".
    """

    name: str
    metrics: dict[str, npt.NDArray[np.float64]]
    item_rows: IntArray
    seconds: float
    latency: Latency | None = None
    train_seconds: float | None = None
    seed_means: tuple[dict[str, float], ...] = ()
    parameters: int | None = None
    size_mb: float | None = None
    version: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    tuning: str = ""

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


def pool_seeds(results: Sequence[Result]) -> Result:
    """Return the result of one model that was trained several times, once a seed, on the same cases.

    A user's figure is its mean over the seeds, the times are means, and `seed_means` holds what each seed reached.
    Lists, settings and sizes are those of the first seed.

    Args:
        results: one a seed.

    Raises:
        DataError: when there is none, or they differ in name, metrics or number of users.
    """
    _check_alike(results)
    first = results[0]
    latencies = [result.latency for result in results if result.latency is not None]
    trained = [result.train_seconds for result in results if result.train_seconds is not None]
    return replace(
        first,
        metrics={name: np.mean([result.metrics[name] for result in results], axis=0) for name in first.metrics},
        seconds=float(np.mean([result.seconds for result in results])),
        latency=mean_latency(latencies) if latencies else None,
        train_seconds=float(np.mean(trained)) if trained else None,
        seed_means=tuple(result.means for result in results),
    )


def _check_alike(results: Sequence[Result]) -> None:
    if not results:
        raise DataError("0 results were given to pool; give one a training seed")
    first = results[0]
    for result in results:
        if (result.name, len(result.item_rows)) != (first.name, len(first.item_rows)):
            raise DataError(
                f"{result.name} on {len(result.item_rows)} users cannot be pooled with {first.name} on "
                f"{len(first.item_rows)}; give one model on the same cases"
            )
        if result.metrics.keys() != first.metrics.keys():
            raise DataError(
                f"a seed of {result.name} has the metrics {sorted(result.metrics)}, another {sorted(first.metrics)}; "
                "evaluate both with lists of one length"
            )


@dataclass(frozen=True)
class CasesValidator:
    """A `Validator`: the mean figures of a recommender on fixed cases. Stability: caller."""

    cases: Cases
    k: int = 50
    batch: int = 256

    def __call__(self, recommender: Recommender) -> dict[str, float]:
        """Return named figures; the greater, the better."""
        return evaluate(recommender, self.cases, self.k, self.batch).means
