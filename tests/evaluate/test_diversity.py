from __future__ import annotations

import math

import numpy as np
import pytest

from trifocal.evaluate import diversity
from trifocal.evaluate.diversity import intra_list_diversity
from trifocal.types import FloatArray

# 0 and 3 point the same way, 1 is at a right angle to them, 2 opposite; 4 has no picture.
VECTORS: FloatArray = np.array([[1, 0], [0, 5], [-2, 0], [7, 0], [0, 0]], np.float32)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([0, 3], 0.0),
        ([0, 1], 1.0),
        ([0, 2], 2.0),
        # 0-1, 0-2, 0-3, 1-2, 1-3, 2-3: 1 + 2 + 0 + 1 + 1 + 2.
        ([0, 1, 2, 3], 7 / 6),
        ([0, -1, 1], 1.0),
        ([0, 4, 1], 1.0),
    ],
)
def test_diversity_by_hand(rows: list[int], wanted: float) -> None:
    assert intra_list_diversity(np.array([rows]), VECTORS).tolist() == [pytest.approx(wanted)]


@pytest.mark.parametrize("rows", [[0, -1], [-1, -1], [0, 4], [4, 4]])
def test_a_list_without_two_items_is_not_a_number(rows: list[int]) -> None:
    assert math.isnan(intra_list_diversity(np.array([rows]), VECTORS)[0])


def test_only_the_first_places_count() -> None:
    rows = np.array([[0] * 20 + [2]])
    assert intra_list_diversity(rows, VECTORS)[0] == pytest.approx(0)
    assert intra_list_diversity(np.array([[0, 3, 2]]), VECTORS, places=2)[0] == pytest.approx(0)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    lists, vectors = rng.integers(0, 30, (7, 5)), rng.normal(size=(30, 4)).astype(np.float32)
    whole = intra_list_diversity(lists, vectors)
    monkeypatch.setattr(diversity, "_VALUES_AT_ONCE", 2 * 5 * 4)
    assert intra_list_diversity(lists, vectors).tolist() == whole.tolist()


def test_no_list_no_figure() -> None:
    assert intra_list_diversity(np.zeros((0, 20), np.int64), VECTORS).shape == (0,)
