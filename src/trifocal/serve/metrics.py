"""Every metric of the process, declared once; one registry for each app, so that tests do not share counts."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trifocal.serve.asks import Answer
from trifocal.serve.statuses import OverloadedError

__all__ = ["Measured", "Metrics"]

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

# A stage takes a tenth of a request.
_STAGE_BUCKETS_S = (0.00005, 0.0001, 0.0002, 0.0004, 0.0007, *_BUCKETS_S)

_BUCKETS_SIZE = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counts requests, rungs and events; times requests and stages. Stability: internal."""

    def __init__(self, model_name: str, model_version: str) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "trifocal_http_requests_total", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self.request_seconds = Histogram(
            "trifocal_http_request_seconds", "Time to answer.", ["route"], buckets=_BUCKETS_S, registry=self._registry
        )
        self._stage_seconds = Histogram(
            "trifocal_stage_seconds", "Time of a stage.", ["stage"], buckets=_STAGE_BUCKETS_S, registry=self._registry
        )
        self._rungs = Counter("trifocal_rung_answers_total", "Answers by rung.", ["rung"], registry=self._registry)
        self._refused = Counter(
            "trifocal_refused_total", "Requests refused as too much, by reason.", ["reason"], registry=self._registry
        )
        self._explanations = Counter(
            "trifocal_explanations_total", "Items to be explained, by outcome.", ["outcome"], registry=self._registry
        )
        self.events = Counter("trifocal_events_stored_total", "New events stored.", registry=self._registry)
        self._batch_size = Histogram(
            "trifocal_batch_size",
            "Questions that were answered in one go.",
            buckets=_BUCKETS_SIZE,
            registry=self._registry,
        )
        self._model = Gauge(
            "trifocal_model_info", "The model that answers.", ["name", "version"], registry=self._registry
        )
        self.serving(model_name, model_version)

    def serving(self, model_name: str, model_version: str) -> None:
        """Say which model answers from now on."""
        self._model.clear()
        self._model.labels(model_name, model_version).set(1)

    def observe(self, answer: Answer) -> None:
        """Count the rung of `answer` and time its stages."""
        self._rungs.labels(answer.rung).inc()
        for stage, milliseconds in answer.stages_ms.items():
            self._stage_seconds.labels(stage).observe(milliseconds / 1000)

    def refused(self, reason: str) -> None:
        """Count a request that was too much: `queue`, `wait`, `rate` or `size`."""
        self._refused.labels(reason).inc()

    def explained(self, outcome: str, items: int) -> None:
        """Count `items` that were to be explained: `explained`, `late`, `refused`, `unavailable` or `failed`."""
        self._explanations.labels(outcome).inc(items)

    def turned_away(self, route: str, error: OverloadedError) -> None:
        """Count a question to `route` that was refused at the door."""
        self.refused(error.reason)
        self.requests.labels(route, "429").inc()

    def batched(self, size: int, _seconds: float) -> None:
        """Count a batch of `size` questions."""
        self._batch_size.observe(size)

    def register(self, collector: Collector) -> None:
        """Show what `collector` reads as well."""
        self._registry.register(collector)

    def exposition(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return generate_latest(self._registry)


class Measured:
    """ASGI middleware that counts and times every request under its route, not its path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; measure it when it is one of HTTP."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # An unknown path is one label, or a scanner could fill the memory with labels.
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.request_seconds.labels(route).observe(time.perf_counter() - start)
