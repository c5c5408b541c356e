"""A bundle and an event store -> the services, wired together once. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trifocal.bundle import Bundle, Manifest
from trifocal.bundle.network import load_encoder, load_recommender
from trifocal.features.context import ContextVocabulary
from trifocal.ports import EventStore
from trifocal.serve.asks import Ask
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.gateway import Engine, Gateway
from trifocal.serve.histories import HistoryCoder, KnownHistories
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
    image_root: Path

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
    clock: Callable[[], float] = time.time,
) -> Service:
    """Return the services of `bundle`.

    Args:
        bundle: read and verified.
        store: of live events; the caller closes it.
        image_root: where the pictures are, or None = where the bundle says.
        engine: ranks, or None = the bundle's model.
        encoder: loads what reads queries, or None = the bundle's text encoder.
        clock: seconds since 1970, UTC.

    Raises:
        ArtifactError: when the bundle's weights do not fit its config.
    """
    contents, version = bundle.contents, bundle.manifest.model_version
    catalogue = Catalogue(contents.items)
    coder = HistoryCoder(catalogue.vocabulary, ContextVocabulary.from_json(contents.feature_state["context"]))
    state = ShopperState(KnownHistories(contents.histories, coder), coder, store)
    queries = QueryEncoder(encoder or (lambda: load_encoder(bundle)))
    gateway = Gateway(
        engine=engine or load_recommender(bundle),
        popularity=contents.popularity,
        catalogue=catalogue,
        coder=coder,
        state=state,
        queries=queries,
        model_version=version,
        clock=clock,
    )
    text_search = TextSearch(
        text_vectors=contents.text_vectors.astype(np.float32),
        catalogue=catalogue,
        queries=queries,
        model_version=version,
    )
    return Service(
        bundle.manifest, catalogue, state, gateway, text_search, Path(image_root or contents.image_root).resolve()
    )
