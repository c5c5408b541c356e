from __future__ import annotations

import numpy as np

from trifocal.audit.categories import class_probabilities, suspicions, word_features


def test_a_product_filed_wrongly_is_suspected_and_the_right_category_proposed() -> None:
    random = np.random.default_rng(0)
    codes = np.arange(300, dtype=np.int64) % 3
    features = (np.eye(3)[codes] * 6 + random.standard_normal((300, 3))).astype(np.float32)
    said = codes.copy()
    said[0] = 1
    probabilities = class_probabilities(features, said, np.arange(300) % 5)
    found = suspicions(probabilities, said, 0.9)
    assert [(one.row, one.other) for one in found if one.row == 0] == [(0, 0)]
    assert len(found) <= 5


def test_probabilities_are_as_large_as_they_are_right() -> None:
    random = np.random.default_rng(1)
    codes = random.integers(0, 2, 2000)
    features = (codes[:, None] * 1.5 + random.standard_normal((2000, 1))).astype(np.float32)
    probabilities = class_probabilities(features, codes, np.arange(2000) % 5)
    right = probabilities.argmax(axis=1) == codes
    assert abs(probabilities.max(axis=1).mean() - right.mean()) < 0.03


def test_unknown_categories_are_neither_suspected_nor_proposed() -> None:
    codes = np.full(10, -1, dtype=np.int64)
    probabilities = class_probabilities(np.ones((10, 2), np.float32), codes, np.arange(10) % 2)
    assert probabilities.shape == (10, 0)
    assert suspicions(probabilities, codes, 0.9) == []


def test_texts_with_the_same_words_are_alike() -> None:
    found = word_features(["red wool hat", "wool hat, red", "oak table lamp", "", "oak shelf", "linen shirt"])
    lengths = np.linalg.norm(found, axis=1)
    assert found[0] @ found[1] / (lengths[0] * lengths[1]) > 0.99
    assert abs(found[0] @ found[2]) / (lengths[0] * lengths[2]) < 0.2
    assert lengths[3] == 0
