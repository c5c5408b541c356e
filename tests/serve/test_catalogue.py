from __future__ import annotations

import polars as pl
import pytest
from tests.bundle.small_bundle import small_items

from trifocal import columns as c
from trifocal.errors import NotFoundError
from trifocal.serve.asks import Filters
from trifocal.serve.catalogue import Catalogue


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(small_items())


def left(catalogue: Catalogue, filters: Filters) -> list[str]:
    return [catalogue.vocabulary.ids[row] for row, barred in enumerate(catalogue.barred(filters)) if not barred]


def test_only_sold_out_items_are_barred_without_filters(catalogue: Catalogue) -> None:
    assert catalogue.barred(Filters()).tolist() == [False] * 11 + [True]


def test_a_category_holds_the_levels_below_it(catalogue: Catalogue) -> None:
    shoes = ["red-boot", "blue-boot", "green-boot", "black-boot"]
    assert left(catalogue, Filters(category="Fashion > Shoes")) == shoes
    assert len(left(catalogue, Filters(category="Fashion"))) == 8
    # The start of a word is no level.
    assert left(catalogue, Filters(category="Fash")) == []


def test_prices_are_limited_on_both_sides_inclusive(catalogue: Catalogue) -> None:
    assert left(catalogue, Filters(price_min=20, price_max=40)) == ["red-boot", "red-lamp", "blue-dress"]


def test_an_unknown_price_fails_any_limit() -> None:
    catalogue = Catalogue(pl.DataFrame({c.ITEM_ID: ["a", "b"], c.PRICE: [None, 5.0]}))
    assert left(catalogue, Filters()) == ["a", "b"]
    assert left(catalogue, Filters(price_min=0)) == ["b"]
    assert left(catalogue, Filters(price_max=100)) == ["b"]


def test_a_card_says_what_is_known(catalogue: Catalogue) -> None:
    card = catalogue.card(catalogue.row("blue-dress"))
    assert (card.title, card.category, card.price, card.available) == ("Blue dress", "Fashion > Dresses", 40.0, True)
    bare = Catalogue(pl.DataFrame({c.ITEM_ID: ["a"], c.TITLE: [""]})).card(0)
    assert (bare.title, bare.category, bare.price, bare.available, bare.has_image) == ("a", None, None, True, False)


def test_sections_are_the_first_levels_the_fullest_first(catalogue: Catalogue) -> None:
    assert catalogue.sections() == ["Fashion", "Home"]


def test_an_unknown_item_is_named(catalogue: Catalogue) -> None:
    with pytest.raises(NotFoundError, match="item 'hat' is not among the 12 items of this bundle"):
        catalogue.row("hat")
