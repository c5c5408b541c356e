"""Products that read and look like those of another category. Arrays in, arrays out.

Words of title and description (never those of the category) and the picture go through a linear discriminant (Hastie,
Tibshirani, Friedman, "Elements of statistical learning", section 4.3), cross-fitted; a category is suspicious as in
confident learning (Northcutt et al., arXiv 1911.00068, section 3.1): another category is at least as probable as it
usually is for its own products.

Letters: N products, C categories, W features.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from trifocal.types import FloatArray, IntArray

__all__ = ["Suspicion", "class_probabilities", "suspicions", "word_features"]

_WORD = re.compile(r"[^\W\d_]{2,}")
_HASHED, _KEPT = 1 << 14, 160
_RIDGE = 0.1
_ROUNDS = 3
_TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0)


@dataclass(frozen=True)
class Suspicion:
    """A product whose category is doubted.

    Attributes:
        row: of the product.
        other: code of the category that it seems to be of.
        probability: of that category, 0..1.
        own: probability of its own.
    """

    row: int
    other: int
    probability: float
    own: float


def word_features(texts: Sequence[str], seed: int = 0) -> FloatArray:
    """Return (N, at most 160) what the words of each text say, latent semantic analysis of their weights.

    Weights are tf x idf, words are hashed; Deerwester et al., "Indexing by latent semantic analysis", JASIS 1990. The
    leading directions by a randomised range finder (Halko et al., SIAM Review 2011, algorithm 4.4).
    """
    weights = _weights(texts)
    size = min(_KEPT, len(texts))
    basis = np.random.default_rng(seed).standard_normal((weights.shape[1], size + 10)).astype(np.float32)
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(weights.T @ (weights @ basis))
    found: FloatArray = np.asarray(weights @ basis[:, :size], dtype=np.float32)
    return found


def class_probabilities(features: FloatArray, codes: IntArray, folds: IntArray) -> FloatArray:
    """Return (N, C) the probability of each category, by what was learned from the other folds.

    Args:
        features: (N, W).
        codes: (N,) category of each product, 0..C-1; -1 = not learned from.
        folds: (N,) see `folds_of`.
    """
    count = int(codes.max(initial=-1)) + 1
    scores = np.zeros((len(features), count), dtype=np.float32)
    for fold in np.unique(folds):
        own = folds == fold
        learned = ~own & (codes >= 0)
        if learned.any() and count:
            scores[own] = _discriminant(features[learned], codes[learned], count, features[own])
    return _softmax(scores / _temperature(scores, codes))


def suspicions(probabilities: FloatArray, codes: IntArray, margin: float) -> list[Suspicion]:
    """Return the products whose category is doubted, by row.

    Args:
        probabilities: (N, C).
        codes: (N,) the category that each product says; -1 = none that is known.
        margin: least probability of another category.

    The mean probability of category 1 for its own products is .8: product 2, which says 0, has .9 of it.

    >>> given = np.array([[0.8, 0.2], [0.2, 0.8], [0.1, 0.9]], np.float32)
    >>> [(one.row, one.other) for one in suspicions(given, np.array([0, 1, 0]), 0.6)]
    [(2, 1)]
    """
    best = probabilities.argmax(axis=1) if probabilities.size else np.zeros(len(codes), dtype=np.int64)
    usual = [_usual(probabilities, codes, code) for code in range(probabilities.shape[1])]
    found = []
    for row in np.flatnonzero((codes >= 0) & (best != codes)):
        other, probability = int(best[row]), float(probabilities[row, best[row]])
        if probability >= max(margin, usual[other]):
            found.append(Suspicion(int(row), other, probability, float(probabilities[row, codes[row]])))
    return found


def _usual(probabilities: FloatArray, codes: IntArray, code: int) -> float:
    """The confident threshold: mean probability of `code` among the products that say it."""
    own = codes == code
    return float(probabilities[own, code].mean()) if own.any() else 1.0


def _discriminant(features: FloatArray, codes: IntArray, count: int, asked: FloatArray) -> FloatArray:
    """(asked, C) log posteriors under equal covariances, up to a constant."""
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    sums = csr_matrix((np.ones(len(codes), np.float32), (codes, np.arange(len(codes)))), shape=(count, len(codes)))
    means = np.asarray(sums @ features, dtype=np.float64) / np.maximum(sizes, 1)[:, None]
    within = (features - means[codes]).astype(np.float32)
    covariance = (within.T @ within).astype(np.float64) / max(len(features) - count, 1)
    covariance += (_RIDGE * np.trace(covariance) / len(covariance) + 1e-9) * np.eye(len(covariance))
    directions = np.linalg.solve(covariance, means.T)
    shares = np.log(np.maximum(sizes, 1e-3) / sizes.sum())
    scores: FloatArray = (asked @ directions - (means.T * directions).sum(axis=0) / 2 + shares).astype(np.float32)
    return scores


def _temperature(scores: FloatArray, codes: IntArray) -> float:
    """What makes unseen products as probable as they are right (Guo et al., ICML 2017, section 4.2)."""
    known = np.flatnonzero(codes >= 0)
    if not len(known):
        return 1.0
    losses = {
        t: -np.log(_softmax(scores[known] / t)[np.arange(len(known)), codes[known]] + 1e-9).mean()
        for t in _TEMPERATURES
    }
    return min(losses, key=lambda t: losses[t])


def _softmax(scores: FloatArray) -> FloatArray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _weights(texts: Sequence[str]) -> csr_matrix:
    """(N, hashed words) tf x idf, rows of length 1."""
    words = [sorted(set(_WORD.findall(text.lower()))) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(found) for found in words])
    columns = np.array([zlib.crc32(word.encode()) % _HASHED for found in words for word in found], dtype=np.int64)
    seen = np.bincount(columns, minlength=_HASHED)
    values = np.log(len(texts) / np.maximum(seen[columns], 1)).astype(np.float32) + 0.01
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=len(texts)))
    return csr_matrix((values / lengths[rows], (rows, columns)), shape=(len(texts), _HASHED), dtype=np.float32)
