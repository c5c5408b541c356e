"""What other models recommend to the same shopper: the serving model, other bundles, matrix factorisation, popularity.

Made in the background when they are first looked at, and again after another bundle was swapped in. Their answers count
nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

import numpy as np

from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_encoder
from trifocal.errors import TrifocalError
from trifocal.features.context import ContextVocabulary
from trifocal.serve.asks import Ask, Filters, ItemCard, ScoredItem
from trifocal.serve.experiment.config import ExperimentConfig, VariantConfig
from trifocal.serve.experiment.other_items import OtherItemsEngine
from trifocal.serve.experiment.variants import Made, build_variants
from trifocal.serve.histories import HistoryCoder, KnownHistories
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.service import Service
from trifocal.serve.storefront.config import ComparedConfig
from trifocal.types import Request

__all__ = ["Column", "Place", "SideBySide"]

_LOGGER = logging.getLogger(__name__)
# From more candidates than are shown, as an answer is.
_CANDIDATES = 100
# A page waits so long for models that are being made; another bundle may take half a minute the first time.
_WAIT_S = 3.0


@dataclass(frozen=True)
class Place:
    """An item in a column; `also` = names of the other columns that hold it."""

    card: ItemCard
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """What one model recommends.

    Attributes:
        name: of the model, as it is shown.
        places: best first.
        common: how many of them the first column holds as well.
        note: why there are none, where there are none.
    """

    name: str
    places: tuple[Place, ...]
    common: int = 0
    note: str = ""


@dataclass(frozen=True)
class _Model:
    name: str
    engine: OtherItemsEngine | None
    note: str = ""


class SideBySide:
    """Lists of several models for one shopper. Safe to use from several threads. Stability: internal."""

    def __init__(self, compare_with: Sequence[ComparedConfig]) -> None:
        """Take the names and folders of other bundles; load nothing yet."""
        self._compare_with = tuple(compare_with)
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="trifocal-beside")
        self._made: tuple[str, Future[list[_Model]]] | None = None
        self._lock = Lock()

    def columns(self, service: Service, user_id: str, k: int) -> tuple[list[Column], bool]:
        """Return what the serving model, and then the others, recommend to `user_id`, `k` items each.

        And whether that is all: the others are left out while they are being made.
        """
        ask = Ask(user_id=user_id, k=k)
        first = Column(_shown(service.manifest.model_name), _cards(service.recommend(ask).items))
        request, _ = service.gateway.request(ask)
        barred = service.catalogue.barred_rows(Filters())
        request = replace(request, exclude=np.union1d(barred, request.history.item_rows))
        models = self._models(service)
        others = [_column(model, service, request, k) for model in models or []]
        return marked([first, *others]), models is not None

    def close(self) -> None:
        """Wait for what is being made."""
        self._maker.shutdown(cancel_futures=True)

    def _models(self, service: Service) -> list[_Model] | None:
        version = service.manifest.model_version
        with self._lock:
            if self._made is None or self._made[0] != version:
                self._made = (version, self._maker.submit(self._make, service))
            making = self._made[1]
        try:
            return making.result(_WAIT_S)
        except TimeoutError:
            return None

    def _make(self, service: Service) -> list[_Model]:
        others = [(one.name, VariantConfig(name="other", share=1, bundle=one.bundle)) for one in self._compare_with]
        plain = [(name, VariantConfig(name="other", share=1, model=model)) for name, model in _PLAIN]
        return [_model(name, variant, service) for name, variant in (*others, *plain)]


_PLAIN: tuple[tuple[str, Literal["als", "popular"]], ...] = (
    ("ALS", "als"),
    ("Popular", "popular"),
)


def marked(columns: Sequence[Column]) -> list[Column]:
    """Return `columns` with marks of what they have in common, the first being the one that others are held against.

    >>> card = ItemCard("a", "A", None, None, None, True, False)
    >>> both = marked([Column("X", (Place(card),)), Column("Y", (Place(card),))])
    >>> [(column.common, column.places[0].also) for column in both]
    [(1, ('Y',)), (1, ('X',))]
    """
    held = {column.name: {place.card.item_id for place in column.places} for column in columns}

    def also(place: Place, name: str) -> Place:
        return replace(place, also=tuple(n for n, ids in held.items() if n != name and place.card.item_id in ids))

    first = held[columns[0].name]
    return [
        replace(
            column,
            places=tuple(also(place, column.name) for place in column.places),
            common=len(held[column.name] & first),
        )
        for column in columns
    ]


def _column(model: _Model, service: Service, request: Request, k: int) -> Column:
    if model.engine is None:
        return Column(model.name, (), note=model.note)
    # Items that joined since: it knows none of them.
    engine = model.engine.over(len(service.catalogue))
    candidates = engine.retrieve(request, engine.encode([request])[0], _CANDIDATES)
    rows = engine.rank(request, candidates).item_rows[0][:k]
    places = tuple(Place(service.catalogue.card(row)) for row in rows.tolist() if row >= 0)
    return Column(model.name, places, note="" if places else "It has nothing to recommend here.")


def _model(name: str, variant: VariantConfig, service: Service) -> _Model:
    try:
        return _Model(name, _engine(variant, service))
    except TrifocalError as error:
        _LOGGER.warning("%s is not shown beside the others: %s", name, error)
        return _Model(name, None, f"It cannot be shown: {error}")


def _engine(variant: VariantConfig, service: Service) -> OtherItemsEngine:
    if service.folder is None:
        raise TrifocalError("the service was not built from a folder")
    bundle = read_bundle(service.folder)
    contents = bundle.contents
    count = contents.items.height
    coder = HistoryCoder(service.catalogue.vocabulary, ContextVocabulary.from_json(contents.feature_state["context"]))
    served = Made(bundle.manifest.model_version, service.gateway.engine, QueryEncoder(lambda: load_encoder(bundle)))
    # One of them alone is no experiment that could be set; what makes variants is told of nothing else.
    experiment = ExperimentConfig.model_construct(variants=(variant,))
    config = service.config.model_copy(update={"experiment": experiment})
    ((_, made),) = build_variants(
        bundle, config, served, lambda: KnownHistories(contents.histories, coder).taken(count)
    )
    engine = made.engine
    if not isinstance(engine, OtherItemsEngine):
        raise TrifocalError("the model is the one that serves")
    return engine


def _cards(items: Sequence[ScoredItem]) -> tuple[Place, ...]:
    return tuple(Place(item.card) for item in items)


def _shown(name: str) -> str:
    return name[:1].upper() + name[1:]
