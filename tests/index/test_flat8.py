from __future__ import annotations

import numpy as np
from tests.contracts.index import IndexContract

from trifocal.index import ExactIndex, Flat8Index, SearchPlan, recall_at_k
from trifocal.index.faiss_package import load_faiss
from trifocal.types import FloatArray


class TestFlat8Index(IndexContract):
    recall_floor = 0.99

    def build(self, vectors: FloatArray) -> Flat8Index:
        # Without the short cut, so that even three items are searched by their codes.
        return Flat8Index(vectors, SearchPlan(exact_up_to=0))


def test_without_rescoring_scores_are_those_of_the_codes() -> None:
    vectors = np.array([[0, 0], [1, 0], [0.5001, 1]], np.float32)
    rough = Flat8Index(vectors, SearchPlan(rescoring=0, exact_up_to=0)).search(vectors[1:2], 2)
    # 0.5001 lies between the steps 127.5 / 255 and 128.5 / 255 of the codes, each decoded at its middle: 0.50196 or so.
    assert rough.item_rows.tolist() == [[1, 2]]
    assert 0 < abs(rough.scores[0, 1] - 0.5001) < 1 / 255


def test_outliers_cost_no_recall() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(2000, 8)).astype(np.float32)
    vectors[7] *= 50
    queries = generator.normal(size=(20, 8)).astype(np.float32)
    truth = ExactIndex(vectors).search(queries, 20)
    index = Flat8Index(vectors, SearchPlan(rescoring=4, exact_up_to=0))
    assert recall_at_k(index, vectors, queries, truth) >= 0.99


def test_bytes_are_those_of_the_file() -> None:
    index = Flat8Index(np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32))
    assert index.code_bytes == 3000 * 16
    # Beside the codes a file holds the bounds of 16 columns and a few counts.
    assert 0 < len(load_faiss().serialize_index(index.codes)) - index.code_bytes < 400
