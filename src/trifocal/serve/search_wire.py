"""What a search is asked by, in the body and in the address. Field names are the API: a change breaks clients."""

from __future__ import annotations

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from trifocal.errors import ServingError
from trifocal.serve.asks import Filters
from trifocal.serve.gateway import K_MAX
from trifocal.serve.picture_search import SearchAsk
from trifocal.serve.wire import FiltersBody

__all__ = ["SearchBody", "SearchParameters"]


class SearchBody(BaseModel):
    """What is looked for: words, a picture, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    q: str | None = Field(default=None, max_length=500)
    """Words."""
    picture: Base64Bytes | None = Field(default=None, repr=False)
    """A JPEG, PNG, GIF or WebP file in base64."""
    picture_weight: float = Field(default=0.5, ge=0, le=1)
    """Share of the picture where both are given."""
    k: int = Field(default=10, ge=1, le=K_MAX)
    """How many items."""
    filters: FiltersBody = FiltersBody()
    """Limits on category, price and attributes."""
    timings: bool = False
    """Answer with the milliseconds of each stage."""
    explain: bool = False
    """Say of each item why it is answered."""

    def ask(self) -> SearchAsk:
        """Return the question in the search's terms."""
        return SearchAsk(self.q, self.picture, self.k, self.filters.filters(), self.picture_weight)


class SearchParameters(BaseModel):
    """What stands in the address of a search."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    q: str | None = Field(default=None, min_length=1, max_length=500)
    """What to look for, in words."""
    k: int = Field(default=10, ge=1, le=K_MAX)
    """How many items."""
    category: str | None = None
    """The start of the category path, in whole levels."""
    price_min: float | None = Field(default=None, ge=0)
    """Least price."""
    price_max: float | None = Field(default=None, ge=0)
    """Greatest price."""
    attribute: list[str] = Field(default=[], max_length=100)
    """`name:value`, of which an item must have one for each name, as `colour:red`."""
    picture_weight: float = Field(default=0.5, ge=0, le=1)
    """Share of the picture where words are given as well."""
    timings: bool = False
    """Answer with the milliseconds of each stage."""
    explain: bool = False
    """Say of each item why it is answered."""

    def ask(self, picture: bytes | None = None) -> SearchAsk:
        """Return the question in the search's terms.

        Raises:
            ServingError: when an attribute is no `name:value`.
        """
        filters = Filters(self.category, self.price_min, self.price_max, _attributes(self.attribute))
        return SearchAsk(self.q, picture, self.k, filters, self.picture_weight)


def _attributes(pairs: list[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the values by name.

    >>> _attributes(["colour:red", "size:m", "colour:blue"])
    (('colour', ('red', 'blue')), ('size', ('m',)))
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, colon, value = pair.partition(":")
        if not colon or not name or not value:
            raise ServingError(f"the attribute {pair!r} is no `name:value`; write it as colour:red")
        found.setdefault(name, []).append(value)
    return tuple((name, tuple(values)) for name, values in sorted(found.items()))
