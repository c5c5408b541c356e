"""A bundle and an event store -> the services, wired together once. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trifocal.bundle import Bundle, Manifest
from trifocal.bundle.network import load_colours, load_compact, load_encoder, load_image_encoder, load_looks
from trifocal.errors import TrifocalError
from trifocal.features.context import ContextVocabulary
from trifocal.ports import CacheStats, EventStore, TokenSource
from trifocal.serve.asks import Answer, Ask, SessionEvent
from trifocal.serve.caches import AnswerCache, SharedCaches, answer_cache, config_hash
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine
from trifocal.serve.experiment.config import ExplorationConfig, VariantConfig
from trifocal.serve.experiment.variants import Made, answered, build_variants, marked
from trifocal.serve.explaining.by_model import ModelSource
from trifocal.serve.explaining.by_search import Searches
from trifocal.serve.explaining.explanations import Explanations
from trifocal.serve.explaining.search_content import SearchContent
from trifocal.serve.explaining.why import ExplainerSource, Found, Why
from trifocal.serve.gateway import Gateway
from trifocal.serve.histories import HistoryCoder, KnownHistories
from trifocal.serve.live.encoder import ItemEncoder, item_encoder
from trifocal.serve.models import engine_of
from trifocal.serve.picture_search import PictureEncoder, PictureSearch, SearchAsk
from trifocal.serve.pictures import picture_file
from trifocal.serve.queries import PooledEncoder, QueryEncoder
from trifocal.serve.resident import release_mapped, set_aside
from trifocal.serve.search import TextSearch
from trifocal.serve.state import ShopperState

__all__ = ["Service", "build_service"]


_MANY_ITEMS = 10_000


@dataclass(frozen=True)
class Service:
    """Everything that answers. Stability: caller.

    Attributes:
        image_root: the folder of the bundle's pictures.
        item_encoder: makes new items what the model needs.
        live_images: the folder of the pictures of live items.
        variants: gateways of an experiment by name; they share state and items with `gateway`. Empty = there is none.
        catalogue_version: tells the items from those before and after a change; 0 = as in the bundle.
        folder: of the bundle, whose tables are mapped into memory.
        explanations: says why items are answered.
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
    variants: Mapping[str, Gateway] = field(default_factory=dict)
    catalogue_version: int = 0
    folder: Path | None = None
    explanations: Explanations = field(default_factory=Explanations)

    def recommend_many(self, asks: Sequence[Ask]) -> list[Answer | TrifocalError]:
        """Return an answer to each of `asks`, by the gateway of its variant."""
        if not self.variants:
            return self.gateway.recommend_many(asks)
        return answered(asks, self.gateway, self.variants)

    def recommend(self, ask: Ask) -> Answer:
        """Return the best items for `ask`. Raises as `Gateway.recommend` does."""
        return marked(ask, self.gateway_of(ask).recommend(ask))

    def fall_back(self, ask: Ask) -> Answer:
        """Return an answer that no model is asked for. Raises as `Gateway.fall_back` does."""
        return marked(ask, self.gateway_of(ask).fall_back(ask))

    def explain(self, why: Why, item_ids: Sequence[str]) -> Found:
        """Return why `item_ids` are answered. Raises as `Explanations.explain` does."""
        searches = Searches(self.text_search, self.picture_search, self.catalogue)
        return self.explanations.explain(self.gateway_of(why.ask), why, item_ids, self._picture_file, searches)

    def warm_up_explanations(self) -> None:
        """Load what explains, and explain an item. Raises as `Explanations.explain` does."""
        self.explain(Why.found(SearchAsk("warm")), self.catalogue.vocabulary.ids[:1])
        self.explanations.warm_up(self.gateway, self._picture_file)

    def forget_answers(self, user_id: str) -> bool:
        """Drop the answers to a user who is deleted; return whether every level of the cache did."""
        # All of them, also after one that could not.
        gateways = (self.gateway, *self.variants.values())
        dropped = [gateway.forget(user_id) for gateway in gateways]
        explained = [self.explanations.forget(gateway.model_version, user_id) for gateway in gateways]
        return all(dropped) and all(explained)

    def gateway_of(self, ask: Ask) -> Gateway:
        """Return who answers `ask`."""
        return self.gateway if ask.variant is None else self.variants[ask.variant]

    def cache_stats(self) -> dict[str, tuple[CacheStats, ...]]:
        """Return the counts of each cache, by its name."""
        kept = {"sessions": self.state.stats(), "explanations": self.explanations.stats()}
        return kept if self.answers is None else kept | {"answers": self.answers.stats()}

    def picture(self, row: int) -> tuple[Path, str] | None:
        """Return file and media type of the item's picture, or None where there is none that may be sent."""
        root = self.image_root if self.catalogue.is_in_bundle(row) else self.live_images
        return None if root is None else picture_file(root, self.catalogue.images[row])

    def _picture_file(self, row: int) -> Path | None:
        found = self.picture(row)
        return None if found is None else found[0]

    def warm_up(self) -> None:
        """Answer requests and a search, so that the first visitor does not wait for what loads or compiles late."""
        session = tuple(SessionEvent(item_id) for item_id in self.catalogue.vocabulary.ids[:2])
        for known in ((), session):
            self.gateway.recommend(Ask(k=10, session=known))
            for name in self.variants:
                self.recommend(Ask(k=10, session=known, variant=name))
        self.text_search.search("warm", 1)
        self.item_encoder.warm_up()
        if self.folder is not None:
            release_mapped(self.folder)
        # With fewer, a pass of the collector is not felt.
        if len(self.catalogue) >= _MANY_ITEMS:
            set_aside()


def build_service(
    bundle: Bundle,
    store: EventStore,
    *,
    image_root: Path | None = None,
    engine: Engine | None = None,
    encoder: Callable[[], PooledEncoder] | None = None,
    image_encoder: Callable[[], TokenSource] | None = None,
    explaining: ExplainerSource | None = None,
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
        explaining: explains answers of the engine, or None = the model's own network where it has one.
        config: limits, batches, index; None = the defaults.
        shared: second level of the caches, one a process; None = there is none.
        clock: seconds since 1970, UTC.

    Raises:
        ArtifactError: when the bundle's weights do not fit its config, or the bundle of a variant cannot be read.
        DataError: when a variant is to be fitted and nobody took anything.
    """
    contents, version, config = bundle.contents, bundle.manifest.model_version, config or ServeConfig()
    catalogue, shared = Catalogue(contents.items), shared or SharedCaches()
    coder = _coder(bundle, catalogue)
    known = KnownHistories(contents.histories, coder)
    answers = answer_cache(config.caches, shared, model_version=version, config_hash="")
    parts = _Parts(bundle, catalogue, coder, _state(version, known, coder, store, config, shared), answers, clock)
    # What loads late holds on to the bundle, but not to its histories, which have been read.
    light = replace(bundle, contents=replace(contents, histories=contents.histories.head(0)))
    queries = QueryEncoder(encoder or (lambda: load_encoder(light)))
    images = image_encoder or (lambda: load_image_encoder(light))
    if explaining is None and "model" in contents.config:
        explaining = ModelSource(light, queries, images, config)
    served = Made(version, engine or engine_of(bundle, config), queries, explaining=explaining)
    variants = build_variants(bundle, config, served, lambda: known.taken(len(catalogue)))
    text_search = TextSearch(
        text_vectors=contents.text_vectors,
        catalogue=catalogue,
        queries=queries,
        model_version=version,
        looks=load_looks(bundle),
        colours=load_colours(bundle),
    )
    pictures = PictureEncoder(images, load_compact(light, "image"))
    gateway = parts.gateway(config.variant, served, config.exploration, config.limit_ms)
    return Service(
        manifest=bundle.manifest,
        catalogue=catalogue,
        state=parts.state,
        gateway=gateway,
        text_search=text_search,
        picture_search=_picture_search(bundle, pictures, text_search, catalogue, config),
        image_root=Path(image_root or contents.image_root).resolve(),
        folder=bundle.folder,
        config=config,
        item_encoder=item_encoder(light, queries, images),
        answers=answers,
        variants={variant.name: parts.variant(variant, made, gateway, config) for variant, made in variants},
        explanations=Explanations(config.explain_bytes, _search_content(queries, pictures, config)),
    )


@dataclass(frozen=True)
class _Parts:
    """What all gateways of a service have in common."""

    bundle: Bundle
    catalogue: Catalogue
    coder: HistoryCoder
    state: ShopperState
    answers: AnswerCache | None
    clock: Callable[[], float]

    def gateway(self, name: str, made: Made, exploration: ExplorationConfig, limit_ms: float) -> Gateway:
        """Return a gateway of its own cached answers, last lists and name."""
        settings = config_hash(name, self.bundle.manifest.model_version, limit_ms, exploration)
        answers = self.answers
        return Gateway(
            engine=made.engine,
            popularity=self.bundle.contents.popularity,
            catalogue=self.catalogue,
            coder=self.coder,
            state=self.state,
            queries=made.queries,
            model_version=made.model_version,
            variant=name,
            personal=made.personal,
            limit_ms=limit_ms,
            answers=answers and answers.of(model_version=made.model_version, config_hash=settings),
            exploration=exploration,
            explaining=made.explaining,
            clock=self.clock,
        )

    def variant(self, variant: VariantConfig, made: Made, served: Gateway, config: ServeConfig) -> Gateway:
        """Return the gateway of a variant; by the served engine, it goes down and up the ladder with it."""
        gateway = self.gateway(variant.name, made, variant.exploration or config.exploration, config.limit_ms)
        if gateway.engine is served.engine:
            gateway.entrance, gateway.last_lists = served.entrance, served.last_lists
        return gateway


def _coder(bundle: Bundle, catalogue: Catalogue) -> HistoryCoder:
    context = ContextVocabulary.from_json(bundle.contents.feature_state["context"])
    return HistoryCoder(catalogue.vocabulary, context)


def _state(
    version: str,
    known: KnownHistories,
    coder: HistoryCoder,
    store: EventStore,
    config: ServeConfig,
    shared: SharedCaches,
) -> ShopperState:
    return ShopperState(
        known,
        coder,
        store,
        session_bytes=config.caches.session_bytes,
        shared=shared.sessions,
        model_version=version,
        fresh_s=config.caches.session_fresh_s,
    )


def _picture_search(
    bundle: Bundle, pictures: PictureEncoder, texts: TextSearch, catalogue: Catalogue, config: ServeConfig
) -> PictureSearch:
    return PictureSearch(
        looks=load_looks(bundle),
        pictures=pictures,
        texts=texts,
        catalogue=catalogue,
        model_version=bundle.manifest.model_version,
        variant=config.variant,
    )


def _search_content(queries: QueryEncoder, pictures: PictureEncoder, config: ServeConfig) -> SearchContent:
    return SearchContent(queries.encoder, pictures, Path(config.explain_features) if config.explain_features else None)
