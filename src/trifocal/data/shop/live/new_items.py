"""New products for a shop that is open: latents, text and picture by the shop's own generator. Writes pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from trifocal.data.shop.gallery import picture_name, write_pictures
from trifocal.data.shop.live.world import World
from trifocal.data.shop.products import Products, sample_products
from trifocal.data.shop.style import Style
from trifocal.data.shop.tables import ids
from trifocal.data.shop.wares import BRANDS, WARES
from trifocal.data.shop.writing import write_texts
from trifocal.errors import ConfigError
from trifocal.types import IntArray

__all__ = ["NewItem", "draw_new_items"]


@dataclass(frozen=True)
class NewItem:
    """A product as the server takes it.

    Attributes:
        price: in euro.
        picture: a JPEG file.
    """

    item_id: str
    title: str
    description: str | None
    category: str
    price: float
    brand: str
    picture: Path

    def body(self) -> Mapping[str, object]:
        """Return the body of the request that puts it."""
        return {
            "title": self.title,
            "description": self.description,
            "category": self.category,
            "price": self.price,
            "attributes": {"brand": self.brand},
            "picture": base64.b64encode(self.picture.read_bytes()).decode("ascii"),
        }


def draw_new_items(world: World, count: int, folder: Path, *, seed: int) -> tuple[World, tuple[NewItem, ...]]:
    """Return the world with `count` more products, and these products; their pictures are written to `folder`.

    They are the first of another catalogue as large as the shop's own, so that codes are centred alike.

    Raises:
        ConfigError: when more are wanted than the shop has products.
    """
    most = world.config.products
    if not 1 <= count <= most:
        raise ConfigError(f"{count} new items cannot be drawn for a shop of {most} products; ask for 1 to {most}")
    rng = np.random.default_rng([world.config.seed, seed, 5])
    drawn = sample_products(world.config, rng)
    texts = write_texts(drawn, rng)
    rows = np.arange(count, dtype=np.int64)
    products = replace(_rows(drawn, rows), created_day=np.full(count, world.utility.days, dtype=np.float32))
    item_ids = ids(f"new-{seed}", count)
    write_pictures(folder, item_ids, products.category, products.style, seed=world.config.seed + seed + 1)
    items = tuple(
        NewItem(
            item_id=item_id,
            title=texts.titles[row],
            description=texts.descriptions[row],
            category=WARES[products.category[row]].path,
            price=round(float(products.price[row]), 2),
            brand=BRANDS[products.brand[row]],
            picture=folder / picture_name(item_id),
        )
        for row, item_id in enumerate(item_ids)
    )
    utility = replace(world.utility, products=_joined(world.utility.products, products))
    return replace(world, utility=utility, item_ids=(*world.item_ids, *item_ids)), items


def _rows(products: Products, rows: IntArray) -> Products:
    columns = {f.name: getattr(products, f.name)[rows] for f in fields(Products) if f.name != "style"}
    style = Style(**{f.name: getattr(products.style, f.name)[rows] for f in fields(Style)})
    return Products(**columns, style=style)


def _joined(first: Products, then: Products) -> Products:
    names = [f.name for f in fields(Products) if f.name != "style"]
    columns = {name: np.concatenate([getattr(first, name), getattr(then, name)]) for name in names}
    styles = [f.name for f in fields(Style)]
    style = {name: np.concatenate([getattr(first.style, name), getattr(then.style, name)]) for name in styles}
    return Products(**columns, style=Style(**style))
