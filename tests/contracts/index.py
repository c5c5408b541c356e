"""What every `Index` must do, whatever it is built of; and every `MutableIndex` beside."""

from __future__ import annotations

import threading
from abc import abstractmethod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trifocal.errors import NotFoundError, ServingError
from trifocal.index import ExactIndex, recall_at_k
from trifocal.ports import Index, MutableIndex
from trifocal.ranking import top_k
from trifocal.types import FloatArray, IntArray

# Whole numbers, so that sums of products are exact in float32 whatever their order.
_SMALL = st.integers(-3, 3).map(float)


def _tables(longest: int) -> st.SearchStrategy[FloatArray]:
    return arrays.arrays(np.float32, st.tuples(st.integers(1, longest), st.just(3)), elements=_SMALL)


def _ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


def _normal(n_rows: int, width: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(n_rows, width)).astype(np.float32)


class IndexContract:
    """Inherit, and say how the index is built."""

    recall_floor = 1.0

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

    def test_more_asked_for_than_there_is(self) -> None:
        vectors = _normal(30, 4, seed=2)
        found = self.build(vectors).search(vectors[:2], 50)
        assert [set(rows) for rows in found.item_rows[:, :30].tolist()] == [set(range(30))] * 2
        assert (found.item_rows[:, 30:] == -1).all()
        assert np.isneginf(found.scores[:, 30:]).all()

    def test_recall_reaches_the_floor(self) -> None:
        vectors, queries = _normal(1000, 16, seed=3), _normal(15, 16, seed=4)
        truth = ExactIndex(vectors).search(queries, 50)
        assert recall_at_k(self.build(vectors), vectors, queries, truth) >= self.recall_floor

    def test_recall_reaches_the_floor_below_a_filter(self) -> None:
        vectors, queries = _normal(1000, 16, seed=3), _normal(15, 16, seed=4)
        # Nine items of ten are left out.
        filtered = np.flatnonzero(np.arange(1000) % 10)
        exclude = [filtered] * len(queries)
        found = self.build(vectors).search(queries, 20, exclude=exclude).item_rows
        truth = ExactIndex(vectors).search(queries, 20, exclude=exclude).item_rows
        assert not np.isin(found, filtered).any()
        hits = [len(set(mine) & set(true)) for mine, true in zip(found.tolist(), truth.tolist(), strict=True)]
        assert sum(hits) / truth.size >= self.recall_floor

    def test_what_a_filter_leaves_is_all_answered(self) -> None:
        vectors = _normal(400, 4, seed=5)
        left = np.array([3, 77, 250, 399])
        found = self.build(vectors).search(vectors[:1], 6, exclude=[np.setdiff1d(np.arange(400), left)])
        assert sorted(found.item_rows[0, :4].tolist()) == left.tolist()
        assert found.item_rows[0, 4:].tolist() == [-1, -1]

    def test_rows_that_are_not_there_may_be_left_out(self) -> None:
        vectors = np.array([[1.0], [2.0]], np.float32)
        found = self.build(vectors).search(vectors[:1], 2, exclude=[_ints(-1, -2, 2, 900)])
        assert found.item_rows.tolist() == [[1, 0]]

    def test_no_query_no_answer(self) -> None:
        found = self.build(np.eye(3, dtype=np.float32)).search(np.zeros((0, 3), np.float32), 2)
        assert found.item_rows.shape == found.scores.shape == (0, 2)

    def test_wrong_questions_are_refused(self) -> None:
        index = self.build(np.eye(3, dtype=np.float32))
        query = np.zeros((1, 3), np.float32)
        with pytest.raises(ServingError, match="NaN or infinity"):
            index.search(np.full((1, 3), np.nan, np.float32), 1)
        with pytest.raises(ServingError, match=r"shape \(1, 4\).*\(queries, 3\)"):
            index.search(np.zeros((1, 4), np.float32), 1)
        with pytest.raises(ServingError, match="k is 0, at least 1"):
            index.search(query, 0)
        with pytest.raises(ServingError, match="2 lists of rows to leave out came with 1 queries"):
            index.search(query, 1, exclude=[_ints(0), _ints(1)])

    def test_every_list_is_sound(self) -> None:
        # Inside, because Hypothesis wants one test function for each class that inherits this suite.
        @settings(max_examples=25, deadline=None)
        @given(data=st.data(), k=st.integers(1, 12))
        def sound(data: st.DataObject, k: int) -> None:
            vectors, queries = data.draw(_tables(25)), data.draw(_tables(4))
            rows = st.lists(st.integers(0, len(vectors) - 1), max_size=6)
            exclude = [_ints(*data.draw(rows)) for _ in queries]
            found = self.build(vectors).search(queries, k, exclude=exclude)
            assert found.item_rows.shape == found.scores.shape == (len(queries), k)
            for query, excluded, listed, scores in zip(queries, exclude, found.item_rows, found.scores, strict=True):
                _assert_sound(vectors, query, excluded, listed, scores)

        sound()


def _assert_sound(
    vectors: FloatArray, query: FloatArray, excluded: IntArray, rows: IntArray, scores: FloatArray
) -> None:
    """As full as it can be, each item once, none that is left out, with its exact product, best first."""
    n_left = len(vectors) - len(np.unique(excluded))
    listed = rows[rows >= 0]
    assert len(listed) == min(len(rows), n_left)
    assert len(set(listed.tolist())) == len(listed)
    assert not np.isin(listed, excluded).any()
    assert scores[: len(listed)].tolist() == (vectors[listed] @ query).tolist()
    assert (scores[1:] <= scores[:-1]).all()


class ExactIndexContract(IndexContract):
    """For an index that compares every vector: the same lists as `top_k`, ties and all."""

    def test_agrees_with_top_k_on_all_scores(self) -> None:
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


class MutableIndexContract(IndexContract):
    """Inherit, and say how the index is built."""

    @abstractmethod
    def build(self, vectors: FloatArray) -> MutableIndex:
        """Return the index of `vectors` with tie seed 0."""

    def test_an_added_item_is_found(self) -> None:
        index = self.build(np.array([[1, 0], [0, 1]], np.float32))
        assert index.add(np.array([[3, 0], [0, 2]], np.float32)).tolist() == [2, 3]
        assert index.add(np.array([[2, 0]], np.float32)).tolist() == [4]
        assert len(index) == 5
        found = index.search(np.array([[1, 0.1]], np.float32), 3)
        assert found.item_rows.tolist() == [[2, 4, 0]]
        assert found.scores[0].tolist() == pytest.approx([3, 2, 1])

    def test_an_added_item_can_be_left_out(self) -> None:
        index = self.build(np.array([[1, 0], [0, 1]], np.float32))
        index.add(np.array([[3, 0]], np.float32))
        assert index.search(np.array([[1, 0.1]], np.float32), 2, exclude=[_ints(2)]).item_rows.tolist() == [[0, 1]]

    def test_a_replaced_item_stands_once_and_where_it_belongs_now(self) -> None:
        index = self.build(np.array([[1], [2], [3]], np.float32))
        index.replace(2, np.array([1.5], np.float32))
        index.add(np.array([[9]], np.float32))
        index.replace(3, np.array([0.5], np.float32))
        found = index.search(np.ones((1, 1), np.float32), 5)
        assert found.item_rows.tolist() == [[1, 2, 0, 3, -1]]
        assert found.scores[0, :4].tolist() == [2, 1.5, 1, 0.5]

    def test_a_removed_item_is_gone_until_it_is_replaced(self) -> None:
        index = self.build(np.array([[1], [2], [3]], np.float32))
        index.add(np.array([[4]], np.float32))
        index.remove(_ints(2, 3))
        index.remove(_ints(2))
        query = np.ones((1, 1), np.float32)
        assert len(index) == 4
        assert index.search(query, 3).item_rows.tolist() == [[1, 0, -1]]
        index.replace(2, np.array([1.5], np.float32))
        assert index.search(query, 3).item_rows.tolist() == [[1, 2, 0]]

    def test_everything_may_be_removed(self) -> None:
        index = self.build(np.array([[1], [2]], np.float32))
        index.remove(_ints(0, 1))
        assert index.search(np.ones((1, 1), np.float32), 2).item_rows.tolist() == [[-1, -1]]

    def test_wrong_changes_are_refused_and_change_nothing(self) -> None:
        index = self.build(np.array([[1], [2]], np.float32))
        with pytest.raises(NotFoundError, match="item row 2 is outside the index of 2 rows"):
            index.remove(_ints(0, 2))
        with pytest.raises(NotFoundError, match="item row -1 is outside"):
            index.replace(-1, np.ones(1, np.float32))
        with pytest.raises(ServingError, match="an item vector holds NaN or infinity"):
            index.add(np.array([[np.inf]], np.float32))
        with pytest.raises(ServingError, match=r"item vectors have shape \(1, 2\), this index needs \(items, 1\)"):
            index.replace(0, np.ones(2, np.float32))
        assert index.search(np.ones((1, 1), np.float32), 2).item_rows.tolist() == [[1, 0]]

    def test_any_changes_leave_what_a_new_index_would_answer(self) -> None:
        @settings(max_examples=25, deadline=None)
        @given(data=st.data())
        def same(data: st.DataObject) -> None:
            table = list(data.draw(_tables(12)))
            index, removed = self.build(np.stack(table)), set[int]()
            for _ in range(data.draw(st.integers(1, 6))):
                row = data.draw(st.integers(0, len(table) - 1))
                fresh = data.draw(_tables(3))
                match data.draw(st.sampled_from(["add", "replace", "remove"])):
                    case "add":
                        assert index.add(fresh).tolist() == list(range(len(table), len(table) + len(fresh)))
                        table.extend(fresh)
                    case "replace":
                        index.replace(row, fresh[0])
                        table[row] = fresh[0]
                        removed.discard(row)
                    case _:
                        index.remove(_ints(row))
                        removed.add(row)
            vectors, query, gone = np.stack(table), data.draw(_tables(1)), _ints(*removed)
            found = index.search(query, 30)
            _assert_sound(vectors, query[0], gone, found.item_rows[0], found.scores[0])

        same()

    def test_a_search_never_sees_half_a_change(self) -> None:
        index = self.build(np.array([[1], [2], [3]], np.float32))
        stop = threading.Event()

        def change() -> None:
            for step in range(300):
                index.replace(0, np.array([[9], [-9]][step % 2], np.float32))
            stop.set()

        changing = threading.Thread(target=change)
        changing.start()
        while not stop.is_set():
            found = index.search(np.ones((1, 1), np.float32), 4)
            assert found.item_rows[0].tolist() in ([0, 2, 1, -1], [2, 1, 0, -1])
        changing.join()
