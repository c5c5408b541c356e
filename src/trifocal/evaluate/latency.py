"""How long one answer takes: single requests, one after the other, in this process, on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.errors import DataError
from trifocal.ports import Recommender
from trifocal.types import Request

__all__ = ["Latency", "measure_latency"]


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
