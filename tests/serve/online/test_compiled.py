from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.model.small_knowledge import small_tables
from tests.model.test_two_stage import RANKED, RERANKED, recommender
from tests.serve.online.test_engine import REQUESTS

from trifocal.index import ExactIndex
from trifocal.model.evidence import evidence_of
from trifocal.model.two_stage import Blend
from trifocal.serve.online import online_engine
from trifocal.serve.online.compiled import CompiledComparison, CompiledRows
from trifocal.serve.online.rows import PlainRows
from trifocal.types import Context, History

GENERATOR = np.random.default_rng(3)
N = 40


@pytest.fixture(scope="module")
def comparison() -> CompiledComparison:
    return CompiledComparison()


@pytest.mark.parametrize("length", [1, 3, 12])
@pytest.mark.parametrize("seed", range(3))
def test_compiled_evidence_is_that_of_the_plain_twin(comparison: CompiledComparison, length: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    taken = (generator.random((30, N)) < 0.2).astype(np.float32)
    attributes = generator.integers(0, 4, (N, 3))
    # An item without a picture, and one without a price.
    tables = small_tables(taken, attributes, seed=seed)
    tables.image[np.array([5])][:] = 0
    attributes[7, -1] = 0
    rows = generator.choice(N, length)
    history = History(
        rows, np.ones(length, np.int64), np.full(length, 10_000), np.ones(length, np.int64), np.ones(length, np.int64)
    )
    candidates = generator.choice(N, 9, replace=False)
    memory = generator.normal(size=9).astype(np.float32)
    told = (tables, candidates, history, Context(20_000, 1), memory, memory * np.float32(0.5))
    expected, found = evidence_of(*told), evidence_of(*told, compare=comparison)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    # The scratch was left as it was found.
    np.testing.assert_allclose(evidence_of(*told, compare=comparison), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_compiled_sums_and_sets_are_those_of_the_plain_twin(seed: int) -> None:
    generator = np.random.default_rng(seed)
    plain, compiled = PlainRows(), CompiledRows()
    for size in (N, N, 5 * N):
        items = generator.integers(0, size, 60)
        strengths = generator.normal(size=60).astype(np.float32)
        with plain.summed(items, strengths, size) as (touched, sums), compiled.summed(items, strengths, size) as other:
            assert sorted(touched.tolist()) == sorted(other[0].tolist()) == sorted(set(items.tolist()))
            np.testing.assert_allclose(other[1][:size], sums[:size], rtol=1e-5, atol=1e-6)
            assert np.count_nonzero(other[1]) <= len(touched)
        rows = generator.integers(-1, size, 50)
        excluded = generator.integers(0, size, 20)
        expected = set(rows.tolist()) - set(excluded.tolist()) - {-1}
        for kept in (plain.kept(rows, excluded, size), compiled.kept(rows, excluded, size)):
            assert len(kept) == len(expected)
            assert set(kept.tolist()) == expected


def test_scratch_is_clean_after_an_error() -> None:
    for rows in (PlainRows(), CompiledRows()):
        with pytest.raises(RuntimeError), rows.summed(np.array([1, 2]), np.ones(2, np.float32), N):
            raise RuntimeError("broken in between")
        with rows.summed(np.array([2]), np.ones(1, np.float32), N) as (_, sums):
            assert sums[:4].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("blend", [RERANKED, replace(RERANKED, retrieval=0.0), Blend(10.0, ranker=True)])
def test_the_compiled_services_answer_as_the_model_does(blend: Blend, comparison: CompiledComparison) -> None:
    model = recommender().with_blend(blend)
    engine = online_engine(model, index=ExactIndex(model.item_vectors), rows=CompiledRows(), compare=comparison)
    expected = model.recommend(REQUESTS, RANKED).item_rows
    assert engine.recommend(REQUESTS, RANKED).item_rows.tolist() == expected.tolist()
