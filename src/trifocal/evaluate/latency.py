"""How long one answer takes: single requests, one after the other, in this process, on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.errors import DataError
from trifocal.ports import Recommender
from trifocal.types import Request

__all__ = ["Latency", "mean_latency", "measure_latency"]


@dataclass(frozen=True)
class Latency:
    """Percentiles of the time of one answer, in milliseconds, over `answers` requests."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    answers: int


def measure_latency(
    recommender: Recommender, requests: Sequence[Request], *, k: int = 20, answers: int = 200, warm_up: int = 10
) -> Latency:
    """Return the latency of `answers` single requests of `k` items, taken in turn from `requests`.

    The first `warm_up` answers are not counted.

    Raises:
        DataError: when there is no request.
    """
    if not requests:
        raise DataError("latency was asked for with 0 requests; give at least 1")
    times_ms = np.empty(warm_up + answers)
    for turn in range(len(times_ms)):
        request = requests[turn % len(requests)]
        start = time.perf_counter_ns()
        recommender.recommend([request], k)
        times_ms[turn] = (time.perf_counter_ns() - start) / 1e6
    p50, p95, p99 = (float(value) for value in np.percentile(times_ms[warm_up:], (50, 95, 99)))
    return Latency(p50, p95, p99, answers)


def mean_latency(latencies: Sequence[Latency]) -> Latency:
    """Return the mean of each percentile over several trainings of one model, with all their answers counted.

    >>> mean_latency([Latency(1.0, 2.0, 4.0, 50), Latency(3.0, 4.0, 8.0, 50)])
    Latency(p50_ms=2.0, p95_ms=3.0, p99_ms=6.0, answers=100)
    """
    p50, p95, p99 = np.mean([(found.p50_ms, found.p95_ms, found.p99_ms) for found in latencies], axis=0).tolist()
    return Latency(p50, p95, p99, sum(found.answers for found in latencies))
