"""A real, tiny two-stage model: a new item is encoded, retrieved, ranked, found and explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.bundle.small_bundle import WORDS, WordEncoder
from tests.bundle.test_network import original, through_disk
from tests.serve.live.app import png

from trifocal.errors import NotFoundError
from trifocal.feedback import MemoryEventStore, MemoryItemStore
from trifocal.ports import StoredItem
from trifocal.serve import Ask, build_service
from trifocal.serve.config import ServeConfig
from trifocal.serve.current import Current
from trifocal.serve.live.items import LiveItems
from trifocal.serve.models import plain_engine
from trifocal.types import FloatArray

ATTRIBUTES = {
    "names": ["category.0", "price"],
    "vocabularies": [["Fashion", "Home"]],
    "price_edges": [40.0, 80.0],
}


class Words:
    """One token a text: which words it holds."""

    name, width, fingerprint = "text-words", len(WORDS), "0"

    def pooled(self, contents: list[str]) -> FloatArray:
        return WordEncoder().pooled(contents)

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        return [tokens[None] for tokens in self.pooled(list(contents))]

    def lower(self, trainable_layers: int) -> Words:
        return self


class Looks:
    """Every picture is the same."""

    name, width, fingerprint = "image-looks", 6, "0"

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        return [np.ones((4, 6), np.float32) for _ in contents]


@pytest.fixture
def current(tmp_path: Path) -> Current:
    contents = original()[1]
    state = {**contents.feature_state, "attributes": ATTRIBUTES, "text_width": len(WORDS), "image_width": 6}
    bundle = through_disk(replace(contents, feature_state=state), tmp_path)
    return Current(
        build_service(
            bundle,
            MemoryEventStore(),
            engine=plain_engine(bundle),
            encoder=Words,
            image_encoder=Looks,
            config=ServeConfig(limit_ms=60_000),
        )
    )


def answered(current: Current, **ask: object) -> list[str]:
    answer = current.service.gateway.recommend(Ask(k=100, **ask))  # type: ignore[arg-type]  # a test's shorthand
    assert answer.rung == "full"
    return [item.card.item_id for item in answer.items]


def test_a_new_item_is_served_by_every_stage(current: Current) -> None:
    items, before = LiveItems(current, MemoryItemStore()), current.service
    item = StoredItem("new", "Red dress", "Linen.", "Fashion > Dresses", 50.0, (("colour", "red"),))
    done = items.put(item, png())
    assert (done.created, done.encoded) == (True, True)
    service = current.service
    row = service.catalogue.row("new")
    picture = service.picture(row)
    assert picture is not None
    features = service.item_encoder.encode(item, picture[0], None)
    np.testing.assert_array_equal(service.gateway.engine.vectors[np.array([row])][0], features.vector)
    assert features.attributes.tolist() == [1, 2]
    assert "new" in answered(current, user_id="ann")
    assert "new" in answered(current, query="red dress")
    assert "new" in [found.card.item_id for found in service.text_search.search("red dress", 2).items]
    assert len(service.gateway.similar("new", 5).items) == 5
    # The service before the change goes on without it.
    assert before.gateway.recommend(Ask(user_id="ann", k=100)).rung == "full"
    with pytest.raises(NotFoundError):
        before.catalogue.row("new")


def test_a_picture_and_a_price_change_the_vector_and_availability_does_not(current: Current) -> None:
    items = LiveItems(current, MemoryItemStore())
    row = np.array([current.service.catalogue.row("blue-dress")])

    def vector() -> list[float]:
        found: list[float] = current.service.gateway.engine.vectors[row][0].tolist()
        return found

    start = vector()
    items.offer("blue-dress", available=False)
    assert vector() == start
    assert "blue-dress" not in answered(current)
    items.put(current.service.catalogue.item(int(row[0])), png())
    pictured = vector()
    assert pictured != start
    items.offer("blue-dress", price=1.0, available=True)
    assert vector() != pictured
    assert "blue-dress" in answered(current)


def test_what_is_deleted_is_retrieved_by_no_source(current: Current) -> None:
    items = LiveItems(current, MemoryItemStore())
    items.put(StoredItem("new", "Red dress"))
    for name in ("new", "blue-boot"):
        assert items.delete(name)
        assert name not in answered(current, user_id="ann", exclude_seen=False)
        assert name not in answered(current, query="boot")


def test_a_start_does_the_changes_again_and_encodes_nothing_twice(current: Current) -> None:
    store, fresh = MemoryItemStore(), current.service
    items = LiveItems(current, store)
    for number in range(3):
        items.put(StoredItem(f"n{number}", f"Green lamp {number}", category="Home > Lamps"))
    items.delete("n1")
    expected = answered(current, user_id="ann")

    class Broken:
        def encode(self, item: StoredItem, picture: Path | None, row: int | None) -> None:
            raise AssertionError

        def warm_up(self) -> None: ...

    again = Current(replace(fresh, item_encoder=Broken()))  # type: ignore[arg-type]  # must not be asked
    LiveItems(again, store)
    assert answered(again, user_id="ann") == expected
    assert again.service.catalogue_version != 0
