from __future__ import annotations

import numpy as np
import pytest

from trifocal.errors import ServingError
from trifocal.index import GrowingRows
from trifocal.types import FloatArray, IntArray

BASE = np.array([[1, 0], [0, 1], [1, 1]], np.float32)


def vector(*values: float) -> FloatArray:
    return np.array(values, np.float32)


def test_a_change_gives_another_table_and_leaves_this_one() -> None:
    before = GrowingRows.of(BASE)
    added = before.with_row(3, vector(5, 5))
    changed = added.with_row(1, vector(7, 7))
    every = np.arange(3)
    assert before[every].tolist() == BASE.tolist()
    assert added[np.array([[3, 1]])].tolist() == [[[5, 5], [0, 1]]]
    assert changed[np.array([1, 3, 0])].tolist() == [[7, 7], [5, 5], [1, 0]]
    assert [len(before), len(added), len(changed)] == [3, 4, 4]
    assert changed.products(vector(1, 2)).tolist() == [1, 21, 3, 15]


def test_it_grows_past_its_first_room() -> None:
    rows = GrowingRows.of(BASE)
    early = rows
    for row in range(3, 200):
        rows = rows.with_row(row, vector(row, 0))
        early = rows if row == 10 else early
    assert rows[np.arange(3, 200)][:, 0].tolist() == list(range(3, 200))
    assert early[np.array([10])].tolist() == [[10, 0]]


@pytest.mark.parametrize(("row", "value"), [(4, (1, 1)), (-1, (1, 1)), (0, (1, 1, 1)), (0, (np.nan, 1))])
def test_what_does_not_fit_is_refused(row: int, value: tuple[float, ...]) -> None:
    with pytest.raises(ServingError, match=f"row {row} .* table of 3 rows of 2"):
        GrowingRows.of(BASE).with_row(row, vector(*value))


def test_only_an_array_can_begin_to_grow() -> None:
    class Odd:
        def __getitem__(self, rows: IntArray, /) -> FloatArray:
            return BASE[rows]

        def __len__(self) -> int:
            return 3

    with pytest.raises(ServingError, match="class Odd cannot grow"):
        GrowingRows.of(Odd())
