from __future__ import annotations

import numpy as np
import pytest

from trifocal.index import GrowingRows
from trifocal.serve.search_parts.word_looks import WordLooks
from trifocal.types import FloatArray


def learned(looks: FloatArray) -> WordLooks:
    texts = np.random.default_rng(1).standard_normal((len(looks), 3)).astype(np.float32)
    texts[:, 0] = looks[:, 0]
    found = WordLooks.learned(GrowingRows.of(looks), texts)
    assert found is not None
    return found


def looks_of(count: int = 60) -> FloatArray:
    return np.random.default_rng(0).standard_normal((count, 4)).astype(np.float32)


def test_scores_are_in_deviations_around_zero() -> None:
    found = learned(looks_of())
    scores = found.scores(np.array([3, 0, 0, 0], np.float32))
    assert float(scores.mean()) == pytest.approx(0, abs=1e-4)
    assert float(scores.std()) == pytest.approx(1, abs=1e-3)


def test_the_direction_of_a_term_separates_those_that_hold_it() -> None:
    looks = looks_of()
    holders = np.flatnonzero(looks[:, 2] > 0.5)
    scores = learned(looks).scores(learned(looks).of_term(holders))
    assert scores[holders].min() > np.delete(scores, holders).mean()


def test_few_holders_say_nothing() -> None:
    found = learned(looks_of())
    assert not found.scores(found.of_term(np.array([1, 2]))).any()


def test_texts_point_to_the_pictures_that_go_with_them() -> None:
    found = learned(looks_of())
    direction = found.of_text(found.text_mean + np.array([1, 0, 0], np.float32))
    assert int(np.abs(direction).argmax()) == 0
    assert direction[0] > 0


def test_items_without_pictures_score_nothing_and_too_few_teach_nothing() -> None:
    looks = looks_of()
    looks[5] = 0
    found = learned(looks)
    assert found.scores(np.ones(4, np.float32))[5] == 0
    changed = found.with_item(5, np.ones(4, np.float32)).with_item(6, None)
    assert changed.pictured[[5, 6]].tolist() == [True, False]
    assert WordLooks.learned(GrowingRows.of(looks[5:7]), np.ones((2, 3), np.float32)) is None
