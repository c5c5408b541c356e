"""Titles and descriptions: natural, varied, and mostly silent about what the picture shows.

A text names the kind of product, the brand line, and what a picture cannot show (occasion, functions). Only one in five
names the colour and one in ten the pattern; the adjectives carry no style at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.products import Products
from trifocal.data.shop.style import COLOURS, PATTERNS
from trifocal.data.shop.wares import BRANDS, FUNCTIONS, OCCASIONS, WARES

__all__ = ["PRODUCT_LINES", "Texts", "query_text", "write_texts"]

PRODUCT_LINES = (
    "Aster", "Bergen", "Calla", "Dune", "Elm", "Fjord", "Gale", "Hazel", "Iris", "Juno", "Kit", "Luna",
    "Mira", "Nova", "Otto", "Perla", "Quill", "Rhea", "Sol", "Tilda", "Una", "Vera", "Wren", "Yara",
)  # fmt: skip
_SHARE_NAMING_COLOUR = 0.20
_SHARE_NAMING_PATTERN = 0.10
_SHARE_WITHOUT_DESCRIPTION = 0.03
_SHARE_WITH_CLOSING = 0.7
_ADJECTIVES = (
    "lovely",
    "fine",
    "well-made",
    "handsome",
    "sleek",
    "dependable",
    "pleasing",
    "beautiful",
    "favourite",
    "smart",
)
_PATTERN_WORDS = {
    "stripes": "striped", "dots": "dotted", "checks": "checked", "floral": "floral", "zigzag": "zigzag",
    "block": "two-tone", "solid": "plain",
}  # fmt: skip
_TITLES = (
    "{brand} {line} {noun}",
    "{Adjective} {noun} by {brand}",
    "{line} {noun}",
)
_TITLES_WITH_FUNCTION = (
    "{Function} {noun} – {brand} {line}",
    "{line} {function} {noun}",
    "{brand} {function} {noun}",
)
_TITLES_WITH_OCCASION = (
    "{brand} {noun} for {occasion_phrase}",
    "{Occasion} {noun} from {brand}",
    "{line} {occasion} {noun}",
)
_OPENINGS = (
    "The {noun} that {brand} is known for, in a new make.",
    "Part of the {line} series by {brand}.",
    "{brand} has made {a_adjective} {noun} here, and it shows in every detail.",
    "From the {line} line by {brand}: {a_adjective} {noun} at a fair price.",
    "{A_adjective} {noun} by {brand}, finished with care.",
)
_OCCASION_SENTENCES = (
    "Made with {occasion_phrase} in mind.",
    "Just right for {occasion_phrase}.",
    "We like it best for {occasion_phrase}.",
    "Chosen by our buyers for {occasion_phrase}.",
)
_FUNCTION_SENTENCES = (
    "{Function}: {promise}.",
    "Really {function}: {promise}.",
    "Best of all, {function}: {promise}.",
    "{Promise} – that is what {function} means here.",
)
_CLOSINGS = (
    "Packed without plastic.",
    "Thirty days to change your mind.",
    "Soon one of your favourites.",
    "Good value that lasts.",
    "Repaired free of charge for two years.",
    "Checked by hand before it leaves us.",
)


@dataclass(frozen=True)
class Texts:
    """Titles and descriptions of N products; a description may be missing."""

    titles: list[str]
    descriptions: list[str | None]


def write_texts(products: Products, rng: np.random.Generator) -> Texts:
    """Return random texts that tell the truth about `products`."""
    titles, descriptions = [], []
    for row in range(len(products)):
        words = _words(products, row, rng)
        titles.append(_title(words, rng))
        silent = rng.random() < _SHARE_WITHOUT_DESCRIPTION
        descriptions.append(None if silent else _description(words, _functions(products, row), rng))
    return Texts(titles, descriptions)


def query_text(category: int, text_property: str) -> str:
    """Return what a shopper types for a property of a category.

    >>> query_text(0, "party"), query_text(2, "waterproof")
    ('party dress', 'waterproof jacket')
    """
    return f"{text_property} {WARES[category].nouns[0]}"


def _words(products: Products, row: int, rng: np.random.Generator) -> dict[str, str]:
    """Return the words that fill the slots of the templates; without an occasion its keys are absent."""
    ware = WARES[products.category[row]]
    noun = _pick(ware.nouns, rng)
    plural = noun.endswith("s") and not noun.endswith("ss")
    if rng.random() < _SHARE_NAMING_PATTERN:
        noun = f"{_PATTERN_WORDS[PATTERNS[products.style.pattern[row]]]} {noun}"
    if rng.random() < _SHARE_NAMING_COLOUR:
        noun = f"{COLOURS[products.style.colour[row]]} {noun}"
    adjective = _pick(_ADJECTIVES, rng)
    words = {
        "noun": noun,
        "brand": BRANDS[products.brand[row]],
        "line": _pick(PRODUCT_LINES, rng),
        "adjective": adjective,
        "a_adjective": adjective if plural else f"a {adjective}",
        "function": _pick(_functions(products, row), rng),
    }
    if (occasion := products.occasion[row]) >= 0:
        words["occasion"], words["occasion_phrase"] = list(OCCASIONS.items())[occasion]
    return words


def _functions(products: Products, row: int) -> list[str]:
    return [name for name, has in zip(FUNCTIONS, products.functions[row], strict=True) if has]


def _title(words: dict[str, str], rng: np.random.Generator) -> str:
    kinds = [_TITLES, _TITLES_WITH_FUNCTION, _TITLES_WITH_OCCASION]
    fitting = kinds if "occasion" in words else kinds[:2]
    return _fill(_pick(fitting[int(rng.integers(len(fitting)))], rng), words)


def _description(words: dict[str, str], functions: list[str], rng: np.random.Generator) -> str:
    """Return an opening, then every property in random order, mostly with a closing."""
    sentences = [
        _fill(_pick(_FUNCTION_SENTENCES, rng), {**words, "function": name, "promise": FUNCTIONS[name]})
        for name in functions
    ]
    if "occasion" in words:
        sentences.append(_fill(_pick(_OCCASION_SENTENCES, rng), words))
    rng.shuffle(sentences)
    closing = [_pick(_CLOSINGS, rng)] if rng.random() < _SHARE_WITH_CLOSING else []
    return " ".join([_fill(_pick(_OPENINGS, rng), words), *sentences, *closing])


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _fill(template: str, words: dict[str, str]) -> str:
    """Return `template` with its slots filled; a slot with a capital letter gets its word with a capital letter."""
    capitals = {name.capitalize(): text[:1].upper() + text[1:] for name, text in words.items()}
    text = template.format(**words, **capitals)
    return text[:1].upper() + text[1:]
