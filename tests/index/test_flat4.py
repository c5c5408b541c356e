from __future__ import annotations

import numpy as np
import pytest

from trifocal.errors import ConfigError
from trifocal.index import ExactIndex, Flat4Index, IndexConfig, SearchPlan, build_index, recall_at_k
from trifocal.types import FloatArray

GENERATOR = np.random.default_rng(0)
VECTORS = GENERATOR.normal(size=(4000, 16)).astype(np.float32)
QUERIES = GENERATOR.normal(size=(20, 16)).astype(np.float32)
# Eight codes say little of sixteen columns, so that many must be looked at again.
PLAN = SearchPlan(rescoring=12, exact_up_to=0)


@pytest.fixture(scope="module")
def index() -> Flat4Index:
    return Flat4Index(VECTORS, PLAN)


def test_nearly_all_is_found_and_scores_are_inner_products(index: Flat4Index) -> None:
    truth, found = ExactIndex(VECTORS).search(QUERIES, 50), index.search(QUERIES, 50)
    assert recall_at_k(index, VECTORS, QUERIES, truth) >= 0.99
    expected = np.einsum("bkd,bd->bk", VECTORS[found.item_rows], QUERIES)
    np.testing.assert_allclose(found.scores, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_what_is_excluded_is_never_answered_and_lists_stay_full(index: Flat4Index, share: float) -> None:
    # The nearest ones are excluded, which is the worst case for filtering afterwards.
    order = np.argsort(-(QUERIES @ VECTORS.T), axis=1)[:, : int(share * len(VECTORS))]
    found = index.search(QUERIES, 30, exclude=list(order))
    exact = ExactIndex(VECTORS).search(QUERIES, 30, exclude=list(order))
    for line in range(len(QUERIES)):
        assert not set(found.item_rows[line].tolist()) & set(order[line].tolist())
        assert (found.item_rows[line] >= 0).sum() == (exact.item_rows[line] >= 0).sum()


def test_the_codes_take_a_quarter_of_a_byte_a_dimension(index: Flat4Index) -> None:
    assert index.code_bytes == 4000 * 16 // 4


def test_few_items_and_odd_widths_are_refused() -> None:
    with pytest.raises(ConfigError, match="1,000 items or more and an even width, met were 999 of width 16"):
        Flat4Index(VECTORS[:999])
    with pytest.raises(ConfigError, match="met were 4,000 of width 15"):
        Flat4Index(np.ascontiguousarray(VECTORS[:, :15]))


def test_it_is_what_a_middling_catalogue_gets() -> None:
    built = build_index(VECTORS, config=IndexConfig(exact_up_to=100, recall_k=50))
    assert built.kind == "flat4"
    assert built.recall >= 0.99
    few: FloatArray = VECTORS[:500]
    assert build_index(few, config=IndexConfig(exact_up_to=100, recall_k=50)).kind == "flat8"
