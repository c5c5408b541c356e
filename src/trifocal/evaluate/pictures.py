"""Small pictures for the report, inline, and the sample users that are shown with them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from trifocal import columns as c
from trifocal.data.cases import Cases
from trifocal.data.dataset import Dataset
from trifocal.evaluate.protocol import Result
from trifocal.types import IntArray

__all__ = ["SampleUser", "Thumbnail", "Thumbnails", "sample_users"]

_PIXELS = 96
_QUALITY = 72
_HISTORY_SHOWN = 6
_TRUTH_SHOWN = 12
_PROPOSED_SHOWN = 6


@dataclass(frozen=True)
class Thumbnail:
    """An item as the page shows it.

    Attributes:
        title: its title, or its id where it has none.
        picture: a data URI, or None where there is no readable picture.
        hit: the user went on to take it.
    """

    title: str
    picture: str | None
    hit: bool = False


@dataclass(frozen=True)
class SampleUser:
    """One user with rows of items.

    Attributes:
        user_id: of the outside world.
        had: newest items of the history, oldest first.
        took: what they went on to take.
        proposed: model name -> the head of its list.
    """

    user_id: str
    had: list[Thumbnail]
    took: list[Thumbnail]
    proposed: dict[str, list[Thumbnail]]


class Thumbnails:
    """Item row -> thumbnail; each picture is read once."""

    def __init__(self, dataset: Dataset) -> None:
        columns = dataset.items.select(c.ITEM_ID, c.TITLE, c.IMAGE)
        self._items: list[tuple[str, str | None, str | None]] = columns.rows()
        self._root = dataset.image_root
        self._pictures: dict[int, str | None] = {}

    def of(self, row: int, *, hit: bool = False) -> Thumbnail:
        """Return the thumbnail of the item at `row`."""
        item_id, title, image = self._items[row]
        if row not in self._pictures:
            self._pictures[row] = None if image is None else self._data_uri(image)
        return Thumbnail(title or item_id, self._pictures[row], hit)

    def _data_uri(self, image: str) -> str | None:
        try:
            with Image.open(self._root / image) as picture:
                small = picture.convert("RGB")
        except OSError:
            # A missing or broken picture shows as its title; the import has counted it already.
            return None
        small.thumbnail((_PIXELS, _PIXELS))
        target = io.BytesIO()
        small.save(target, "JPEG", quality=_QUALITY)
        return f"data:image/jpeg;base64,{base64.b64encode(target.getvalue()).decode()}"


def sample_users(
    cases: Cases, results: Sequence[Result], dataset: Dataset, *, size: int, seed: int
) -> list[SampleUser]:
    """Return `size` users drawn at random among those with a history (among all where none has one).

    Args:
        cases: the users.
        results: on these cases, in the order of the page.
        dataset: its items are in the order of the recommenders' rows.
        size: fewer are returned where there are fewer.
        seed: of the draw.
    """
    known = np.flatnonzero([len(request.history) > 0 for request in cases.requests])
    pool = known if len(known) else np.arange(len(cases))
    thumbnails = Thumbnails(dataset)
    chosen = np.random.default_rng(seed).permutation(pool)[:size]
    return [_sample(int(place), cases, results, thumbnails) for place in chosen]


def _sample(place: int, cases: Cases, results: Sequence[Result], thumbnails: Thumbnails) -> SampleUser:
    truth = cases.truths[place]
    wanted = {int(row) for row in truth}

    def shown(rows: IntArray, *, marked: bool = False) -> list[Thumbnail]:
        return [thumbnails.of(int(row), hit=marked and int(row) in wanted) for row in rows if row >= 0]

    return SampleUser(
        cases.user_ids[place],
        shown(cases.requests[place].history.item_rows[-_HISTORY_SHOWN:]),
        shown(truth[:_TRUTH_SHOWN]),
        {result.name: shown(result.item_rows[place, :_PROPOSED_SHOWN], marked=True) for result in results},
    )
