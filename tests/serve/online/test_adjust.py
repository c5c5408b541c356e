from __future__ import annotations

import numpy as np
import pytest

from trifocal.serve.online.adjust import diversified
from trifocal.types import Rankings

GENERATOR = np.random.default_rng(0)
VECTORS = GENERATOR.normal(size=(60, 4)).astype(np.float32)
RANKING = Rankings(GENERATOR.permutation(60)[None], -np.arange(60, dtype=np.float32)[None])


def alike(rows: list[int]) -> float:
    unit = VECTORS[rows] / np.linalg.norm(VECTORS[rows], axis=1, keepdims=True)
    return float((unit @ unit.T)[np.triu_indices(len(rows), 1)].mean())


def test_no_diversity_is_the_list_as_it_is() -> None:
    assert diversified(RANKING, VECTORS, 10, 0.0).item_rows.tolist() == RANKING.item_rows[:, :10].tolist()


@pytest.mark.parametrize("diversity", [0.3, 0.7, 1.0])
def test_the_more_diversity_the_less_alike(diversity: float) -> None:
    plain, found = RANKING.item_rows[0, :10].tolist(), diversified(RANKING, VECTORS, 10, diversity)
    rows = found.item_rows[0].tolist()
    assert rows[0] == plain[0]
    assert len(set(rows)) == 10
    assert alike(rows) < alike(plain)
    # Each item keeps its own score.
    places = [RANKING.item_rows[0].tolist().index(row) for row in rows]
    assert found.scores[0].tolist() == RANKING.scores[0, places].tolist()


def test_empty_places_are_no_items() -> None:
    short = Rankings(np.array([[3, 5, -1, -1]]), np.array([[2.0, 1.0, -np.inf, -np.inf]], np.float32))
    assert sorted(diversified(short, VECTORS, 4, 0.5).item_rows[0].tolist()) == [3, 5]
