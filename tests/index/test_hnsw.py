from __future__ import annotations

import numpy as np
import pytest
from tests.contracts.index import IndexContract

from trifocal.index import HnswIndex, SearchPlan
from trifocal.index.faiss_package import load_faiss
from trifocal.index.hnsw import graph_bytes
from trifocal.types import FloatArray


class TestHnswIndex(IndexContract):
    recall_floor = 0.97

    def build(self, vectors: FloatArray) -> HnswIndex:
        return HnswIndex(vectors, SearchPlan(exact_up_to=0), links=16, graph_breadth=60)


def _vectors() -> FloatArray:
    return np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)


def test_bytes_are_those_of_the_file() -> None:
    index = HnswIndex(_vectors(), links=8, graph_breadth=20)
    assert index.code_bytes == pytest.approx(len(load_faiss().serialize_index(index.codes)), rel=0.02)
    assert graph_bytes(3000, 16, 8) == pytest.approx(index.code_bytes, rel=0.02)


def test_one_thread_builds_the_same_graph_twice() -> None:
    one, two = (load_faiss().serialize_index(HnswIndex(_vectors()[:800], links=8).codes) for _ in range(2))
    assert np.array_equal(one, two)
