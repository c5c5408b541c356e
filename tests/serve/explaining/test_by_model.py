"""The network of a bundle explains what the server answers: as it is, with items that joined, in another's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.bundle.small_bundle import WORDS, WordEncoder, draw_pictures
from tests.bundle.test_network import original, through_disk
from tests.serve.live.app import png
from tests.serve.live.test_tower import ATTRIBUTES, Looks, Words

from trifocal.bundle import Bundle
from trifocal.errors import ConfigError, ServingError
from trifocal.features.items import item_texts
from trifocal.features.scratch_tokenizer import train_tokenizer
from trifocal.features.token_cache import TokenCache, text_key
from trifocal.feedback import MemoryEventStore, MemoryItemStore
from trifocal.ports import StoredItem
from trifocal.serve import Ask, ServeConfig, Service, build_service
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.current import Current
from trifocal.serve.engines import WholeEngine
from trifocal.serve.experiment.other_items import OtherItemsEngine
from trifocal.serve.explaining.by_model import ModelSource
from trifocal.serve.explaining.why import Why
from trifocal.serve.live.items import LiveItems
from trifocal.serve.models import plain_engine
from trifocal.serve.queries import QueryEncoder
from trifocal.types import FloatArray, History, Request


class Pieces(WordEncoder):
    """A text encoder with a tokenizer in a folder; a token's features are drawn by its id."""

    name, width, fingerprint = "text-pieces", len(WORDS), "0"

    def __init__(self, folder: Path) -> None:
        self.folder, self.encoded = folder, 0
        texts = ["red blue green black dress boot lamp fashion home linen"]
        self._tokenizer = train_tokenizer(texts, vocabulary_size=400, max_tokens=64)
        self._tokenizer.save_pretrained(folder)

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        found: list[list[int]] = self._tokenizer(list(contents))["input_ids"]
        return found

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        self.encoded += len(contents)
        drawn = np.random.default_rng(3).standard_normal((len(self._tokenizer), self.width)).astype(np.float32)
        return [drawn[ids] for ids in self.token_ids(contents)]

    def lower(self, trainable_layers: int) -> Pieces:
        return self


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    return Pieces(tmp_path_factory.mktemp("pieces"))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    draw_pictures(tmp_path / "pictures")
    contents = original()[1]
    state = {**contents.feature_state, "attributes": ATTRIBUTES, "text_width": len(WORDS), "image_width": 6}
    return through_disk(replace(contents, feature_state=state, image_root=str(tmp_path / "pictures")), tmp_path)


def service_of(bundle: Bundle, encoder: type[Words] | Pieces, **config: object) -> Service:
    return build_service(
        bundle,
        MemoryEventStore(),
        engine=plain_engine(bundle),
        encoder=lambda: encoder() if isinstance(encoder, type) else encoder,
        image_encoder=Looks,
        config=ServeConfig(limit_ms=60_000, **config),  # type: ignore[arg-type]  # a test's shorthand
    )


def test_what_was_answered_is_explained_by_words_cells_and_history(bundle: Bundle, pieces: Pieces) -> None:
    service, ask = service_of(bundle, pieces), Ask(user_id="ann", k=4)
    answer = service.recommend(ask)
    found = service.explain(Why(ask, answer.rung), [item.card.item_id for item in answer.items])
    for item, told in zip(answer.items, found.explanations, strict=True):
        assert told is not None
        # By chance some scores are near that of nothing, of which the error is a share.
        assert told.completeness_error < 0.2
        assert [word.text for word in told.words][:2] == item.card.title.split()
        assert [len(line) for line in told.cells] == ([2, 2] if item.card.has_image else [])
        assert sum(vars(told.shares).values()) == pytest.approx(1)
        assert told.nearest is not None


def test_an_item_that_joined_is_explained_and_is_the_nearest_one(bundle: Bundle, pieces: Pieces) -> None:
    current = Current(service_of(bundle, pieces))
    items = LiveItems(current, MemoryItemStore())
    ask = Ask(user_id="ann")
    assert current.service.explain(Why(ask), ["red-lamp"]).explanations[0] is not None
    items.put(StoredItem("new", "Linen dress", "Red.", "Fashion > Dresses", 50.0, (("colour", "red"),)), png())
    (told,) = current.service.explain(Why(ask), ["new"]).explanations
    assert told is not None
    assert [word.text for word in told.words][:2] == ["Linen", "dress"]
    assert len(told.cells) == 2
    (like,) = current.service.explain(Why.similar("new", "vectors"), ["red-lamp"]).explanations
    assert like is not None
    assert like.nearest is not None
    assert (like.nearest.item_id, like.nearest.title) == ("new", "Linen dress")
    items.put(StoredItem("new", "Blue boot", "Red.", "Fashion > Dresses", 50.0))
    (changed,) = current.service.explain(Why(ask), ["new"]).explanations
    assert changed is not None
    assert ([word.text for word in changed.words][:2], len(changed.cells)) == (["Blue", "boot"], 2)


def test_rows_of_another_bundle_are_translated_there_and_back(bundle: Bundle, pieces: Pieces) -> None:
    engine = plain_engine(bundle)
    source = ModelSource(bundle, QueryEncoder(lambda: pieces), Looks, ServeConfig())
    turned = np.arange(12)[::-1].copy()
    request, other = (Request(History.of_rows(rows)) for rows in ([1, 4], [10, 7]))
    plain = source.over(engine, Catalogue(bundle.contents.items), lambda _: None)
    (expected,) = plain.explain(request, np.array([2]))
    engine_of_others = OtherItemsEngine(engine, turned, turned)
    translated = source.over(engine_of_others, Catalogue(bundle.contents.items.reverse()), lambda _: None)
    (found,) = translated.explain(other, np.array([9]))
    assert found.nearest is not None
    assert expected.nearest is not None
    assert (found.item_row, found.nearest.item_row) == (9, 11 - expected.nearest.item_row)
    assert (found.words, found.shares) == (expected.words, expected.shares)
    unknown = replace(engine_of_others, own=np.where(turned == 2, -1, turned))
    with pytest.raises(ServingError, match="does not know the items in rows"):
        source.over(unknown, Catalogue(bundle.contents.items.reverse()), lambda _: None).explain(other, np.array([9]))


def test_what_is_encoded_already_is_not_encoded_again(bundle: Bundle, pieces: Pieces, tmp_path: Path) -> None:
    folder, texts = tmp_path / "features", item_texts(bundle.contents.items)
    service = service_of(bundle, pieces, explain_features=str(folder))
    with pytest.raises(ConfigError, match=r"explain_features is .* which is no folder"):
        service.explain(Why(Ask()), ["red-dress"])
    known = [text for text in texts if text]
    TokenCache(folder, pieces).add(known, [text_key(text) for text in known])
    before = pieces.encoded
    (told,) = service.explain(Why(Ask()), ["red-dress"]).explanations
    assert told is not None
    assert told.words
    assert pieces.encoded == before


def test_what_cannot_be_explained_by_a_network_is_said(bundle: Bundle, pieces: Pieces) -> None:
    source = ModelSource(bundle, QueryEncoder(lambda: pieces), Looks, ServeConfig())
    whole = WholeEngine(original()[0])
    with pytest.raises(ConfigError, match="WholeEngine cannot be explained by a network"):
        source.over(whole, Catalogue(bundle.contents.items), lambda _: None)
    with pytest.raises(ConfigError, match="Words has no folder"):
        service_of(bundle, Words).explain(Why(Ask()), ["red-dress"])
