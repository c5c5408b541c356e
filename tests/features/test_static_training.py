from __future__ import annotations

import numpy as np

from trifocal.features.config import StaticConfig
from trifocal.features.static_training import fit_word_vectors

VOCABULARY, WIDTH = 30, 5
CONFIG = StaticConfig(epochs=150)


def _texts(count: int = 200) -> list[list[int]]:
    """Texts of one to six of the first 20 pieces; the last ten never occur."""
    generator = np.random.default_rng(0)
    return [generator.integers(0, 20, generator.integers(1, 7)).tolist() for _ in range(count)]


def _words() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(VOCABULARY, WIDTH)).astype(np.float32)


def _means(vectors: np.ndarray, weights: np.ndarray, texts: list[list[int]]) -> np.ndarray:
    return np.stack([np.average(vectors[row], axis=0, weights=weights[row]) for row in texts]).astype(np.float32)


def _explained(found: np.ndarray, wanted: np.ndarray) -> float:
    return 1 - float(((found - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())


def test_a_linear_map_of_the_words_is_found_without_any_pass_even_for_pieces_that_no_text_holds() -> None:
    words, texts = _words(), _texts()
    mapped = words @ np.random.default_rng(2).normal(size=(WIDTH, WIDTH)).astype(np.float32) + 1
    targets = _means(mapped, np.ones(VOCABULARY), texts)
    vectors, weights = fit_word_vectors(texts, targets, words, StaticConfig(epochs=0))
    np.testing.assert_allclose(vectors[20:], mapped[20:], atol=0.02)
    np.testing.assert_array_equal(weights, np.ones(VOCABULARY))


def test_a_piece_that_says_more_is_given_more_weight() -> None:
    words, texts = _words(), _texts()
    true = np.ones(VOCABULARY)
    true[:5] = 6.0
    targets = _means(_words()[::-1].copy(), true, texts)
    vectors, weights = fit_word_vectors(texts, targets, words, CONFIG)
    start, ones = fit_word_vectors(texts, targets, words, StaticConfig(epochs=0))
    before, after = (_explained(_means(v, w, texts), targets) for v, w in ((start, ones), (vectors, weights)))
    assert before < 0.9 < after
    assert weights[:5].min() > 1.5 * weights[5:20].max()


def test_the_same_seed_gives_the_same_vectors() -> None:
    words, texts = _words(), _texts(50)
    targets = _means(words[::-1].copy(), np.ones(VOCABULARY), texts)
    one, other = (fit_word_vectors(texts, targets, words, StaticConfig(epochs=3)) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
