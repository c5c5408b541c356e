"""What a shopper typed -> colours, terms and the words that are left, with slips of spelling put right. Knows no item.

```
"navy shrit for men" ─► colours: navy   terms: shirt, men   text: "shirt for men"   corrected: shrit -> shirt
```

Letters: S shades of `features.colour_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.features.colour_words import COLOURS, SHADES, SYNONYMS
from trifocal.features.product_colours import shades_lab
from trifocal.serve.search_parts.terms import stem, terms, words
from trifocal.types import BoolArray, FloatArray

__all__ = ["Asked", "AskedColour", "read_query"]

# Names of cloth and other things before they are names of colours.
_NOT_ASKED = frozenset({"denim", "mole", "tan", "skin", "stone", "slate", "jet", "snow", "copper", "brick", "amber"})
# Lightness of CIELAB, 0..100, of what is called so.
_LIGHTNESS = {"light": (62.0, 100.0), "pale": (70.0, 100.0), "dark": (0.0, 42.0), "deep": (0.0, 42.0)}
# Whoever types "navy" takes another dark blue rather than a red.
_OTHER_SHADE = 0.4


@dataclass(frozen=True)
class AskedColour:
    """One colour of a query.

    Attributes:
        words: as they were typed.
        shades: (S,) how well each shade does, 0..1.
    """

    words: str
    shades: FloatArray


@dataclass(frozen=True)
class Asked:
    """A query, understood.

    Attributes:
        text: without its colours, for an encoder; all of it where nothing else is left.
        terms: stems of `text`.
        colours: what they must look like.
        corrected: (as typed, as taken) of each slip of spelling.
    """

    text: str
    terms: tuple[str, ...]
    colours: tuple[AskedColour, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()


def read_query(query: str, spelt: Callable[[str], str | None], *, with_colours: bool = True) -> Asked:
    """Return what `query` asks for.

    Args:
        query: as typed.
        spelt: term -> the known term that was meant; None = it is known, or nothing is alike.
        with_colours: whether colours are looked for; else they are words like others.

    >>> asked = read_query("A light blue shirt", lambda term: None)
    >>> asked.text, asked.terms, [colour.words for colour in asked.colours]
    ('a shirt', ('shirt',), ['light blue'])
    >>> [SHADES[place].word for place in np.flatnonzero(asked.colours[0].shades)]
    ['light blue', 'sky blue', 'pale blue']
    """
    typed = words(query)
    colours, left = _colours(typed) if with_colours else ((), typed)
    if not terms(" ".join(left)):
        left = typed
    corrected = tuple((word, found) for word in left if (found := spelt(stem(word))) is not None)
    taken = dict(corrected)
    text = " ".join(taken.get(word, word) for word in left)
    return Asked(text, tuple(dict.fromkeys(terms(text))), colours, corrected)


def _colours(typed: Sequence[str]) -> tuple[tuple[AskedColour, ...], list[str]]:
    """Return the colours among the words `typed`, the longest names first, and the other words."""
    colours: list[AskedColour] = []
    left: list[str] = []
    place = 0
    while place < len(typed):
        for length in (2, 1):
            phrase = typed[place : place + length]
            shades = _shades(phrase) if len(phrase) == length else None
            if shades is not None:
                colours.append(AskedColour(" ".join(phrase), shades))
                place += length
                break
        else:
            left.append(typed[place])
            place += 1
    return tuple(colours), left


def _shades(phrase: Sequence[str]) -> FloatArray | None:
    """Return (S,) how well each shade fits the colour that `phrase` names; None = it names none."""
    name = _known(" ".join(phrase))
    if len(phrase) == 1 and phrase[0] in _NOT_ASKED:
        return None
    family = np.array([shade.colour for shade in SHADES])
    if len(phrase) == len(("light", "blue")) and phrase[0] in _LIGHTNESS and _known(phrase[1]) in COLOURS:
        low, high = _LIGHTNESS[phrase[0]]
        lightness = shades_lab()[:, 0]
        return _marked((family == _known(phrase[1])) & (low <= lightness) & (lightness <= high))
    if name in COLOURS:
        return _marked(family == name)
    found = [place for place, shade in enumerate(SHADES) if shade.word == name]
    if not found:
        return None
    shades = _OTHER_SHADE * _marked(family == SHADES[found[0]].colour)
    shades[found] = 1.0
    return shades


def _marked(shades: BoolArray) -> FloatArray:
    return shades.astype(np.float32)


def _known(name: str) -> str:
    hyphened = name.replace(" ", "-")
    return SYNONYMS.get(name, "off-white" if hyphened == "off-white" else name)
