"""A bundle and an event store -> the services, wired together once. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trifocal.bundle import Bundle, Manifest
from trifocal.bundle.network import load_compact, load_encoder, load_image_encoder, load_looks
from trifocal.features.context import ContextVocabulary
from trifocal.ports import CacheStats, EventStore, TokenSource
from trifocal.serve.asks import Ask
from trifocal.serve.caches import AnswerCache, SharedCaches, answer_cache, config_hash
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine
from trifocal.serve.gateway import Gateway
from trifocal.serve.histories import HistoryCoder, KnownHistories
from trifocal.serve.models import engine_of
from trifocal.serve.picture_search import PictureEncoder, PictureSearch
from trifocal.serve.queries import PooledEncoder, QueryEncoder
from trifocal.serve.search import TextSearch
from trifocal.serve.state import ShopperState

__all__ = ["Service", "build_service"]


@dataclass(frozen=True)
class Service:
    """Everything that answers. Stability: caller.

    Attributes:
        image_root: the folder of the pictures.
    """

    manifest: Manifest
    catalogue: Catalogue
    state: ShopperState
    gateway: Gateway
    text_search: TextSearch
    picture_search: PictureSearch
    image_root: Path
    config: ServeConfig
    answers: AnswerCache | None = None

    def cache_stats(self) -> dict[str, tuple[CacheStats, ...]]:
        """Return the counts of each cache, by its name."""
        kept = {"sessions": self.state.stats()}
        return kept if self.answers is None else kept | {"answers": self.answers.stats()}

    def warm_up(self) -> None:
        """Answer one cold request and one search, so that the first visitor does not wait for what loads late."""
        self.gateway.recommend(Ask(k=10))
        self.text_search.search("warm", 1)


def build_service(
    bundle: Bundle,
    store: EventStore,
    *,
    image_root: Path | None = None,
    engine: Engine | None = None,
    encoder: Callable[[], PooledEncoder] | None = None,
    image_encoder: Callable[[], TokenSource] | None = None,
    config: ServeConfig | None = None,
    shared: SharedCaches | None = None,
    clock: Callable[[], float] = time.time,
) -> Service:
    """Return the services of `bundle`.

    Args:
        bundle: read and verified.
        store: of live events; the caller closes it.
        image_root: where the pictures are, or None = where the bundle says.
        engine: ranks, or None = the bundle's model.
        encoder: loads what reads queries, or None = the bundle's text encoder.
        image_encoder: loads what looks at pictures, or None = the bundle's image encoder.
        config: limits, batches, index; None = the defaults.
        shared: second level of the caches, one a process; None = there is none.
        clock: seconds since 1970, UTC.

    Raises:
        ArtifactError: when the bundle's weights do not fit its config.
    """
    contents, version, config = bundle.contents, bundle.manifest.model_version, config or ServeConfig()
    catalogue = Catalogue(contents.items)
    shared = shared or SharedCaches()
    coder = HistoryCoder(catalogue.vocabulary, ContextVocabulary.from_json(contents.feature_state["context"]))
    state = ShopperState(
        KnownHistories(contents.histories, coder),
        coder,
        store,
        session_bytes=config.caches.session_bytes,
        shared=shared.sessions,
        model_version=version,
        fresh_s=config.caches.session_fresh_s,
    )
    answers = answer_cache(
        config.caches, shared, model_version=version, config_hash=config_hash(config.variant, config.limit_ms)
    )
    queries = QueryEncoder(encoder or (lambda: load_encoder(bundle)))
    gateway = Gateway(
        engine=engine or engine_of(bundle, config),
        popularity=contents.popularity,
        catalogue=catalogue,
        coder=coder,
        state=state,
        queries=queries,
        model_version=version,
        variant=config.variant,
        limit_ms=config.limit_ms,
        answers=answers,
        clock=clock,
    )
    text_search = TextSearch(
        text_vectors=contents.text_vectors.astype(np.float32),
        catalogue=catalogue,
        queries=queries,
        model_version=version,
    )
    picture_search = PictureSearch(
        looks=load_looks(bundle),
        pictures=PictureEncoder(image_encoder or (lambda: load_image_encoder(bundle)), load_compact(bundle, "image")),
        texts=text_search,
        catalogue=catalogue,
        model_version=version,
        variant=config.variant,
    )
    pictures = Path(image_root or contents.image_root).resolve()
    return Service(bundle.manifest, catalogue, state, gateway, text_search, picture_search, pictures, config, answers)
