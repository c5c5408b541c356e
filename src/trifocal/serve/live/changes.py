"""A service and a change -> the service after it. The one before stays as it is, for the requests that run on it.

The state of shoppers, the caches and the last lists are one for both: rows of items keep their numbers. Costs copies of
what is a few bytes an item, never of vectors or texts.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np

from trifocal.errors import ConfigError
from trifocal.ports import StoredItem
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.engines import Engine, GrowingEngine
from trifocal.serve.experiment.variants import grown
from trifocal.serve.online import ItemFeatures
from trifocal.serve.search import TextSearch
from trifocal.serve.service import Service

__all__ = ["with_item", "with_offer", "without_item"]


def with_item(service: Service, item: StoredItem, features: ItemFeatures) -> Service:
    """Return the service with `item` behind all others, or in place of the one of its id.

    Raises:
        ConfigError: when the engine takes no items while it serves.
    """
    found = service.catalogue.vocabulary.row(item.item_id)
    row = len(service.catalogue) if found is None else found
    catalogue = service.catalogue.with_item(item)
    engine = _growing(service).with_item(row, features)
    looks = service.picture_search.looks
    # A bundle that does not look at pictures has a table of no meaning, one column wide.
    look = features.compact_image if len(features.compact_image) else np.zeros(looks.base.shape[1], np.float32)
    colours = features.colours if len(features.colours) else None
    search = service.text_search.with_item(row, features.text, catalogue, look=look, colours=colours)
    pictures = service.picture_search.with_looks(looks.with_row(row, look), search, catalogue)
    after = _after(service, catalogue, engine, repr(item))
    return replace(after, text_search=search, picture_search=pictures)


def with_offer(service: Service, row: int, price: float | None, *, available: bool) -> Service:
    """Return the service with another price and availability of an item; nothing is encoded."""
    catalogue = service.catalogue.with_offer(row, price, available=available)
    after = _after(service, catalogue, service.gateway.engine, f"{row} {price} {available}")
    return _searching(after, service.text_search.over(catalogue))


def without_item(service: Service, row: int) -> Service:
    """Return the service that never answers with the item of `row`; what it said of others stays.

    Raises:
        ConfigError: when the engine takes no changes while it serves.
    """
    catalogue = service.catalogue.without(row)
    after = _after(service, catalogue, _growing(service).without(row), f"without {row}")
    return _searching(after, service.text_search.without(row, catalogue))


def _searching(service: Service, search: TextSearch) -> Service:
    pictures = service.picture_search.with_looks(service.picture_search.looks, search, service.catalogue)
    return replace(service, text_search=search, picture_search=pictures)


def _after(service: Service, catalogue: Catalogue, engine: Engine, change: str) -> Service:
    # A chain over the changes: two processes that saw the same ones have the same number, and may share answers.
    digest = blake2b(f"{service.catalogue_version} {change}".encode(), digest_size=7).digest()
    version = int.from_bytes(digest)
    gateway = service.gateway.grown(catalogue, engine, version)
    variants = grown(service.variants, catalogue, service.gateway.engine, engine, version)
    return replace(service, catalogue=catalogue, gateway=gateway, variants=variants, catalogue_version=version)


def _growing(service: Service) -> GrowingEngine:
    engine = service.gateway.engine
    if not isinstance(engine, GrowingEngine):
        raise ConfigError(
            f"an engine of the class {type(engine).__name__} takes no items while it serves; train and swap the bundle"
        )
    return engine
