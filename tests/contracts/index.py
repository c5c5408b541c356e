"""What every `Index` must do, whatever it is built of."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trifocal.ports import Index
from trifocal.ranking import top_k
from trifocal.types import FloatArray, IntArray

# Whole numbers, so that sums of products are exact in float32 whatever their order.
_SMALL = st.integers(-3, 3).map(float)


def _tables(longest: int) -> st.SearchStrategy[FloatArray]:
    return arrays.arrays(np.float32, st.tuples(st.integers(1, longest), st.just(3)), elements=_SMALL)


def _ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


class IndexContract:
    """Inherit, and say how the index is built."""

    @abstractmethod
    def build(self, vectors: FloatArray) -> Index:
        """Return the index of `vectors` with tie seed 0."""

    def test_best_first_by_inner_product(self) -> None:
        index = self.build(np.array([[1, 0], [0, 1], [2, 2]], np.float32))
        found = index.search(np.array([[1, 0], [-1, 3]], np.float32), 2)
        # Products: (1, 0, 2) and (-1, 3, 4).
        assert found.item_rows.tolist() == [[2, 0], [2, 1]]
        assert found.scores.tolist() == [[2, 1], [4, 3]]

    def test_each_query_has_its_own_exclusion(self) -> None:
        index = self.build(np.array([[1, 0], [0, 1], [2, 2]], np.float32))
        queries = np.array([[1, 0], [1, 0]], np.float32)
        found = index.search(queries, 2, exclude=[_ints(2), _ints(0)])
        assert found.item_rows.tolist() == [[0, 1], [2, 1]]

    def test_short_lists_are_filled_with_minus_one(self) -> None:
        index = self.build(np.array([[1.0], [2.0]], np.float32))
        found = index.search(np.array([[1.0]], np.float32), 4, exclude=[_ints(1)])
        assert found.item_rows.tolist() == [[0, -1, -1, -1]]
        assert found.scores.tolist() == [[1, -np.inf, -np.inf, -np.inf]]

    def test_length_is_the_number_of_items(self) -> None:
        assert len(self.build(np.zeros((7, 3), np.float32))) == 7

    def test_same_question_same_answer(self) -> None:
        generator = np.random.default_rng(1)
        index = self.build(generator.normal(size=(60, 8)).astype(np.float32))
        query = generator.normal(size=(3, 8)).astype(np.float32)
        first, second = index.search(query, 10), index.search(query, 10)
        assert np.array_equal(first.item_rows, second.item_rows)
        assert np.array_equal(first.scores, second.scores)

    def test_agrees_with_top_k_on_all_scores(self) -> None:
        # Inside, because Hypothesis wants one test function for each class that inherits this suite.
        @settings(max_examples=60, deadline=None)
        @given(data=st.data(), k=st.integers(1, 12))
        def agrees(data: st.DataObject, k: int) -> None:
            vectors, queries = data.draw(_tables(25)), data.draw(_tables(4))
            rows = st.lists(st.integers(0, len(vectors) - 1), max_size=6)
            exclude = [_ints(*data.draw(rows)) for _ in queries]
            expected = top_k(queries @ vectors.T, k, exclude=exclude)
            found = self.build(vectors).search(queries, k, exclude=exclude)
            assert found.item_rows.tolist() == expected.item_rows.tolist()
            assert found.scores.tolist() == expected.scores.tolist()

        agrees()
