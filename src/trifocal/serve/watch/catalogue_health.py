"""How whole the catalogue is: what items lack, which pictures are broken, what is never recommended, what is new.

Looked at a little at a time, by the thread that watches: each look reads a few picture files, and counts what the items
lack when it is due; of a million items it is some hundred milliseconds a minute, in pieces that answers go between.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.service import Service
from trifocal.types import BoolArray

__all__ = ["CatalogueHealth", "CatalogueLook", "NewItem"]

DAY_S = 86_400.0

# As a bundle's folder names the item table.
_ITEMS_FILE = "items.parquet"
_ROWS_AT_ONCE = 10_000
# A picture takes some 50 microseconds: a look stays below 2 ms.
_PICTURES_AT_ONCE = 32
_NEW_KEPT = 100_000


@dataclass(frozen=True)
class NewItem:
    """The item that came last: `at_s`, seconds since 1970, UTC; None = it was put before the service started."""

    item_id: str
    title: str
    at_s: float | None


@dataclass(frozen=True)
class CatalogueHealth:
    """How whole the catalogue is.

    Attributes:
        at_s: when it was counted, seconds since 1970, UTC; 0 = not yet.
        items: that are not deleted.
        sold_out: of them.
        lacking: part (`title`, `description`, `text`, `category`, `price`, `picture`) -> items without it; `text` =
            neither title nor description.
        pictures_checked: picture files that were opened so far.
        pictures_broken: of them those that are not there, or are no picture.
        recommended: items that stood in an answer since the bundle is in force.
        never_recommended: items that could be, and did not.
        new_day: items that came within the last 24 hours.
        newest: the item that came last; None = nobody knows.
    """

    at_s: float = 0.0
    items: int = 0
    sold_out: int = 0
    lacking: dict[str, int] | None = None
    pictures_checked: int = 0
    pictures_broken: int = 0
    recommended: int = 0
    never_recommended: int = 0
    new_day: int = 0
    newest: NewItem | None = None


class CatalogueLook:
    """Looks over the catalogue of the service in force. Used from one thread at a time. Stability: internal."""

    def __init__(self, every_s: float, again_s: float) -> None:
        """Have looked at nothing yet.

        Args:
            every_s: seconds between two counts.
            again_s: seconds after which pictures that were looked at are looked at once more.
        """
        self._every_s, self._again_s = every_s, again_s
        self._counted_s, self._began_s, self._next = float("-inf"), float("-inf"), 0
        self._recommended: BoolArray = np.zeros(0, np.bool_)
        self._checked, self._broken = np.zeros(0, np.bool_), np.zeros(0, np.bool_)
        self._joined: deque[tuple[float, str]] = deque(maxlen=_NEW_KEPT)
        self._created: tuple[list[float], NewItem | None] = ([], None)
        self._rows = self._trained = 0
        self._images: list[str | None] = []
        self.health = CatalogueHealth()

    def learn(self, service: Service) -> None:
        """Begin anew with the catalogue of another bundle: rows mean other items."""
        size = len(service.catalogue)
        self._recommended, self._rows = np.zeros(size, np.bool_), size
        self._checked, self._broken = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        self._counted_s, self._next, self._images = float("-inf"), 0, []
        self._created, self._trained = _created(service), service.manifest.counts["items"]

    def recommended(self, item_ids: Sequence[str], catalogue: Catalogue) -> None:
        """Note that the items stood in an answer."""
        rows = catalogue.vocabulary.rows(item_ids)
        self._recommended = _grown(self._recommended, len(catalogue))
        self._recommended[rows[(rows >= 0) & (rows < len(self._recommended))]] = True

    def look(self, service: Service, now_s: float) -> None:
        """Open a few pictures, and count when it is due."""
        self._grow(service.catalogue, now_s)
        self._pictures(service, now_s)
        if now_s >= self._counted_s + self._every_s:
            self.health = self._counted(service.catalogue, now_s)
            self._counted_s = now_s

    def _grow(self, catalogue: Catalogue, now_s: float) -> None:
        size = len(catalogue)
        for row in range(self._rows, size):
            self._joined.append((now_s, catalogue.vocabulary.ids[row]))
        self._rows = max(self._rows, size)
        self._recommended = _grown(self._recommended, size)
        self._checked, self._broken = _grown(self._checked, size), _grown(self._broken, size)

    def _pictures(self, service: Service, now_s: float) -> None:
        if self._next == 0:
            # Each change of an item gives another list of pictures.
            if service.catalogue.images is self._images and now_s < self._began_s + self._again_s:
                return
            self._began_s, self._images = now_s, service.catalogue.images
        stop = min(self._next + _PICTURES_AT_ONCE, self._rows)
        for row in range(self._next, stop):
            named = service.catalogue.images[row] is not None
            self._broken[row] = named and service.picture(row) is None
            self._checked[row] = True
            # Whoever waits for Python's lock comes first.
            time.sleep(0)
        self._next = 0 if stop >= self._rows else stop

    def _counted(self, catalogue: Catalogue, now_s: float) -> CatalogueHealth:
        counts: Counter[str] = Counter()
        for start in range(0, len(catalogue), _ROWS_AT_ONCE):
            counts.update(catalogue.lacking(start, start + _ROWS_AT_ONCE))
            time.sleep(0)
        offered = catalogue.offered
        recommended = _grown(self._recommended, len(catalogue))
        named = np.fromiter((name is not None for name in catalogue.images), np.bool_, len(catalogue))
        here = named & ~catalogue.removed
        return CatalogueHealth(
            at_s=now_s,
            items=counts.pop("items", 0),
            sold_out=counts.pop("sold_out", 0),
            lacking=dict(counts),
            pictures_checked=int((self._checked & here).sum()),
            pictures_broken=int((self._broken & here).sum()),
            recommended=int(recommended.sum()),
            never_recommended=int((offered & ~recommended).sum()),
            new_day=sum(at_s >= now_s - DAY_S for at_s in (*self._created[0], *(at_s for at_s, _ in self._joined))),
            newest=self._newest(catalogue),
        )

    def _newest(self, catalogue: Catalogue) -> NewItem | None:
        for at_s, item_id in reversed(self._joined):
            row = catalogue.vocabulary.row(item_id)
            if row is not None and not catalogue.removed[row]:
                return NewItem(item_id, catalogue.title(row), at_s)
        # Put before the start: behind those of the bundle, and nobody noted when.
        for row in range(len(catalogue) - 1, self._trained - 1, -1):
            if not catalogue.removed[row]:
                return NewItem(catalogue.vocabulary.ids[row], catalogue.title(row), None)
        return self._created[1]


def _grown(values: BoolArray, size: int) -> BoolArray:
    """Return `values` (N,) with False behind, up to `size`."""
    return values if len(values) >= size else np.concatenate([values, np.zeros(size - len(values), np.bool_)])


def _created(service: Service) -> tuple[list[float], NewItem | None]:
    """Return when the newest items of the bundle were created, and the last of them; read from its folder."""
    path = None if service.folder is None else service.folder / _ITEMS_FILE
    if path is None or not path.is_file():
        return [], None
    table = pl.scan_parquet(path)
    wanted = (c.ITEM_ID, c.CREATED_AT)
    if not set(wanted) <= set(table.collect_schema().names()):
        return [], None
    newest = table.select(wanted).drop_nulls().top_k(_NEW_KEPT, by=c.CREATED_AT).collect()
    if newest.is_empty():
        return [], None
    times = [_seconds(at) for at in newest[c.CREATED_AT].to_list()]
    last = times.index(max(times))
    item_id = str(newest[c.ITEM_ID][last])
    row = service.catalogue.vocabulary.row(item_id)
    return times, NewItem(item_id, item_id if row is None else service.catalogue.title(row), times[last])


def _seconds(at: datetime) -> float:
    return at.timestamp()
