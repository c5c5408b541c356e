"""The experiment's figures for the metrics, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trifocal.serve.experiment.control import Overview, VariantState

__all__ = ["ExperimentCollector"]

_FIGURES: tuple[tuple[str, str, Callable[[VariantState], float]], ...] = (
    ("shoppers", "Shoppers who saw the variant first.", lambda state: state.figures["conversion"].estimate.shoppers),
    ("impressions", "Their impressions.", lambda state: state.totals[0]),
    ("clicks", "Their clicks.", lambda state: state.totals[1]),
    ("buyers", "Shoppers who bought.", lambda state: state.totals[2]),
    ("stopped", "1 while the variant's shoppers get the control.", lambda state: state.stop is not None),
)


class ExperimentCollector(Collector):
    """Each variant by its name. Stability: internal."""

    def __init__(self, overview: Callable[[], Overview]) -> None:
        """Take what gives the figures of the last look."""
        self._overview = overview

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they are now."""
        overview = self._overview()
        for name, meaning, figure in _FIGURES:
            gauge = GaugeMetricFamily(f"trifocal_experiment_{name}", meaning, labels=["experiment", "variant"])
            for state in overview.variants:
                gauge.add_metric([overview.name, state.name], float(figure(state)))
            yield gauge
        yield GaugeMetricFamily(
            "trifocal_experiment_sample_ratio_p",
            "Always valid p of the variants having their shares.",
            value=overview.sample_ratio_p,
        )
        yield CounterMetricFamily(
            "trifocal_experiment_stops", "Variants that a guard rail stopped.", value=overview.stops
        )
