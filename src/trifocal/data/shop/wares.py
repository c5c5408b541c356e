"""What the shop sells: twelve categories, their words, prices and seasons, and the properties that only text names."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BRANDS", "FUNCTIONS", "LIFESTYLES", "OCCASIONS", "WARES", "Ware"]


@dataclass(frozen=True)
class Ware:
    """One category.

    Attributes:
        key: short name, also of the silhouettes.
        path: category path as it stands in the catalogue.
        nouns: what a text may call it.
        price: median price in euro.
        peak_day: day of the year on which interest is greatest.
        season: strength of the season, in units of utility.
        functions: which of `FUNCTIONS` such a product may have.
        occasions: which of `OCCASIONS` it may be made for.
    """

    key: str
    path: str
    nouns: tuple[str, ...]
    price: float
    peak_day: int
    season: float
    functions: tuple[str, ...]
    occasions: tuple[str, ...]


OCCASIONS: dict[str, str] = {
    "office": "the office",
    "party": "a party",
    "travel": "travel",
    "weekend": "slow weekends",
    "hiking": "hiking",
    "wedding": "a wedding",
    "beach": "the beach",
    "commute": "the daily commute",
    "home office": "the home office",
    "living room": "the living room",
    "bedroom": "the bedroom",
    "reading": "long reading evenings",
    "garden": "the garden",
    "guests": "a table full of guests",
    "studio": "a small studio flat",
    "kids room": "the kids' room",
}
FUNCTIONS: dict[str, str] = {
    "waterproof": "rain stays outside",
    "breathable": "air gets through",
    "quick-dry": "dry again within the hour",
    "insulated": "the warmth stays in",
    "stretchy": "every step is an easy one",
    "organic": "certified from field to finish",
    "recycled": "nothing new had to be grown or drilled for",
    "machine-washable": "thirty degrees and done",
    "handmade": "no two leave the workshop quite the same",
    "foldable": "flat in a second when the room is needed",
    "stain-resistant": "spills wipe off",
    "dishwasher-safe": "a thousand cycles tested",
    "dimmable": "from bright to a soft glow",
    "ultralight": "hardly there on the scales",
}
BRANDS = (
    "Norrby", "Maison Alder", "Kestrel", "Tallow & Pine", "Okami", "Fernhill", "Lindqvist", "Corso", "Bramble",
    "Halden", "Ostara", "Pemberley", "Rivage", "Solano", "Tidewater", "Umbra", "Vasari", "Wexford",
)  # fmt: skip

# What shoppers of a kind look for beyond the picture; most shoppers are of one kind, some of two.
LIFESTYLES: dict[str, tuple[str, ...]] = {
    "career": ("office", "commute", "home office", "insulated", "stain-resistant", "Norrby", "Maison Alder", "Corso"),
    "outdoor": ("hiking", "garden", "waterproof", "breathable", "ultralight", "Kestrel", "Fernhill", "Halden"),
    "social": ("party", "wedding", "guests", "stretchy", "dimmable", "Okami", "Solano", "Vasari"),
    "caring": ("weekend", "bedroom", "organic", "recycled", "handmade", "Tallow & Pine", "Bramble", "Ostara"),
    "nomad": ("travel", "beach", "studio", "quick-dry", "foldable", "Rivage", "Tidewater", "Umbra"),
    "family": (
        "living room", "reading", "kids room", "machine-washable", "dishwasher-safe",
        "Lindqvist", "Pemberley", "Wexford",
    ),
}  # fmt: skip

_WEAR = ("office", "party", "travel", "weekend", "hiking", "wedding", "beach", "commute")
_ROOMS = ("home office", "living room", "bedroom", "reading", "garden", "guests", "studio", "kids room")
_CLOTH = ("breathable", "quick-dry", "stretchy", "organic", "recycled", "machine-washable", "handmade", "ultralight")
_OUTER = (
    "waterproof",
    "breathable",
    "quick-dry",
    "insulated",
    "recycled",
    "machine-washable",
    "ultralight",
    "foldable",
)
_SHOE = ("waterproof", "breathable", "insulated", "recycled", "handmade", "ultralight", "machine-washable", "stretchy")
_CARRY = (
    "waterproof",
    "recycled",
    "organic",
    "handmade",
    "foldable",
    "ultralight",
    "stain-resistant",
    "machine-washable",
)
_FURNISH = ("recycled", "handmade", "foldable", "stain-resistant", "ultralight", "organic")

WARES = (
    Ware("dress", "Fashion > Dresses", ("dress", "frock"), 69, 150, 0.7, _CLOTH, _WEAR),
    Ware("t-shirt", "Fashion > T-shirts", ("t-shirt", "tee", "top"), 25, 170, 0.5, _CLOTH, _WEAR),
    Ware("jacket", "Fashion > Jackets", ("jacket", "coat"), 129, 20, 0.8, _OUTER, _WEAR),
    Ware("trousers", "Fashion > Trousers", ("trousers", "pants"), 59, 80, 0.2, _CLOTH, _WEAR),
    Ware("sneaker", "Fashion > Shoes > Sneakers", ("sneakers", "trainers"), 89, 110, 0.3, _SHOE, _WEAR),
    Ware("boot", "Fashion > Shoes > Boots", ("boots",), 139, 355, 0.9, _SHOE, _WEAR),
    Ware("bag", "Fashion > Bags", ("bag",), 79, 100, 0.2, _CARRY, _WEAR),
    Ware("hat", "Fashion > Hats", ("hat", "headwear"), 29, 190, 0.4, _CARRY, _WEAR),
    Ware("lamp", "Home > Lighting", ("lamp", "light"), 75, 340, 0.4, (*_FURNISH, "dimmable", "dimmable"), _ROOMS),
    Ware("chair", "Home > Chairs", ("chair", "seat"), 149, 120, 0.3, _FURNISH, _ROOMS),
    Ware("mug", "Home > Mugs", ("mug", "cup"), 17, 350, 0.5, ("dishwasher-safe", "dishwasher-safe", *_FURNISH), _ROOMS),
    Ware("cushion", "Home > Cushions", ("cushion", "pillow"), 32, 300, 0.3, (*_FURNISH, "machine-washable"), _ROOMS),
)
