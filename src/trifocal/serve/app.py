"""The HTTP edge: joins endpoints, pages, errors and metrics into one FastAPI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from trifocal import __version__
from trifocal.errors import ConfigError

try:
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from trifocal.serve.api import RECOMMEND, Api
    from trifocal.serve.bundle_api import BundleApi
    from trifocal.serve.collectors import CacheCollector, QueueCollector
    from trifocal.serve.experiment.api import ExperimentApi
    from trifocal.serve.experiment.collector import ExperimentCollector
    from trifocal.serve.explaining.api import ExplainApi
    from trifocal.serve.explaining.edge import Explaining
    from trifocal.serve.failures import FAILURES, answer_failures
    from trifocal.serve.items_api import ItemsApi
    from trifocal.serve.keys import Keys
    from trifocal.serve.limits import Limits
    from trifocal.serve.metrics import Measured, Metrics
    from trifocal.serve.pages import Pages
    from trifocal.serve.search_api import SearchApi
    from trifocal.serve.turn_away import TurnAway
    from trifocal.serve.users_api import UsersApi
    from trifocal.serve.watch.api import HealthApi
    from trifocal.serve.watch.collector import WatchCollector
except ImportError as missing:
    raise ConfigError(f"the server needs the package {missing.name}: pip install 'trifocal[serve]'") from missing

from trifocal.feedback import MemoryItemStore
from trifocal.ports import ItemStore
from trifocal.serve.admission import Admission
from trifocal.serve.asks import Answer, Ask
from trifocal.serve.batching import Batches
from trifocal.serve.current import Current
from trifocal.serve.experiment.control import Experiment
from trifocal.serve.experiment.notes import NotesFile
from trifocal.serve.live.items import LiveItems
from trifocal.serve.live.swap import BundleSwap
from trifocal.serve.live.users import LiveUsers
from trifocal.serve.service import Service
from trifocal.serve.watch.refill import refill
from trifocal.serve.watch.watch import Watch
from trifocal.serve.workers import Workers

__all__ = ["create_app"]

_LOGGER = logging.getLogger(__name__)
_WEB = Path(__file__).parent / "web"

_DESCRIPTION = """Recommendations that read, look and remember.

Ids are your own. Every answer names the model version and the rung of the ladder that gave it."""


def create_app(
    service: Service | Current, *, items: ItemStore | None = None, load: Callable[[Path], Service] | None = None
) -> FastAPI:
    """Return the application of `service`: the JSON API, the shop pages, metrics and docs.

    Args:
        service: what answers, with the settings of batches and queues; or who holds it, and may change it.
        items: keeps what changes while it runs; None = in memory. The caller closes it.
        load: reads, verifies and builds the service of another bundle; None = none can be swapped in.
    """
    current = service if isinstance(service, Current) else Current(service)
    store = items or MemoryItemStore()
    live = LiveItems(current, store)
    config = current.service.config
    keys = Keys.of(config.access)
    workers = Workers(config.threads, config.queue)
    manifest = current.service.manifest
    metrics = Metrics(manifest.model_name, manifest.model_version)
    batches = _batches(current, metrics)
    metrics.register(CacheCollector(lambda: current.service.cache_stats()))
    explaining = Explaining(current, metrics, config)
    metrics.register(_queues(workers, batches, explaining, config.queue))
    experiment = ExperimentApi(_experiment(current.service, metrics), keys)
    watch = _watch(current, metrics)
    api = Api(current, workers, batches, metrics, experiment, watch, explaining)
    pages = Pages(current, workers, metrics, _WEB / "templates", experiment, explaining)
    # The built-in docs pages load their scripts from the network; ours is drawn here.
    app = FastAPI(
        title="Trifocal",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses=FAILURES,
        lifespan=_lifespan(current.service, workers, batches, api, experiment, watch, explaining),
    )
    app.include_router(api.router(keys, metrics_keyed=config.access.metrics))
    app.include_router(experiment.router())
    app.include_router(HealthApi(watch, current, config.watch).router(keys))
    search = SearchApi(current, workers, metrics, explaining)
    app.include_router(search.router(), dependencies=keys.needed("read"))
    app.include_router(ExplainApi(current, explaining, experiment).router(), dependencies=keys.needed("read"))
    app.include_router(ItemsApi(current, live, workers).router(keys))
    app.include_router(
        UsersApi(LiveUsers(current, store, forget=watch.forget), workers, durable=store.is_durable).router(keys)
    )
    app.include_router(BundleApi(BundleSwap(current, live, load), metrics).router(keys))
    app.include_router(pages.router(app.openapi), dependencies=keys.needed("read"))
    # Open: it holds no figures, and a browser cannot send a key for a page; its script sends one for the figures.
    app.get("/dashboard", include_in_schema=False)(pages.dashboard)
    app.mount("/static", StaticFiles(directory=_WEB / "static"), name="static")
    app.add_middleware(Limits, config=config.access, keys=keys, refused=metrics.refused)
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(TurnAway, path=RECOMMEND, check=batches.check_room, refused=metrics.turned_away)
    answer_failures(app, pages.told, metrics.refused)
    app.state.drain, app.state.watch = api.drain, watch
    return app


def _batches(current: Current, metrics: Metrics) -> Batches[Ask, Answer]:
    config = current.service.config
    return Batches(
        # Read once a batch: no batch is answered by two services.
        lambda asks: current.service.recommend_many(asks),
        size=config.batch_size,
        wait_us=config.batch_wait_us,
        admission=Admission(
            queue=config.queue,
            wait_s=config.queue_ms / 1000,
            overloaded_wait_s=config.overloaded_queue_ms / 1000,
        ),
        # Twice the time in which a rung gives up by itself: past it, something hangs.
        limit_s=2 * config.limit_ms / 1000,
        observe=metrics.batched,
    )


def _experiment(service: Service, metrics: Metrics) -> Experiment | None:
    config = service.config.experiment
    if not config.variants:
        return None
    notes = NotesFile(Path(config.notes_file) if config.notes_file else None)
    experiment = Experiment(config, service.state.store, notes)
    metrics.register(ExperimentCollector(experiment.overview))
    return experiment


def _watch(current: Current, metrics: Metrics) -> Watch:
    config = current.service.config.watch
    watch = Watch(current, config)
    if config.enabled:
        metrics.register(WatchCollector(watch.report))
    return watch


def _queues(workers: Workers, batches: Batches[Ask, Answer], explaining: Explaining, limit: int) -> QueueCollector:
    return QueueCollector(
        {
            "trifocal_batches_busy": ("Recommendations that run or wait.", lambda: batches.busy),
            "trifocal_batches_limit": ("How many may run or wait.", lambda: limit),
            "trifocal_batches_expected_wait_seconds": (
                "How long what runs and waits will take.",
                lambda: batches.expected_wait_s,
            ),
            "trifocal_batches_hung": ("Batches that were given up.", lambda: batches.hung),
            "trifocal_workers_busy": ("Other requests that run or wait.", lambda: workers.busy),
            "trifocal_explanations_busy": ("Explanations that run or wait.", lambda: explaining.pool.busy),
            "trifocal_workers_limit": ("How many may run or wait.", lambda: limit),
        }
    )


def _lifespan(
    service: Service,
    workers: Workers,
    batches: Batches[Ask, Answer],
    api: Api,
    experiment: ExperimentApi,
    watch: Watch,
    explaining: Explaining,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # In the background: the process says that it is alive while the models warm up.
        tasks = [
            asyncio.create_task(_warm_up(service, workers, api, watch, explaining)),
            asyncio.create_task(experiment.watch(service.config.experiment.check_s)),
        ]
        yield
        api.drain()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        watch.close()
        batches.close()
        workers.close()
        explaining.pool.close()

    return lifespan


async def _warm_up(service: Service, workers: Workers, api: Api, watch: Watch, explaining: Explaining) -> None:
    try:
        await workers.run(service.warm_up)
    except Exception:
        # Nobody waits for this task: what breaks here has to be said here.
        _LOGGER.exception("warming up failed, the service stays not ready")
        return
    # Before anybody is sent here: what is answered now is what is right.
    await asyncio.to_thread(_begin, watch, service)
    api.ready = True
    await explaining.warm_up()


def _begin(watch: Watch, service: Service) -> None:
    watch.start()
    config, now_s = service.config.watch, time.time()
    if config.enabled:
        since_s = now_s - max(config.kpis.windows_s)
        refill(watch, service.state.store, since_s=since_s, until_s=now_s, most=config.refill_events)
