"""Search over pictures: what a text does not say is found by colour and look, new items included."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trifocal import columns as c
from trifocal.errors import ConfigError
from trifocal.features.product_colours import lab_of
from trifocal.ports import StoredItem
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.queries import PooledEncoder, QueryEncoder
from trifocal.serve.search import TextSearch
from trifocal.types import FloatArray

RED, BLUE = (200, 30, 42), (52, 104, 168)
# Row: title, colour and look (stripes or not); only half of what is striped says so.
ROWS = [
    ("striped shirt" if place % 4 == 0 else "shirt", (RED, BLUE)[place % 2], place % 4 in (0, 3)) for place in range(24)
]


class NoWords:
    def pooled(self, contents: list[str]) -> FloatArray:
        return np.array([[1.0, "trousers" in text] for text in contents], np.float32)


def colours_of(rgb: tuple[int, ...]) -> FloatArray:
    found = np.zeros((4, 4), np.float32)
    found[0] = [*lab_of(rgb), 1]
    return found


def look_of(*, striped: bool, place: int) -> FloatArray:
    return np.array([1, striped, 0.05 * (place % 3)], np.float32)


def search(*, encoder: bool = True, pictures: bool = True) -> TextSearch:
    def load() -> PooledEncoder:
        if encoder:
            return NoWords()
        raise ConfigError("no encoder")

    items = pl.DataFrame({c.ITEM_ID: [f"i{n}" for n in range(len(ROWS))], c.TITLE: [row[0] for row in ROWS]})
    return TextSearch(
        text_vectors=np.ones((len(ROWS), 2), np.float32),
        catalogue=Catalogue(items),
        queries=QueryEncoder(load),
        model_version="m",
        looks=np.stack([look_of(striped=r[2], place=n) for n, r in enumerate(ROWS)]) if pictures else None,
        colours=np.stack([colours_of(row[1]) for row in ROWS]) if pictures else None,
    )


def rows(found: TextSearch, query: str, k: int) -> list[int]:
    return [int(item.card.item_id[1:]) for item in found.search(query, k).items]


@pytest.mark.parametrize("encoder", [True, False])
def test_colours_that_no_text_names_are_seen(encoder: bool) -> None:
    found = search(encoder=encoder)
    assert {ROWS[row][1] for row in rows(found, "navy shirt", 12)} == {BLUE}
    assert {ROWS[row][1] for row in rows(found, "a red shirt", 12)} == {RED}


def test_a_pattern_that_some_texts_name_is_found_in_the_pictures_of_others() -> None:
    found = rows(search(), "striped", 12)
    # First those that say so, then those that only look so.
    assert all(row % 4 == 0 for row in found[:6])
    assert all(row % 4 == 3 for row in found[6:])


def test_without_pictures_the_words_decide() -> None:
    assert all(row % 4 == 0 for row in rows(search(pictures=False), "red striped", 6))


def test_words_that_nobody_knows_find_nothing_without_an_encoder() -> None:
    assert rows(search(encoder=False), "sofa", 5) == []


def test_a_new_item_is_found_by_its_colour_and_the_search_before_stays() -> None:
    before = search()
    catalogue = before._catalogue.with_item(StoredItem("i24", title="cap"))
    vector = np.ones(2, np.float32)
    green = colours_of((47, 125, 74))
    after = before.with_item(24, vector, catalogue, look=look_of(striped=False, place=0), colours=green)
    assert rows(after, "green", 1) == rows(after, "cap", 1) == [24]
    assert len(before.similarities("cap")) == 24
    gone = after.without(24, catalogue.without(24))
    assert 24 not in rows(gone, "cap", 24)


def test_a_changed_item_loses_its_words_and_colours() -> None:
    before = search()
    catalogue = before._catalogue.with_item(StoredItem("i0", title="cap"))
    after = before.with_item(0, np.ones(2, np.float32), catalogue)
    assert rows(after, "cap", 1) == [0]
    assert 0 not in rows(after, "striped red shirt", 8)


def test_fit_names_the_colour_that_is_shown() -> None:
    fit = search().fit("striped red shirt", "i0")
    assert (fit.terms, fit.shown_colours) == (("striped", "shirt"), ("red",))
    assert fit.colours == pytest.approx(0, abs=1)
    blue = search().fit("striped red shirt", "i1")
    assert blue.colours < -5
    assert blue.shown_colours == ()
    assert fit.look > blue.look


def test_equal_items_keep_their_order_whatever_else_comes_and_goes() -> None:
    before = search()
    catalogue = before._catalogue.with_item(StoredItem("i24", title="cap"))
    after = before.with_item(24, np.ones(2, np.float32), catalogue).without(24, catalogue.without(24))
    assert rows(before, "shirt", 24) == rows(after, "shirt", 24)
