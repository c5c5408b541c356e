"""The thread that watches: what is told to it waits in a bounded queue, so that no request ever waits for it.

```
answers, events ─► queue ─► key figures
                     └────► signals ─► alarms ─┐
                golden questions ─► self-check ─┴─► guard ─► entrance of the ladder
```
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from trifocal.errors import ConfigError
from trifocal.feedback.health import Alarm, InputSignals, Move, Settled, Settling
from trifocal.feedback.kpis import Kpis
from trifocal.ports import StoredEvent
from trifocal.serve.asks import Answer
from trifocal.serve.current import Current
from trifocal.serve.gateway import Gateway
from trifocal.serve.service import Service
from trifocal.serve.watch.catalogue_health import CatalogueHealth, CatalogueLook
from trifocal.serve.watch.config import WatchConfig
from trifocal.serve.watch.course import Course, CoursePoint
from trifocal.serve.watch.ladders import ladders
from trifocal.serve.watch.new_items import NewItems
from trifocal.serve.watch.report import HealthReport
from trifocal.serve.watch.self_check import golden_histories
from trifocal.serve.watch.told import Told
from trifocal.serve.watch.variant_watch import VariantWatch
from trifocal.types import History

__all__ = ["Watch"]

_LOGGER = logging.getLogger(__name__)

_ALARMS_KEPT = 200
_END_S = 5.0


class Watch:
    """Watches the service in force. What is told may come from any thread. Stability: internal."""

    def __init__(self, current: Current, config: WatchConfig, clock: Callable[[], float] = time.time) -> None:
        """Watch nothing yet: `start` does, once the service is warm.

        Args:
            current: holds the service.
            config: how.
            clock: seconds since 1970, UTC.
        """
        self._current, self._config, self._clock = current, config, clock
        self._told: deque[Told] = deque()
        self._skipped = 0
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._settling = Settling(config.detectors.settle_s)
        self._inputs = InputSignals(config.detectors)
        self._new_items = NewItems(config.seed)
        self._kpis = Kpis(config.kpis, category=self._category, is_known=self._is_known)
        self._course = Course(config.course_s, config.course_points)
        self._catalogue = CatalogueLook(config.catalogue_s, config.pictures_s)
        self._watches: dict[str, VariantWatch] = {}
        self._alarms: deque[Alarm] = deque(maxlen=_ALARMS_KEPT)
        self._alarm_counts: Counter[tuple[str, str]] = Counter()
        self._model_version, self._since_s = "", 0.0

    def answered(self, answer: Answer, milliseconds: float) -> None:
        """Tell of an answer to a request for recommendations."""
        self._tell(Told(self._clock(), answer, milliseconds))

    def failed(self, milliseconds: float) -> None:
        """Tell of a request for recommendations that ended in a fault of the server's own."""
        self._tell(Told(self._clock(), None, milliseconds))

    def happened(self, events: Sequence[StoredEvent]) -> None:
        """Tell of events that were stored."""
        self._tell(Told(self._clock(), events=events))

    def start(self) -> None:
        """Learn what is right from the service as it is, and watch from now on. Blocks for the golden questions."""
        with self._lock:
            if not self._config.enabled or self._thread is not None or self.is_closed:
                return
            self.step()
            self._thread = threading.Thread(target=self._watch, name="trifocal-watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Watch no more; who asks is answered from the rung in force."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout=_END_S)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._stop.is_set()

    def step(self) -> None:
        """Look at what was told, check what is due, move what has to be moved. The thread does it every `tick_s`."""
        now_s = self._clock()
        with self._lock:
            self._follow(now_s)
            self._look(now_s)
            service = self._current.service
            for watch, gateway in self._guarded(service):
                self._note(watch.step(gateway, service.catalogue, now_s))
            if self._course.is_due(now_s):
                rungs = {name: watch.state().rung for watch in self._watches.values() for name in watch.variants}
                self._course.take(self._kpis.snapshot(now_s, len(service.catalogue))[0], rungs, now_s)
            self._catalogue.look(service, now_s)

    def force(self, rung: str | None, variant: str | None = None) -> list[Move]:
        """Put a rung in force by hand on every ladder, or on that of a variant; None = the guard decides again.

        Raises:
            ConfigError: when there is no such rung, or no such variant.
        """
        now_s = self._clock()
        with self._lock:
            self._follow(now_s)
            guarded = [
                (watch, gateway)
                for watch, gateway in self._guarded(self._current.service)
                if variant is None or variant in watch.variants
            ]
            if not guarded:
                names = ", ".join(name for watch in self._watches.values() for name in watch.variants)
                raise ConfigError(f"no variant {variant!r} is served; the variants are {names}")
            moves = [watch.force(rung, gateway, now_s) for watch, gateway in guarded]
        return [move for move in moves if move is not None]

    def refill(self, events: Sequence[StoredEvent]) -> None:
        """Count events of before the start, at their own time; they move no ladder."""
        with self._lock:
            for event in events:
                self._kpis.observe_events([event], event.timestamp_s)

    def forget(self, user_id: str) -> None:
        """Drop what is remembered of a shopper who is deleted."""
        with self._lock:
            self._kpis.forget(user_id)
            self._settling.forget(user_id)

    def report(self) -> HealthReport:
        """Return everything that is known now."""
        with self._lock:
            now_s, service = self._clock(), self._current.service
            self._look(now_s)
            return HealthReport(
                at_s=now_s,
                model_version=service.manifest.model_version,
                ladders=tuple(watch.state() for watch in self._watches.values()),
                inputs=dict(self._inputs.states()),
                alarms=tuple(self._alarms),
                alarm_counts=dict(self._alarm_counts),
                kpis=self._kpis.snapshot(now_s, len(service.catalogue)),
                skipped=self._skipped,
            )

    def course(self, since_s: float) -> tuple[CoursePoint, ...]:
        """Return the points of the course after `since_s`, seconds since 1970, UTC."""
        with self._lock:
            return self._course.since(since_s)

    def catalogue(self) -> CatalogueHealth:
        """Return how whole the catalogue was at the last count."""
        return self._catalogue.health

    def _tell(self, told: Told) -> None:
        if not self._config.enabled:
            return
        if len(self._told) >= self._config.queue:
            self._skipped += 1
            return
        self._told.append(told)

    def _watch(self) -> None:
        while not self._stop.wait(self._config.tick_s):
            try:
                self.step()
            except Exception:
                # Nobody waits for this thread: what breaks here has to be said here, and the next step may go well.
                _LOGGER.exception("the watch failed; the rung in force stays")

    def _follow(self, now_s: float) -> None:
        """Notice another bundle, other variants: a ladder begins at the top with each."""
        service, since_s = self._current.service, self._current.since_s
        version = service.manifest.model_version
        if since_s == self._since_s and self._watches:
            return
        found = ladders(service)
        is_new = version != self._model_version
        histories = self._histories(service) if is_new else []
        watches: dict[str, VariantWatch] = {}
        for name, (gateway, variants) in found.items():
            watch = self._watches.get(name) or VariantWatch(name, self._config)
            watch.variants = variants
            if is_new:
                watch.learn(gateway, service.catalogue, histories, now_s)
            watch.renewed(gateway, now_s)
            watches[name] = watch
        self._watches, self._model_version, self._since_s = watches, version, since_s
        self._new_items.learn(service.gateway.engine.vectors, len(service.catalogue))
        self._catalogue.learn(service)

    def _histories(self, service: Service) -> list[History]:
        config = self._config
        shoppers = service.state.some_shoppers(config.questions, config.seed)
        known = [service.catalogue.shown(service.state.known_history(user_id)) for user_id in shoppers]
        return golden_histories(known, len(service.catalogue), config.questions, config.seed)

    def _look(self, now_s: float) -> None:
        """Take what waits in the queue, and what is settled by now."""
        for _ in range(len(self._told)):
            self._take(self._told.popleft())
            # Whoever waits for Python's lock comes first: an answer would wait for all that was told.
            time.sleep(0)
        for settled in self._settling.due(now_s):
            self._settled(settled, now_s)
        engine = self._current.service.gateway.engine
        for likeness in self._new_items.likenesses(engine.vectors):
            self._note(self._inputs.new_item(likeness, now_s))

    def _take(self, told: Told) -> None:
        if told.events:
            self._take_events(told.events, told.at_s)
            return
        answer, name = told.answer, self._current.service.config.variant
        self._kpis.observe_answer(
            variant=name if answer is None else answer.variant,
            rung=None if answer is None else answer.rung,
            milliseconds=told.milliseconds,
            # What comes out of the cache went through no stage.
            cached=answer is not None and not answer.stages_ms,
            now_s=told.at_s,
        )
        if answer is not None:
            shown = [item.card.item_id for item in answer.items]
            self._catalogue.recommended(shown, self._current.service.catalogue)
        watch = self._watch_of(name if answer is None else answer.variant)
        if watch is None:
            return
        if answer is None:
            self._note(watch.failed(told.milliseconds, told.at_s))
        else:
            self._note(watch.answered(answer, told.milliseconds, told.at_s))

    def _take_events(self, events: Sequence[StoredEvent], at_s: float) -> None:
        self._kpis.observe_events(events, at_s)
        vocabulary = self._current.service.catalogue.vocabulary
        for event in events:
            known = vocabulary.row(event.item_id) is not None
            context = event.device is not None or event.country is not None
            self._note(self._inputs.event(is_known_item=known, has_context=context, at_s=at_s))
        for settled in self._settling.take(events, at_s):
            self._settled(settled, at_s)

    def _settled(self, settled: Settled, at_s: float) -> None:
        watch = self._watch_of(settled.variant)
        if watch is not None:
            self._note(watch.settled(settled, at_s))

    def _watch_of(self, variant: str | None) -> VariantWatch | None:
        """The ladder of a variant; who names none steps onto the first. None = it is served by none."""
        if variant is None:
            return next(iter(self._watches.values()), None)
        return next((watch for watch in self._watches.values() if variant in watch.variants), None)

    def _guarded(self, service: Service) -> Iterator[tuple[VariantWatch, Gateway]]:
        for name, (gateway, _) in ladders(service).items():
            if name in self._watches:
                yield self._watches[name], gateway

    def _note(self, alarms: Sequence[Alarm]) -> None:
        for alarm in alarms:
            self._alarms.append(alarm)
            self._alarm_counts[alarm.signal, alarm.severity.value] += 1
            _LOGGER.warning("alarm of %s (%s, %s): %s", alarm.signal, alarm.detector, alarm.severity, alarm.message)

    def _category(self, item_id: str) -> str | None:
        catalogue = self._current.service.catalogue
        row = catalogue.vocabulary.row(item_id)
        return None if row is None else catalogue.card(row).category

    def _is_known(self, user_id: str) -> bool:
        return self._current.service.state.is_in_bundle(user_id)
