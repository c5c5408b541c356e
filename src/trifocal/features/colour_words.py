"""Words for colours as shops use them, each with the colour that it stands for. Reads and writes nothing.

The values are plain sRGB hex codes, chosen by eye for cloth in daylight: the navy of a coat is not the navy of CSS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["COLOURS", "SHADES", "SYNONYMS", "Shade"]


@dataclass(frozen=True)
class Shade:
    """One named colour.

    Attributes:
        word: its name, in small letters; a family is one of its own shades.
        code: sRGB, six hex digits.
        colour: the basic colour that it is a shade of.
    """

    word: str
    code: str
    colour: str


_BY_COLOUR: Final = {
    "black": {"black": "121214", "jet": "1e1e20", "charcoal": "303034"},
    "grey": {"grey": "8c8c8e", "dark grey": "55565a", "light grey": "bcbdbf", "slate": "6c757d",
             "anthracite": "414347"},
    "white": {"white": "f6f6f6", "off-white": "f0ece2", "ivory": "f2eede", "snow": "ffffff"},
    "beige": {"beige": "d3c0a3", "cream": "ebe1c8", "sand": "c8b18b", "ecru": "e1d6c0", "taupe": "a3917e",
              "nude": "dcb79d", "oatmeal": "d2c8b8"},
    "brown": {"brown": "6a4430", "camel": "b5834f", "rust": "9a4a28", "chocolate": "432c22", "cognac": "8b4b27",
              "tan": "bb9168", "mole": "7d6a5c", "chestnut": "7a4a3a", "terracotta": "b3603f"},
    "red": {"red": "c81e2a", "burgundy": "5f1c2a", "bright red": "e02020", "wine": "722030", "dark red": "8c1c24",
            "brick": "a33c32"},
    "orange": {"orange": "ee7a22", "coral": "f2775f", "apricot": "f2b387", "peach": "f6c5a4", "burnt orange": "c9581f"},
    "yellow": {"yellow": "f3cf3d", "mustard": "cb962b", "light yellow": "f4e7a1", "lemon": "f7e95a", "amber": "e3a52a"},
    "green": {"green": "2f7d4a", "dark green": "1d4030", "mint": "b5dcc5", "emerald": "14795a", "lime": "a8cc3c",
              "sage": "a3b096", "light green": "bcd6ae", "bright green": "35a852", "pistachio": "c3cf9f"},
    "khaki": {"khaki": "77704c", "olive": "5d5c3b", "army green": "4b5138", "dark khaki": "3f4232",
              "light khaki": "9c9674"},
    "turquoise": {"turquoise": "3aaeb0", "teal": "1f6a70", "aqua": "8fd3d3", "petrol": "1c4c58"},
    "blue": {"blue": "3468a8", "navy": "1e2740", "light blue": "a6c4de", "dark blue": "27395f", "denim": "55769a",
             "royal blue": "2646a8", "sky blue": "8fbbe3", "indigo": "33415f", "cobalt": "1c4bb4",
             "pale blue": "cbdbea"},
    "purple": {"purple": "6d3f86", "lilac": "c5b0d8", "lavender": "d2c8e4", "plum": "56293f", "mauve": "a98a9c",
               "violet": "7c55b3", "aubergine": "3d2336"},
    "pink": {"pink": "ee9cb4", "light pink": "f3d0d2", "hot pink": "e23a83", "powder pink": "e4c5c0", "rose": "d78b8f",
             "fuchsia": "cb2470", "dusty pink": "c99a98", "salmon": "ee9a89", "magenta": "b8286e"},
    "gold": {"gold": "c39c4e"},
    "silver": {"silver": "b9babd"},
}  # fmt: skip

SHADES: Final = tuple(Shade(word, code, colour) for colour, words in _BY_COLOUR.items() for word, code in words.items())
COLOURS: Final = tuple(_BY_COLOUR)

SYNONYMS: Final = {
    "gray": "grey", "dark gray": "dark grey", "light gray": "light grey", "offwhite": "off-white",
    "off white": "off-white",
    "creme": "cream", "champagne": "cream", "stone": "oatmeal", "bordeaux": "burgundy", "maroon": "burgundy",
    "scarlet": "bright red", "crimson": "red", "ochre": "mustard", "navy blue": "navy", "midnight blue": "navy",
    "teal green": "teal", "mint green": "mint", "olive green": "olive", "khaki green": "khaki",
    "bottle green": "dark green",
    "forest green": "dark green", "lilac purple": "lilac", "blush": "powder pink", "pale pink": "light pink",
    "golden": "gold", "silvery": "silver", "skin": "nude", "ebony": "black", "baby blue": "light blue",
    "baby pink": "light pink", "military green": "army green", "violette": "violet", "caramel": "camel",
    "copper": "rust",
}  # fmt: skip
