"""The bodies of what changes the running service. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from trifocal.ports import StoredItem
from trifocal.serve.live.items import Done
from trifocal.serve.live.swap import InForce
from trifocal.serve.wire import ItemAnswer

__all__ = ["BundleAnswer", "BundleBody", "ItemBody", "ItemDone", "ItemGone", "OfferBody", "UserGone"]

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Price = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ItemBody(_Body):
    """An item as it is to be; what is left out is unknown, but for the picture."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Red linen dress", "category": "Fashion > Dresses", "price": 59.9}]}
    )

    title: str | None = Field(default=None, max_length=1_000)
    """Its name."""
    description: str | None = Field(default=None, max_length=20_000)
    """What is said of it."""
    category: str | None = Field(default=None, max_length=500)
    """Path from the general to the special: `Fashion > Dresses`."""
    price: _Price = None
    """In the currency of the catalogue."""
    attributes: dict[_Name, _Name] = Field(default={}, max_length=50)
    """Attribute -> value, as `{"colour": "red"}`."""
    available: bool = True
    """Whether it can be bought now; one that cannot is never recommended."""
    picture: Base64Bytes | None = None
    """A PNG, JPEG or WebP file; left out = the item keeps the picture that it has."""
    picture_address: str | None = Field(default=None, min_length=1, max_length=2_000)
    """Instead of the bytes: a path inside the picture folder, or http(s) from a host that the settings allow."""

    def item(self, item_id: str) -> StoredItem:
        """Return the item in the store's terms, without its picture."""
        return StoredItem(
            item_id=item_id,
            title=self.title or None,
            description=self.description or None,
            category=self.category or None,
            price=self.price,
            attributes=tuple(sorted(self.attributes.items())),
            available=self.available,
        )


class OfferBody(_Body):
    """What changes often; what is left out stays."""

    price: _Price = None
    """The new price."""
    available: bool | None = None
    """Whether it can be bought now."""


class ItemDone(_Body):
    """What became of an item; the next request sees it."""

    item: ItemAnswer
    created: bool
    """Whether it was not here before."""
    encoded: bool
    """Whether its content was read by the model; a change of availability alone is not."""
    durable: bool
    """Whether a restart of the server keeps it."""

    @classmethod
    def of(cls, done: Done, *, durable: bool) -> ItemDone:
        """Return the wire form of `done`."""
        return cls(item=ItemAnswer.of(done.card), created=done.created, encoded=done.encoded, durable=durable)


class ItemGone(_Body):
    """An item that is never answered again."""

    item_id: str
    deleted: bool
    """Whether it was here."""
    durable: bool
    """Whether a restart of the server keeps it deleted."""


class UserGone(_Body):
    """A user whose past is forgotten."""

    user_id: str
    events: int
    """Events that were deleted: of the store, and liked ones of the bundle."""
    caches: bool
    """Whether every cache is rid of the user; else the shared one is away, and is not believed meanwhile."""
    durable: bool
    """Whether a restart of the server keeps the user forgotten."""


class BundleBody(_Body):
    """Which bundle is to serve."""

    path: str = Field(min_length=1, max_length=1_000)
    """Its folder, inside the folder of bundles that the settings name."""


class BundleAnswer(_Body):
    """Which bundle serves."""

    model_name: str
    model_version: str
    variant: str
    since: datetime
    previous: str | None
    """The model version that a rollback leads to."""

    @classmethod
    def of(cls, state: InForce) -> BundleAnswer:
        """Return the wire form of `state`."""
        return cls(
            model_name=state.model_name,
            model_version=state.model_version,
            variant=state.variant,
            since=datetime.fromtimestamp(state.since_s, UTC),
            previous=state.previous,
        )
