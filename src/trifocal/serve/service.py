"""A bundle and an event store -> the services, wired together once. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trifocal.bundle import Bundle, Manifest
from trifocal.bundle.network import load_compact, load_encoder, load_image_encoder, load_looks
from trifocal.features.context import ContextVocabulary
from trifocal.ports import CacheStats, EventStore, TokenSource
from trifocal.serve.asks import Ask, SessionEvent
from trifocal.serve.caches import AnswerCache, SharedCaches, answer_cache, config_hash
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine
from trifocal.serve.gateway import Gateway
from trifocal.serve.histories import HistoryCoder, KnownHistories
from trifocal.serve.live.encoder import ItemEncoder, item_encoder
from trifocal.serve.models import engine_of
from trifocal.serve.picture_search import PictureEncoder, PictureSearch
from trifocal.serve.pictures import picture_file
from trifocal.serve.queries import PooledEncoder, QueryEncoder
from trifocal.serve.search import TextSearch
from trifocal.serve.state import ShopperState

__all__ = ["Service", "build_service"]


@dataclass(frozen=True)
class Service:
    """Everything that answers. Stability: caller.

    Attributes:
        image_root: the folder of the bundle's pictures.
        item_encoder: makes new items what the model needs.
        live_images: the folder of the pictures of live items.
        catalogue_version: tells the items from those before and after a change; 0 = as in the bundle.
    """

    manifest: Manifest
    catalogue: Catalogue
    state: ShopperState
    gateway: Gateway
    text_search: TextSearch
    picture_search: PictureSearch
    image_root: Path
    config: ServeConfig
    item_encoder: ItemEncoder
    answers: AnswerCache | None = None
    live_images: Path | None = None
    catalogue_version: int = 0

    def cache_stats(self) -> dict[str, tuple[CacheStats, ...]]:
        """Return the counts of each cache, by its name."""
        kept = {"sessions": self.state.stats()}
        return kept if self.answers is None else kept | {"answers": self.answers.stats()}

    def picture(self, row: int) -> tuple[Path, str] | None:
        """Return file and media type of the item's picture, or None where there is none that may be sent."""
        root = self.image_root if self.catalogue.is_in_bundle(row) else self.live_images
        return None if root is None else picture_file(root, self.catalogue.images[row])

    def warm_up(self) -> None:
        """Answer requests and a search, so that the first visitor does not wait for what loads or compiles late."""
        session = tuple(SessionEvent(item_id) for item_id in self.catalogue.vocabulary.ids[:2])
        for known in ((), session):
            self.gateway.recommend(Ask(k=10, session=known))
        self.text_search.search("warm", 1)
        self.item_encoder.warm_up()


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
    catalogue, shared = Catalogue(contents.items), shared or SharedCaches()
    state = _state(bundle, catalogue, store, config, shared)
    answers = answer_cache(
        config.caches,
        shared,
        model_version=version,
        config_hash=config_hash(config.variant, config.limit_ms, config.exploration),
    )
    # What loads late holds on to the bundle, but not to its histories, which have been read.
    light = replace(bundle, contents=replace(contents, histories=contents.histories.head(0)))
    queries = QueryEncoder(encoder or (lambda: load_encoder(light)))
    images = image_encoder or (lambda: load_image_encoder(light))
    gateway = Gateway(
        engine=engine or engine_of(bundle, config),
        popularity=contents.popularity,
        catalogue=catalogue,
        coder=_coder(bundle, catalogue),
        state=state,
        queries=queries,
        model_version=version,
        variant=config.variant,
        limit_ms=config.limit_ms,
        answers=answers,
        exploration=config.exploration,
        clock=clock,
    )
    text_search = TextSearch(
        text_vectors=contents.text_vectors.astype(np.float32),
        catalogue=catalogue,
        queries=queries,
        model_version=version,
    )
    return Service(
        manifest=bundle.manifest,
        catalogue=catalogue,
        state=state,
        gateway=gateway,
        text_search=text_search,
        picture_search=_picture_search(light, images, text_search, catalogue, config),
        image_root=Path(image_root or contents.image_root).resolve(),
        config=config,
        item_encoder=item_encoder(light, queries, images),
        answers=answers,
    )


def _coder(bundle: Bundle, catalogue: Catalogue) -> HistoryCoder:
    context = ContextVocabulary.from_json(bundle.contents.feature_state["context"])
    return HistoryCoder(catalogue.vocabulary, context)


def _state(
    bundle: Bundle, catalogue: Catalogue, store: EventStore, config: ServeConfig, shared: SharedCaches
) -> ShopperState:
    coder = _coder(bundle, catalogue)
    return ShopperState(
        KnownHistories(bundle.contents.histories, coder),
        coder,
        store,
        session_bytes=config.caches.session_bytes,
        shared=shared.sessions,
        model_version=bundle.manifest.model_version,
        fresh_s=config.caches.session_fresh_s,
    )


def _picture_search(
    bundle: Bundle, images: Callable[[], TokenSource], texts: TextSearch, catalogue: Catalogue, config: ServeConfig
) -> PictureSearch:
    return PictureSearch(
        looks=load_looks(bundle),
        pictures=PictureEncoder(images, load_compact(bundle, "image")),
        texts=texts,
        catalogue=catalogue,
        model_version=bundle.manifest.model_version,
        variant=config.variant,
    )
