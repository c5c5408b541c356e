from __future__ import annotations

import numpy as np
import pytest
from tests.contracts.index import IndexContract

from trifocal.index import IvfPqIndex, SearchPlan
from trifocal.index.faiss_package import load_faiss
from trifocal.index.ivf_pq import list_bytes
from trifocal.types import FloatArray


class TestIvfPqIndex(IndexContract):
    recall_floor = 0.95

    def build(self, vectors: FloatArray) -> IvfPqIndex:
        return IvfPqIndex(vectors, SearchPlan(breadth=24, rescoring=8, exact_up_to=0))


def _vectors() -> FloatArray:
    return np.random.default_rng(0).normal(size=(1200, 16)).astype(np.float32)


def test_lists_that_hold_too_few_are_made_up_for() -> None:
    vectors = _vectors()
    # One list of 30 holds about 40 items.
    found = IvfPqIndex(vectors, SearchPlan(breadth=1, exact_up_to=0)).search(vectors[:3], 300)
    assert (found.item_rows >= 0).all()


def test_bytes_are_those_of_the_file() -> None:
    index = IvfPqIndex(_vectors())
    assert index.code_bytes == pytest.approx(len(load_faiss().serialize_index(index.codes)), rel=0.05)
    assert list_bytes(1200, 16) == index.code_bytes


def test_vectors_may_be_memory_mapped(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vectors") / "item_vectors.npy"
    np.save(path, _vectors())
    mapped: FloatArray = np.load(path, mmap_mode="r")
    plan = SearchPlan(breadth=8, rescoring=4, exact_up_to=0)
    found = IvfPqIndex(mapped, plan).search(_vectors()[:4], 5)
    assert found.item_rows.tolist() == IvfPqIndex(_vectors(), plan).search(_vectors()[:4], 5).item_rows.tolist()


def test_learning_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    IvfPqIndex(_vectors()[:50])
    assert capfd.readouterr() == ("", "")
