"""What the watch knows, in the text format of Prometheus; read when the metrics are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trifocal.feedback.kpis import CellKpis
from trifocal.serve.entrance import RUNGS
from trifocal.serve.watch.report import HealthReport
from trifocal.serve.watch.variant_watch import LadderState

__all__ = ["WatchCollector"]

_KPI_LABELS = ["window_s", "dimension", "value"]
_KPIS: tuple[tuple[str, str, Callable[[CellKpis], float | None]], ...] = (
    ("impressions", "Items shown", lambda cell: cell.impressions),
    ("clicks", "Clicks", lambda cell: cell.clicks),
    ("purchases", "Purchases", lambda cell: cell.purchases),
    ("sessions", "Sessions that began", lambda cell: cell.sessions),
    ("answers", "Answers to requests for recommendations", lambda cell: cell.answers),
    ("ctr", "Clicks an impression", lambda cell: cell.ctr.value),
    ("conversion", "Share of sessions with a purchase", lambda cell: cell.conversion.value),
    ("satisfaction", "Mean satisfaction of sessions", lambda cell: cell.satisfaction.value),
    ("repeat", "Share of sessions of who had come before", lambda cell: cell.repeat.value),
    ("coverage", "Share of the catalogue that was shown", lambda cell: cell.coverage),
    ("failed", "Share of answers that were errors", lambda cell: cell.failed.value),
    ("fallen", "Share of answers by a lower rung than full", lambda cell: cell.fallen.value),
    ("cached", "Share of answers that were there already", lambda cell: cell.cached.value),
    ("p50_milliseconds", "Median time to answer", lambda cell: cell.p50_ms),
    ("p95_milliseconds", "Time that 95 % of the answers are not above", lambda cell: cell.p95_ms),
)


class WatchCollector(Collector):
    """Key figures, rungs, alarms, detectors. Stability: internal."""

    def __init__(self, report: Callable[[], HealthReport]) -> None:
        """Take what gives the report."""
        self._report = report

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they are now; of a figure that is not known there is no line."""
        report = self._report()
        for suffix, meaning, figure in _KPIS:
            gauge = GaugeMetricFamily(f"trifocal_kpi_{suffix}", f"{meaning}, in a window.", labels=_KPI_LABELS)
            for window in report.kpis:
                for cell in window.cells:
                    value = figure(cell)
                    if value is not None:
                        gauge.add_metric([str(window.seconds), cell.dimension, cell.value], value)
            yield gauge
        yield from _ladders(report)
        alarms = CounterMetricFamily("trifocal_alarms", "Alarms of detectors.", labels=["signal", "severity"])
        for (signal, severity), count in report.alarm_counts.items():
            alarms.add_metric([signal, severity], count)
        yield alarms
        yield CounterMetricFamily("trifocal_watch_skipped", "Answers and events not looked at.", value=report.skipped)
        yield from _detectors(report)

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: the report would be made for it."""
        return iter(())


def _ladders(report: HealthReport) -> Iterator[Metric]:
    rung = GaugeMetricFamily("trifocal_rung_in_force", "Place on the ladder, 0 = full.", labels=["variant"])
    probed = GaugeMetricFamily("trifocal_rung_probed", "Place of the rung that is probed.", labels=["variant"])
    moves = CounterMetricFamily("trifocal_rung_moves", "Moves of the ladder.", labels=["variant", "kind"])
    checks = CounterMetricFamily("trifocal_self_checks", "Self-checks.", labels=["variant"])
    overlap = GaugeMetricFamily(
        "trifocal_self_check_overlap", "Share of the golden items still answered.", labels=["variant", "rung"]
    )
    for name, ladder in _named(report):
        rung.add_metric([name], RUNGS.index(ladder.rung))
        if ladder.probed is not None:
            probed.add_metric([name], RUNGS.index(ladder.probed))
        moves.add_metric([name, "fall"], ladder.falls)
        moves.add_metric([name, "climb"], ladder.climbs)
        checks.add_metric([name], ladder.checks)
        for rung_name, share in ladder.overlaps.items():
            overlap.add_metric([name, rung_name], share)
    yield from (rung, probed, moves, checks, overlap)


def _detectors(report: HealthReport) -> Iterator[Metric]:
    labels = ["variant", "signal", "detector"]
    evidence = GaugeMetricFamily(
        "trifocal_detector_evidence", "Evidence against the usual; 1 = alarm. ADWIN and Page-Hinkley tell none.",
        labels=labels,
    )  # fmt: skip
    usual = GaugeMetricFamily("trifocal_detector_usual", "What was learned to be usual.", labels=labels)
    signals = [(name, ladder.signals) for name, ladder in _named(report)]
    for name, some in (*signals, ("", report.inputs)):
        for signal, states in some.items():
            for state in states:
                keys = [name, signal, state.detector]
                evidence.add_metric(keys, state.evidence / state.threshold)
                if state.usual is not None:
                    usual.add_metric(keys, state.usual)
    yield from (evidence, usual)


def _named(report: HealthReport) -> Iterator[tuple[str, LadderState]]:
    return ((ladder.variants[0], ladder) for ladder in report.ladders)
