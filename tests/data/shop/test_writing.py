"""Texts: they carry what a picture cannot show, and mostly not what it shows."""

from __future__ import annotations

import numpy as np
import pytest

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.products import Products, sample_products
from trifocal.data.shop.style import COLOURS, PATTERNS
from trifocal.data.shop.wares import BRANDS, FUNCTIONS, OCCASIONS, WARES
from trifocal.data.shop.writing import Texts, query_text, write_texts


@pytest.fixture(scope="module")
def catalogue() -> tuple[Products, Texts]:
    products = sample_products(ShopConfig(products=1200), np.random.default_rng(5))
    return products, write_texts(products, np.random.default_rng(6))


def _words(texts: Texts) -> list[str]:
    return [f"{title} {text or ''}".lower() for title, text in zip(texts.titles, texts.descriptions, strict=True)]


def test_one_in_five_names_the_colour_and_never_a_wrong_one(catalogue: tuple[Products, Texts]) -> None:
    products, texts = catalogue
    named = 0
    for row, text in enumerate(_words(texts)):
        colours = {colour for colour in COLOURS if colour in text.split()}
        assert colours <= {COLOURS[products.style.colour[row]]}, text
        named += bool(colours)
    assert 0.15 < named / 1200 < 0.25


def test_one_in_ten_names_the_pattern(catalogue: tuple[Products, Texts]) -> None:
    products, texts = catalogue
    word = {"stripes": "striped", "dots": "dotted", "checks": "checked"}
    codes = np.array([PATTERNS[code] in word for code in products.style.pattern])
    texts_of = _words(texts)
    named = [word[PATTERNS[products.style.pattern[row]]] in texts_of[row] for row in np.flatnonzero(codes)]
    assert 0.05 < np.mean(named) < 0.16


def test_a_description_names_every_property(catalogue: tuple[Products, Texts]) -> None:
    products, texts = catalogue
    phrases, functions = list(OCCASIONS.values()), np.array(list(FUNCTIONS))
    for row, text in enumerate(texts.descriptions):
        if text is None:
            continue
        whole = f"{texts.titles[row]} {text}"
        assert all(name in whole.lower() for name in functions[products.functions[row]]), whole
        assert BRANDS[products.brand[row]] in whole
        if products.occasion[row] >= 0:
            assert phrases[products.occasion[row]] in whole


def test_every_title_names_the_kind_of_product(catalogue: tuple[Products, Texts]) -> None:
    products, texts = catalogue
    for row, title in enumerate(texts.titles):
        assert any(noun in title for noun in WARES[products.category[row]].nouns), title


def test_a_few_descriptions_are_missing_and_no_slot_is_left_open(catalogue: tuple[Products, Texts]) -> None:
    texts = catalogue[1]
    assert 0.01 < sum(text is None for text in texts.descriptions) / 1200 < 0.05
    assert not any("{" in text or "  " in text for text in _words(texts))
    assert len(set(texts.descriptions)) > 1100


def test_a_query_is_a_property_and_a_noun() -> None:
    assert query_text(5, "waterproof") == "waterproof boots"
