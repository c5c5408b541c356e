from __future__ import annotations

import numpy as np
import pytest

from trifocal.errors import ConfigError
from trifocal.index import ExactIndex, Flat8Index, HnswIndex, IvfPqIndex, SearchPlan
from trifocal.index.coded import bounds
from trifocal.types import FloatArray

KINDS = [Flat8Index, HnswIndex, IvfPqIndex]


def _vectors() -> FloatArray:
    return np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_few_items_are_compared_exactly(kind: type[Flat8Index | HnswIndex | IvfPqIndex]) -> None:
    vectors = _vectors()
    plan = SearchPlan(breadth=1, rescoring=0, exact_up_to=300)
    found, exact = (index.search(vectors[:5], 40) for index in (kind(vectors, plan), ExactIndex(vectors)))
    assert np.array_equal(found.item_rows, exact.item_rows)
    assert np.array_equal(found.scores, exact.scores)


@pytest.mark.parametrize("kind", KINDS)
def test_another_plan_shares_the_codes(kind: type[Flat8Index | HnswIndex | IvfPqIndex]) -> None:
    index = kind(_vectors())
    other = index.with_plan(SearchPlan(breadth=7))
    assert other.codes is index.codes
    assert (other.kind, other.plan.breadth, len(other)) == (index.kind, 7, 300)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_catalogue_is_refused(kind: type[Flat8Index | HnswIndex | IvfPqIndex]) -> None:
    with pytest.raises(ConfigError, match="only the index kind 'exact' takes an empty catalogue"):
        kind(np.zeros((0, 4), np.float32))


def test_a_plan_that_cannot_be_followed_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"threads=0.*1 or more"):
        SearchPlan(threads=0)
    with pytest.raises(ConfigError, match="rescoring=-1"):
        SearchPlan(rescoring=-1)


def test_bounds_are_those_of_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trifocal.index.coded._ROWS_AT_ONCE", 2)
    vectors = np.array([[1, 5], [2, 4], [3, 3], [9, -1], [0, 0]], np.float32)
    assert bounds(vectors).tolist() == [[0, -1], [9, 5]]
