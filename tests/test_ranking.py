from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trifocal.errors import DataError
from trifocal.ranking import streamed_top_k, tie_key, top_k
from trifocal.types import FloatArray, IntArray, Rankings


def of(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def same(found: Rankings, wanted: Rankings) -> None:
    assert found.item_rows.tolist() == wanted.item_rows.tolist()
    assert found.scores.tolist() == wanted.scores.tolist()
    assert found.scores.dtype == wanted.scores.dtype


def brute_force(line: FloatArray, k: int, exclude: IntArray, seed: int) -> list[tuple[int, float]]:
    """Sort by falling score, then by the tie key; the plain twin of `top_k` for one row."""
    key = tie_key(len(line), seed)
    left_out = set(exclude.tolist())
    able = [column for column in range(len(line)) if column not in left_out and not np.isneginf(line[column])]
    ranked = sorted(able, key=lambda column: (-line[column], key[column]))[:k]
    filled = [(column, float(line[column])) for column in ranked]
    return filled + [(-1, -np.inf)] * (k - len(filled))


def test_the_best_come_first() -> None:
    found = top_k(of([0.1, 0.9, 0.5, -2.0], [4.0, 1.0, 2.0, 3.0]), 3)
    assert found.item_rows.tolist() == [[1, 2, 0], [0, 3, 2]]
    assert found.scores.tolist() == of([0.9, 0.5, 0.1], [4.0, 3.0, 2.0]).tolist()
    assert found.item_rows.dtype == np.int64
    assert found.scores.dtype == np.float32


def test_what_is_excluded_never_comes_and_each_row_has_its_own() -> None:
    scores = of([0.1, 0.9, 0.5], [0.1, 0.9, 0.5])
    found = top_k(scores, 2, exclude=[np.array([1]), np.array([2, 0])])
    assert found.item_rows.tolist() == [[2, 0], [1, -1]]
    assert np.isneginf(found.scores[1, 1])


def test_the_scores_given_are_not_changed() -> None:
    scores = of([0.1, 0.9])
    top_k(scores, 1, exclude=[np.array([1])])
    assert scores.tolist() == of([0.1, 0.9]).tolist()


def test_a_list_longer_than_the_catalogue_is_filled_up() -> None:
    found = top_k(of([0.2, 0.4]), 4)
    assert found.item_rows.tolist() == [[1, 0, -1, -1]]
    assert found.scores.tolist() == [[np.float32(0.4), np.float32(0.2), -np.inf, -np.inf]]


def test_a_row_of_which_nothing_can_be_recommended_is_empty() -> None:
    found = top_k(np.full((1, 3), -np.inf, dtype=np.float32), 2)
    assert found.item_rows.tolist() == [[-1, -1]]
    assert np.isneginf(found.scores).all()


def test_equal_scores_are_ordered_by_the_seed_not_by_the_column() -> None:
    equal = np.zeros((1, 50), dtype=np.float32)
    orders = [top_k(equal, 50, seed=seed).item_rows[0].tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != sorted(orders[0])
    assert sorted(orders[0]) == list(range(50))


def test_ties_at_the_cut_favour_no_column() -> None:
    # One place for 4 equal items: over 400 seeds each should have it about 100 times; 60 is four deviations below.
    equal = np.zeros((1, 4), dtype=np.float32)
    winners = [int(top_k(equal, 1, seed=seed).item_rows[0, 0]) for seed in range(400)]
    assert min(np.bincount(winners, minlength=4)) > 60


def test_the_order_among_ties_does_not_depend_on_the_length_of_the_list() -> None:
    scores = np.array([[1, 0, 1, 0, 1, 0, 1, 1]], dtype=np.float32)
    whole = top_k(scores, 8).item_rows[0].tolist()
    for k in range(1, 8):
        assert top_k(scores, k).item_rows[0].tolist() == whole[:k]


def test_the_tie_key_is_a_permutation() -> None:
    assert sorted(tie_key(6, 3).tolist()) == [0, 1, 2, 3, 4, 5]
    assert tie_key(6, 3).tolist() == tie_key(6, 3).tolist()


@given(data=st.data(), k=st.integers(1, 9), seed=st.integers(0, 5))
def test_it_ranks_as_sorting_everything_does(data: st.DataObject, k: int, seed: int) -> None:
    # Few distinct values, so that ties are the rule; -inf among them.
    values = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0])
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 7)))
    scores = data.draw(arrays.arrays(np.float32, shape, elements=values))
    columns = st.lists(st.integers(0, shape[1] - 1), max_size=shape[1])
    exclude = [np.array(data.draw(columns), dtype=np.int64) for _ in range(shape[0])]
    found = top_k(scores, k, exclude=exclude, seed=seed)
    for row, line in enumerate(scores):
        expected = brute_force(line, k, exclude[row], seed)
        assert found.item_rows[row].tolist() == [column for column, _ in expected]
        assert found.scores[row].tolist() == [score for _, score in expected]


@pytest.mark.parametrize("k", [1, 3])
def test_no_request_gives_no_list(k: int) -> None:
    assert top_k(np.zeros((0, 5), dtype=np.float32), k).item_rows.shape == (0, k)


@given(data=st.data(), k=st.integers(1, 9), seed=st.integers(0, 5))
def test_blocks_give_the_lists_of_all_scores_at_once(data: st.DataObject, k: int, seed: int) -> None:
    values = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0])
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 40)))
    scores = data.draw(arrays.arrays(np.float32, shape, elements=values))
    columns = st.lists(st.integers(0, shape[1] - 1), max_size=shape[1])
    exclude = [np.array(data.draw(columns), dtype=np.int64) for _ in range(shape[0])]
    cuts = sorted(data.draw(st.sets(st.integers(1, shape[1]), max_size=6)) | {0, shape[1]})
    blocks = [(low, scores[:, low:high]) for low, high in pairwise(cuts)]
    same(
        streamed_top_k(data.draw(st.permutations(blocks)), shape, k, exclude=exclude, seed=seed),
        top_k(scores, k, exclude=exclude, seed=seed),
    )


@pytest.mark.parametrize("kind", ["random", "few values", "all equal", "rising", "falling", "the tenth last"])
@pytest.mark.parametrize("width", [7, 64, 1000])
def test_long_rows_in_blocks_rank_as_at_once(kind: str, width: int) -> None:
    rng = np.random.default_rng(3)
    scores = {
        "random": rng.normal(size=(4, 1000)),
        "few values": rng.integers(0, 3, (4, 1000)),
        "all equal": np.zeros((4, 1000)),
        "rising": np.tile(np.arange(1000), (4, 1)),
        "falling": -np.tile(np.arange(1000), (4, 1)),
        "the tenth last": -np.tile(np.r_[:9, 10:1000, 9], (4, 1)),
    }[kind].astype(np.float32)
    # Among those left out are the best; of the last row all but three are.
    exclude = [np.argsort(-line)[: 20 * row] for row, line in enumerate(scores[:3])] + [np.arange(997)]
    before = scores.copy()
    blocks = ((first, scores[:, first : first + width]) for first in range(0, 1000, width))
    same(streamed_top_k(blocks, (4, 1000), 10, exclude=exclude, seed=1), top_k(scores, 10, exclude=exclude, seed=1))
    assert scores.tolist() == before.tolist()


def test_a_block_may_be_overwritten_once_the_next_is_asked_for() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 90)).astype(np.float32)
    buffer = np.empty((3, 10), np.float32)

    def reused() -> Iterator[tuple[int, FloatArray]]:
        for first in range(0, 90, 10):
            buffer[:] = scores[:, first : first + 10]
            yield first, buffer

    same(streamed_top_k(reused(), (3, 90), 5), top_k(scores, 5))


def test_columns_that_never_come_are_not_recommended() -> None:
    assert streamed_top_k([(2, of([0.5, 0.7]))], (1, 9), 3).item_rows.tolist() == [[3, 2, -1]]
    assert streamed_top_k([], (2, 0), 3).item_rows.tolist() == [[-1] * 3] * 2
    assert top_k(np.zeros((2, 0), np.float32), 3).item_rows.tolist() == [[-1] * 3] * 2


@pytest.mark.parametrize(("first", "n_rows"), [(3, 1), (-1, 1), (0, 2)])
def test_a_block_outside_of_what_was_announced_is_refused(first: int, n_rows: int) -> None:
    with pytest.raises(DataError, match=rf"shape \({n_rows}, 2\) from column {first}.*1 rows and 4 columns"):
        streamed_top_k([(first, np.zeros((n_rows, 2), np.float32))], (1, 4), 1)


@pytest.mark.parametrize("column", [-1, 4])
def test_leaving_out_a_column_that_is_not_there_is_refused(column: int) -> None:
    with pytest.raises(DataError, match=f"column {column} is to be left out, columns are 0 to 3"):
        streamed_top_k([], (1, 4), 1, exclude=[np.array([column])])


def test_the_tie_key_is_shared_and_cannot_be_changed() -> None:
    assert tie_key(6, 3) is tie_key(6, 3)
    with pytest.raises(ValueError, match="read-only"):
        tie_key(6, 3)[0] = 1
