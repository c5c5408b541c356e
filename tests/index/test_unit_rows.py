from __future__ import annotations

from typing import Any

import numpy as np

from trifocal.index import normalised
from trifocal.index.coded import SearchPlan
from trifocal.index.exact import ExactIndex
from trifocal.index.flat8 import Flat8Index
from trifocal.index.recall import recall_at_k
from trifocal.index.unit_rows import UnitRows


def test_rows_are_unit_vectors_as_they_are_read() -> None:
    table: Any = np.array([[3, 4], [0, 0], [0, 2]], np.float16)
    rows = UnitRows(table)
    assert (rows.shape, len(rows), rows.ndim) == ((3, 2), 3, 2)
    np.testing.assert_allclose(rows[np.array([2, 0])], [[0.0, 1.0], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(rows[1:3], [[0.0, 0.0], [0.0, 1.0]])
    assert rows[:1].dtype == np.float32


def test_an_index_of_them_finds_what_one_of_a_copy_finds() -> None:
    rng = np.random.default_rng(0)
    table: Any = (rng.normal(size=(3000, 32)) * rng.uniform(0.5, 4, (3000, 1))).astype(np.float16)
    queries = normalised(rng.normal(size=(50, 32)).astype(np.float32))
    exact = ExactIndex(normalised(table))
    truth = exact.search(queries, 20)
    plan = SearchPlan(rescoring=4, exact_up_to=100)
    coded = Flat8Index(UnitRows(table), plan)
    assert recall_at_k(coded, normalised(table), queries, truth) >= 0.99
    found = coded.search(queries[:1], 20)
    np.testing.assert_allclose(found.scores, truth.scores[:1], atol=1e-5)
