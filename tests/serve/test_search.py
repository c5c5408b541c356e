from __future__ import annotations

from pathlib import Path

import pytest
from tests.bundle.small_bundle import WordEncoder
from tests.serve.small_service import small_service

from trifocal.errors import ConfigError, ServingError
from trifocal.serve import Answer, Filters
from trifocal.serve.queries import PooledEncoder, QueryEncoder


def ids(answer: Answer) -> list[str]:
    return [item.card.item_id for item in answer.items]


def missing() -> PooledEncoder:
    raise ConfigError("no encoder")


def test_the_nearest_text_comes_first(tmp_path: Path) -> None:
    answer = small_service(tmp_path).text_search.search("a blue lamp", 3)
    assert ids(answer)[0] == "blue-lamp"
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    # The two lamps and the blue things have one word of two: less than the one that has both.
    assert scores[0] > scores[1]
    assert answer.rung == "hybrid"


def test_filters_and_sold_out_items_hold(tmp_path: Path) -> None:
    search = small_service(tmp_path).text_search
    assert "black-lamp" not in ids(search.search("black lamp", 12))
    assert all(name.endswith("boot") for name in ids(search.search("blue", 12, Filters("Fashion > Shoes"))))


def test_without_an_encoder_the_words_decide(tmp_path: Path) -> None:
    search = small_service(tmp_path, encoder=missing).text_search
    answer = search.search("Blue LAMP", 12)
    assert answer.rung == "words"
    assert ids(answer)[0] == "blue-lamp"
    # Blue or lamp: three blue things and the two other lamps that are not sold out.
    assert len(answer.items) == 5
    assert ids(search.search("sofa", 5)) == []


def test_a_slip_of_spelling_is_put_right_and_said(tmp_path: Path) -> None:
    answer = small_service(tmp_path).text_search.search("blue dreess", 3)
    assert ids(answer)[0] == "blue-dress"
    assert answer.notes == ("looked for 'dress' in place of 'dreess'",)


def test_fit_says_what_an_item_was_found_by(tmp_path: Path) -> None:
    search = small_service(tmp_path).text_search
    fit = search.fit("a blue lamp", "blue-lamp")
    assert fit.terms == ("a", "blue", "lamp")[1:]
    assert (fit.look, fit.colours) == (0, 0)
    assert fit.text + fit.words == pytest.approx(search.search("a blue lamp", 1).items[0].score, rel=1e-5)


def test_an_empty_query_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="the query is empty"):
        small_service(tmp_path).text_search.search("  ", 5)


class CountingEncoder(WordEncoder):
    loads = 0
    calls = 0

    def pooled(self, contents: list[str]):  # type: ignore[no-untyped-def]  # as in WordEncoder
        type(self).calls += 1
        return super().pooled(contents)


def test_a_query_is_encoded_once_and_the_encoder_loaded_late() -> None:
    loads = []

    def load() -> PooledEncoder:
        loads.append(1)
        return CountingEncoder()

    queries = QueryEncoder(load)
    assert loads == []
    first = queries.vector("Red  Boot")
    assert queries.vector(" red boot ").tolist() == first.tolist() == [1, 0, 0, 0, 0, 1, 0]
    assert (len(loads), CountingEncoder.calls) == (1, 1)


def test_a_missing_encoder_is_looked_for_once() -> None:
    loads = []

    def load() -> PooledEncoder:
        loads.append(1)
        raise ConfigError("no encoder")

    queries = QueryEncoder(load)
    for query in ("a", "b"):
        with pytest.raises(ConfigError, match="no encoder"):
            queries.vector(query)
    assert len(loads) == 1
