"""Results of a search are explained by the score that found them, and what words and cells add is all of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.bundle.small_bundle import draw_pictures, small_items
from tests.serve.explaining.fake_explainer import FakeSource, explained_service
from tests.serve.explaining.test_by_model import Pieces
from tests.serve.test_picture_search import picture

from trifocal import columns as c
from trifocal.errors import ConfigError
from trifocal.explain.explanation import Explanation
from trifocal.features.compact import fit_compact
from trifocal.features.items import item_texts
from trifocal.features.product_colours import catalogue_colours
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.explaining.by_search import Searches, SearchExplainer
from trifocal.serve.explaining.search_content import SearchContent
from trifocal.serve.explaining.why import Why
from trifocal.serve.picture_search import PictureEncoder, PictureSearch, SearchAsk
from trifocal.serve.queries import PooledEncoder, QueryEncoder
from trifocal.serve.search import TextSearch
from trifocal.types import FloatArray, History, Request

NOBODY = Request(History())


class Quarters:
    """Looks at a picture and sees the mean colour of each quarter."""

    name, width, fingerprint = "quarters", 3, "-"

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        return [_quarters(path) for path in contents]


def _quarters(path: str) -> FloatArray:
    with Image.open(path) as found:
        small = np.asarray(found.convert("RGB").resize((8, 8)), np.float32)
    cells: FloatArray = small.reshape(2, 4, 2, 4, 3).mean(axis=(1, 3)).reshape(4, 3)
    return cells


class MeanPieces(Pieces):
    """As the bundle's encoder: a text's vector is the mean of its tokens."""

    def pooled(self, contents: list[str]) -> FloatArray:
        return np.stack([tokens.mean(axis=0) for tokens in self.encode(contents)])


@dataclass(frozen=True)
class Shop:
    """The small shop, with a word in one description that no other text holds."""

    folder: Path
    pieces: MeanPieces
    encoder: bool = True
    coloured: bool = True

    @cached_property
    def searches(self) -> Searches:
        items = small_items()
        planted = pl.when(pl.col(c.ITEM_ID) == "blue-boot").then(pl.lit("A zebra print boot, lined."))
        items = items.with_columns(planted.otherwise(pl.col(c.DESCRIPTION)).alias(c.DESCRIPTION))
        paths = [self.file(row) for row in range(len(items))]
        cells = [np.zeros((4, 3), np.float32) if path is None else _quarters(str(path)) for path in paths]
        projection = fit_compact(np.stack(cells).mean(axis=1), 3)
        queries, catalogue = QueryEncoder(self._load), Catalogue(items)
        looks = projection.vectors(np.stack(cells).mean(axis=1))
        found = TextSearch(
            text_vectors=self.pieces.pooled([text or "" for text in item_texts(items)]),
            catalogue=catalogue,
            queries=queries,
            model_version="m",
            looks=looks,
            colours=catalogue_colours(paths) if self.coloured else None,
        )
        shown = PictureEncoder(Quarters, projection)
        pictures = PictureSearch(looks=looks, pictures=shown, texts=found, catalogue=catalogue, model_version="m")
        return Searches(found, pictures, catalogue)

    def file(self, row: int) -> Path | None:
        return self.folder / small_items()["image"][row] if row > 1 else None

    def explainer(self, ask: SearchAsk, rung: str = "hybrid") -> SearchExplainer:
        shown = PictureEncoder(Quarters, self.searches.pictures._pictures.projection)
        content = SearchContent(lambda: nullcontext(self._load()), shown)
        return self.searches.explainer(ask, rung, content, self.file)

    def explained(self, ask: SearchAsk, row: int, rung: str = "hybrid") -> Explanation:
        (found,) = self.explainer(ask, rung).explain(NOBODY, np.array([row]))
        return found

    def _load(self) -> PooledEncoder:
        if self.encoder:
            return self.pieces
        raise ConfigError("no encoder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pictures")
    draw_pictures(found)
    return found


@pytest.fixture(scope="module")
def shop(folder: Path) -> Shop:
    return Shop(folder, MeanPieces(folder))


ASKS = [
    SearchAsk("red boots"),
    SearchAsk("a zebra dress"),
    SearchAsk("boot"),
    SearchAsk(picture=picture("blue")),
    SearchAsk("boots", picture("red"), picture_weight=0.3),
    SearchAsk("blue boots", picture("red")),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("coloured", [True, False])
def test_what_words_and_cells_add_is_the_score_that_ranks_above_that_of_an_unknown_item(
    folder: Path, shop: Shop, ask: SearchAsk, coloured: bool
) -> None:
    shop = Shop(folder, shop.pieces, coloured=coloured)
    rung = "hybrid" if ask.picture is None else "picture"
    answer = shop.searches.pictures.search(ask)
    assert answer.rung == rung
    rows = np.array([shop.searches.catalogue.row(item.card.item_id) for item in answer.items])
    found = shop.explainer(ask, rung).explain(NOBODY, rows)
    for item, told in zip(answer.items, found, strict=True):
        assert told.score == pytest.approx(item.score, abs=1e-4)
        assert told.completeness_error < 0.01
        shares = vars(told.shares)
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["identity"] == shares["context"] == 0
        shown = [abs(word.weight) for word in told.words] + [abs(weight) for line in told.cells for weight in line]
        assert sum(shown) <= 1 + 1e-6
        assert [len(line) for line in told.cells] == ([2, 2] if told.item_row > 1 else [])
        assert told.nearest is None


def test_the_shares_are_the_sums_of_the_parts(shop: Shop) -> None:
    explainer = shop.explainer(SearchAsk("red boots"))
    parts, (told,) = explainer.parts(4), explainer.explain(NOBODY, np.array([4]))
    category = np.array([part == "category" for part in parts.text.parts])
    text, attributes = abs(parts.weights[~category].sum() + parts.rest), abs(parts.weights[category].sum())
    picture = abs(parts.cells.sum() + parts.picture)
    whole = text + attributes + picture
    found = told.shares
    expected = (text / whole, picture / whole, attributes / whole)
    assert (found.text, found.picture, found.attributes) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("encoder", "rung"), [(True, "hybrid"), (True, "words"), (False, "words")])
def test_the_one_word_that_matches_weighs_most(folder: Path, shop: Shop, encoder: bool, rung: str) -> None:
    told = Shop(folder, shop.pieces, encoder=encoder).explained(SearchAsk("zebra"), 4, rung)
    assert max(told.words, key=lambda word: word.weight).text == "zebra"
    assert "its text says “zebra”" in told.sentence
    assert told.completeness_error < 0.01


def test_colours_are_named_where_they_are_shown_or_lacking(shop: Shop) -> None:
    # The texts of the small shop name their colours, so that the picture decides where it shows more of it.
    blue, black = (shop.explained(SearchAsk("a blue boot"), row) for row in (4, 10))
    assert blue.sentence.startswith("For «a blue boot»: its text says ")
    assert "its picture shows blue" in blue.sentence
    assert blue.shares.picture > 0.1
    assert black.sentence.endswith("but its picture does not show blue.")


def test_a_picture_that_was_sent_is_explained_by_where_it_looks_alike(shop: Shop) -> None:
    told = shop.explained(SearchAsk(picture=picture("blue")), 4, "picture")
    assert told.sentence.startswith("For the picture that was sent: it looks alike, most in the ")
    assert (told.shares.picture, told.shares.text) == (1, 0)
    both = shop.explained(SearchAsk("zebra", picture("blue")), 4, "picture")
    assert both.sentence.startswith("For «zebra» and the picture that was sent: its text says “zebra”, and it looks")


def test_an_item_without_any_of_it_is_told_so(folder: Path, shop: Shop) -> None:
    told = Shop(folder, shop.pieces, encoder=False, coloured=False).explained(SearchAsk("sofa"), 0, "words")
    assert told.sentence == "For «sofa»: nothing stands out, it fits as a whole."
    assert (told.score, told.completeness_error) == (0, 0)


def test_a_service_explains_its_searches_by_them_and_never_by_the_model(tmp_path: Path) -> None:
    source = FakeSource()
    service = explained_service(tmp_path, source)
    answer = service.text_search.search("red dress", 2)
    found = service.explain(Why.found(SearchAsk("red dress")), [item.card.item_id for item in answer.items])
    assert source.asked == []
    for item, told in zip(answer.items, found.explanations, strict=True):
        assert told is not None
        # An encoder that does not tell tokens apart: the whole is shared by all words.
        assert told.score == pytest.approx(item.score)
        assert told.completeness_error < 1e-5
    first = found.explanations[0]
    assert first is not None
    assert first.sentence == "For «red dress»: its text says “red” and “dress”."
