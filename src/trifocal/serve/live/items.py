"""Items of the running service: put, change, delete; kept in a store, and done again when the service starts.

One thread changes at a time. A change is kept before it is seen, and a request sees the service before or after it.

```
item ─► picture checked ─► encoded ─► kept in the store ─► the next service ─► in force
```
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from trifocal.errors import ArtifactError, ConfigError, NotFoundError, TrifocalError
from trifocal.ports import ItemStore, KeptItem, StoredItem
from trifocal.serve.asks import ItemCard
from trifocal.serve.current import Current
from trifocal.serve.live.changes import with_item, with_offer, without_item
from trifocal.serve.live.pictures import checked_picture, kept_picture
from trifocal.serve.online import ItemFeatures
from trifocal.serve.service import Service

__all__ = ["Done", "LiveItems"]

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """What became of an item: `created` = it was not here before; `encoded` = its content was read anew."""

    card: ItemCard
    created: bool
    encoded: bool


class LiveItems:
    """Changes the items of the service in force. Safe to use from several threads. Stability: caller."""

    def __init__(self, current: Current, store: ItemStore) -> None:
        """Do again what `store` holds.

        Args:
            current: holds the service.
            store: of the changes; the caller closes it.
        """
        self._current, self._store = current, store
        # Whoever swaps bundles holds it too: a change must not get lost between both.
        self.lock = RLock()
        # As it was loaded: the changes are done again on it after a way back.
        self.fresh = current.service
        with self.lock:
            current.service = self.replayed(current.service)

    @property
    def is_durable(self) -> bool:
        """Whether a restart keeps the changes."""
        return self._store.is_durable

    def put(self, item: StoredItem, picture: bytes | None = None) -> Done:
        """Add `item`, or put it in the place of the one of its id; the next request sees it.

        Args:
            item: as it is to be; its `picture` does not count.
            picture: bytes of a PNG, JPEG or WebP file; None = the picture that it has, if it has one.

        Raises:
            ServingError: when the picture is none, or too large.
            ConfigError: when nothing can be encoded here, or no picture kept.
        """
        config = self._current.service.config.live
        suffix = None if picture is None else checked_picture(picture, config)
        with self.lock:
            service = self._current.service
            before = _present(service, item.item_id)
            item = replace(
                item,
                picture=None if before is None else before.picture,
                in_bundle=before is not None and before.in_bundle,
            )
            if picture is not None and suffix is not None:
                name = kept_picture(picture, suffix, item.item_id, self._pictures(item.item_id))
                item = replace(item, picture=name, in_bundle=False)
            if before is not None and _content(before) == _content(item):
                return self._offer(service, item)
            features = self._encoded(service, item)
            after = with_item(service, item, features)
            self._store.put(self._kept(service, item, features))
            self._in_force(after)
            self._drop_picture(before, item)
        return Done(self._card(item.item_id), created=before is None, encoded=True)

    def offer(self, item_id: str, *, price: float | None = None, available: bool | None = None) -> Done:
        """Change price or availability of an item; None = as it is.

        Raises:
            NotFoundError: when there is no such item.
        """
        with self.lock:
            service = self._current.service
            before = service.catalogue.item(service.catalogue.row(item_id))
            item = replace(
                before,
                price=before.price if price is None else price,
                available=before.available if available is None else available,
            )
            if item.price != before.price:
                return self.put(item)
            return self._offer(service, item)

    def delete(self, item_id: str) -> bool:
        """Never answer with the item again; return whether it was here."""
        with self.lock:
            service = self._current.service
            before = _present(service, item_id)
            if before is None:
                return False
            after = without_item(service, service.catalogue.row(item_id))
            self._store.put(KeptItem(item_id, None))
            self._in_force(after)
            self._drop_picture(before, None)
        return True

    def replayed(self, service: Service) -> Service:
        """Return `service`, fresh from its bundle, with all that the store holds.

        An item that cannot be encoded any more is left out, and said so in the log.
        """
        service = replace(service, live_images=self._store.pictures)
        for user_id, until_s in self._store.forgotten_users().items():
            service.state.forget_known(user_id, until_s)
            service.forget_answers(user_id)
        # It may have answered before, and others since.
        service.state.clear()
        for kept in self._store.items():
            try:
                service = self._again(service, kept)
            except TrifocalError as error:
                _LOGGER.error("the live item %r is left out: %s", kept.item_id, error)
        service.state.grow(service.catalogue.vocabulary)
        return service

    def _again(self, service: Service, kept: KeptItem) -> Service:
        if kept.item is None:
            row = service.catalogue.vocabulary.row(kept.item_id)
            return service if row is None else without_item(service, row)
        known = _present(service, kept.item_id)
        if known is not None and _content(known) == _content(kept.item):
            row = service.catalogue.row(kept.item_id)
            return with_offer(service, row, kept.item.price, available=kept.item.available)
        features = self._stored_features(service, kept)
        if features is None:
            features = self._encoded(service, kept.item)
            self._store.put(self._kept(service, kept.item, features))
        return with_item(service, kept.item, features)

    def _stored_features(self, service: Service, kept: KeptItem) -> ItemFeatures | None:
        if kept.model_version != service.manifest.model_version:
            return None
        try:
            return ItemFeatures.from_bytes(kept.features)
        except ArtifactError as error:
            _LOGGER.warning("the live item %r is encoded again: %s", kept.item_id, error)
            return None

    def _offer(self, service: Service, item: StoredItem) -> Done:
        row = service.catalogue.row(item.item_id)
        kept = self._store.item(item.item_id)
        features = b"" if kept is None else kept.features
        version = "" if kept is None else kept.model_version
        self._store.put(KeptItem(item.item_id, item, features, version))
        self._in_force(with_offer(service, row, item.price, available=item.available))
        return Done(self._card(item.item_id), created=False, encoded=False)

    def _encoded(self, service: Service, item: StoredItem) -> ItemFeatures:
        row = service.catalogue.vocabulary.row(item.item_id)
        trained = row if row is not None and row < service.manifest.counts["items"] else None
        return service.item_encoder.encode(item, self._picture(service, item), trained)

    def _picture(self, service: Service, item: StoredItem) -> Path | None:
        if item.picture is None:
            return None
        root = service.image_root if item.in_bundle else self._store.pictures
        if root is None:
            return None
        path = (root / item.picture).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None

    def _pictures(self, item_id: str) -> Path:
        folder = self._store.pictures
        if folder is None:
            raise ConfigError(
                f"the picture of {item_id!r} cannot be kept: the item store is on a server and has no folder for "
                "pictures; start with `trifocal serve --pictures FOLDER`"
            )
        return folder

    def _kept(self, service: Service, item: StoredItem, features: ItemFeatures) -> KeptItem:
        return KeptItem(item.item_id, item, features.to_bytes(), service.manifest.model_version)

    def _in_force(self, service: Service) -> None:
        self._current.service = service
        service.state.grow(service.catalogue.vocabulary)

    def _card(self, item_id: str) -> ItemCard:
        catalogue = self._current.service.catalogue
        return catalogue.card(catalogue.row(item_id))

    def _drop_picture(self, before: StoredItem | None, after: StoredItem | None) -> None:
        """Delete the file of a picture that is nobody's any more."""
        folder = self._store.pictures
        if before is None or before.in_bundle or before.picture is None or folder is None:
            return
        if after is None or after.picture != before.picture:
            (folder / before.picture).unlink(missing_ok=True)


def _present(service: Service, item_id: str) -> StoredItem | None:
    try:
        return service.catalogue.item(service.catalogue.row(item_id))
    except NotFoundError:
        return None


def _content(item: StoredItem) -> tuple[object, ...]:
    """What the model reads of an item: a change of anything else encodes nothing."""
    return item.title, item.description, item.category, item.price, item.attributes, item.picture, item.in_bundle
