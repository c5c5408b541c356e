"""An engine in other rows, against the same engine in its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from tests.serve.test_gateway import RecordingEngine

from trifocal.errors import ServingError
from trifocal.features.context import ContextVocabulary
from trifocal.serve.engines import WholeEngine
from trifocal.serve.experiment.other_items import ContextCodes, OtherItemsEngine, same_items, translated
from trifocal.serve.online import Candidates
from trifocal.types import Context, History, IntArray, Rankings, Request, Vocabulary

SERVED, OWN = Vocabulary.of(["a", "b", "c", "d"]), Vocabulary.of(["x", "d", "b", "a"])
CODES = ContextCodes.between(ContextVocabulary.fit(["pc", "tv"], ["DE", "NL"]), ContextVocabulary.fit(["tv"], ["NL"]))


class Listing(RecordingEngine):
    """Answers d, b, a in the own rows, and remembers what `similar` was asked."""

    item_vectors = np.array([[1, 0], [2, 0], [3, 0], [4, 0]], dtype=np.float32)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        self.requests += requests
        return Rankings(np.array([[1, 2, 3, -1]]), np.array([[3.0, 2.0, 1.0, -np.inf]], np.float32))

    def similar(self, item_row: int, k: int, exclude: IntArray | None = None) -> Rankings:
        self.similar_to = (item_row, [] if exclude is None else exclude.tolist())
        return Rankings(np.array([[2, -1]]), np.array([[1.0, -np.inf]], np.float32))


@dataclass
class Both:
    listing: Listing = field(default_factory=Listing)

    @property
    def engine(self) -> OtherItemsEngine:
        return translated(WholeEngine(self.listing), OWN, SERVED, CODES)


REQUEST = Request(
    History(np.array([0, 2, 3]), np.array([1, 2, 3]), np.array([10, 20, 30]), np.array([1, 2, 2]), np.array([2, 1, 0])),
    Context(7, device_code=2, country_code=1),
    np.array([1, 2]),
)


def test_the_engine_is_asked_in_its_own_rows_and_codes_and_answers_in_those_of_the_service() -> None:
    both = Both()
    engine = both.engine
    candidates = engine.retrieve(REQUEST, engine.encode([REQUEST])[0], 3)
    assert candidates.item_rows.tolist() == [3, 1, 0]
    assert engine.rank(REQUEST, candidates).item_rows.tolist() == [[3, 1, 0]]
    (given,) = both.listing.requests
    # c is unknown to the engine; a is its row 3, d its row 1. It is no pc, and there is no DE.
    assert given.history.item_rows.tolist() == [3, 1]
    assert given.history.event_codes.tolist() == [1, 3]
    assert given.history.device_codes.tolist() == [0, 1]
    assert given.history.country_codes.tolist() == [1, 0]
    assert (given.context.timestamp_s, given.context.device_code, given.context.country_code) == (7, 1, 0)
    # b, which the request leaves out, and x, which is not served.
    assert given.exclude.tolist() == [0, 2]


def test_vectors_are_read_by_the_rows_of_the_service() -> None:
    vectors = Both().engine.vectors
    assert vectors[np.array([[0, 1], [2, 3]])][..., 0].tolist() == [[4, 3], [0, 2]]
    assert len(vectors) == 4


def test_similar_items_of_a_known_and_an_unknown_one() -> None:
    both = Both()
    assert both.engine.similar(3, 2, np.array([0, 2])).item_rows.tolist() == [[1, -1]]
    assert both.listing.similar_to == (1, [0, 3])
    assert both.engine.similar(2, 2).item_rows.tolist() == [[-1, -1]]


def test_items_that_join_are_unknown_to_it() -> None:
    engine = same_items(WholeEngine(Listing()), 4).over(6)
    assert engine.own.tolist() == [0, 1, 2, 3, -1, -1]
    assert engine.vectors[np.array([5, 1])].tolist() == [[0, 0], [2, 0]]
    assert engine.retrieve(Request(History.of_rows([5, 0]), exclude=np.array([4])), np.zeros(0, np.float32), 3)


class Remembering(WholeEngine):
    """Remembers all its items, in the order of their rows, and what it was asked."""

    def remember(self, request: Request, k: int) -> Candidates:
        self.given = request
        scores = np.arange(k, 0, -1).astype(np.float32)
        return Candidates(np.arange(1, k + 1), scores, np.zeros_like(scores), scores)


def test_the_memory_is_asked_in_the_own_rows_as_well() -> None:
    remembering = Remembering(Listing())
    found = translated(remembering, OWN, SERVED, CODES).remember(REQUEST, 3)
    assert found.item_rows.tolist() == [3, 1, 0]
    assert remembering.given.history.item_rows.tolist() == [3, 1]


def test_what_has_no_links_says_so() -> None:
    with pytest.raises(ServingError, match="Listing has no links between items to answer from"):
        Both().engine.remember(REQUEST, 3)
