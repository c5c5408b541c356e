"""What is counted elsewhere, read when the metrics are asked for: caches, queues, index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trifocal.ports import CacheStats

__all__ = ["CacheCollector", "QueueCollector"]

_COUNTS = (
    ("hits", "Answers that were there"),
    ("misses", "Answers that were not there, or too old"),
    ("evictions", "Entries that made room for others"),
    ("failures", "Calls that broke or came too late"),
    ("skipped", "Calls that were not made, because the level is left alone after a failure"),
)
_SIZES = (
    ("entries", "entries", "Entries kept."),
    ("bytes", "used_bytes", "Keys, values and overhead."),
    ("limit_bytes", "limit_bytes", "Bound of the bytes."),
)
_LABELS = ["cache", "level"]


class CacheCollector(Collector):
    """Each cache by its name and level. Stability: internal."""

    def __init__(self, stats: Callable[[], Mapping[str, tuple[CacheStats, ...]]]) -> None:
        """Take what gives the counts of the caches in force."""
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """Return the counts as they are now; of a size that only the server knows there is no line."""
        levels = [(name, level) for name, kept in self._stats().items() for level in kept]
        for field, meaning in _COUNTS:
            family = CounterMetricFamily(f"trifocal_cache_{field}", f"{meaning}.", labels=_LABELS)
            for name, level in levels:
                family.add_metric([name, level.level], getattr(level, field))
            yield family
        for suffix, field, meaning in _SIZES:
            gauge = GaugeMetricFamily(f"trifocal_cache_{suffix}", meaning, labels=_LABELS)
            for name, level in levels:
                if getattr(level, field) is not None:
                    gauge.add_metric([name, level.level], getattr(level, field))
            yield gauge
        available = GaugeMetricFamily("trifocal_cache_available", "0 while a level is left alone.", labels=_LABELS)
        for name, level in levels:
            available.add_metric([name, level.level], float(level.is_available))
        yield available


class QueueCollector(Collector):
    """One figure by name, each read anew. Stability: internal."""

    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        """Take name -> (meaning, what gives the figure)."""
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they are now."""
        for name, (meaning, figure) in self._gauges.items():
            yield GaugeMetricFamily(name, meaning, value=figure())
