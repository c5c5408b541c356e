"""Does a picture belong to its text? Learned from this catalogue alone, cross-fitted. Arrays in, arrays out.

```
text, picture of the other folds ─► canonical directions ─► a common space
own fold: fit of every text with every picture ─► how many other pairings fit better than the own one?
```

Canonical correlation (Hotelling, "Relations between two sets of variates", 1936) with a ridge, its directions weighted
by their correlation (Gong et al., "A multi-view embedding space", IJCV 2014, section 3.4), is the closed form of two
linear towers; pairings are compared by the contrastive score of InfoNCE (van den Oord et al., arXiv 1807.03748,
equation 4), in both directions. A product is judged by the other folds: a wrong pair does not teach itself.

Letters: N products, D directions, R references.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trifocal.audit.config import AuditConfig
from trifocal.audit.folds import principal
from trifocal.types import BoolArray, FloatArray, IntArray

__all__ = ["CommonSpace", "best_partners", "common_space", "expected_false_share", "mismatch_shares", "outranked"]

_TEXT_SIZE, _IMAGE_SIZE = 384, 256
_ROWS = 1024
# From fewer pairs nothing is learned, and among fewer a rank says nothing.
_LEAST_LEARNED, _LEAST_COMPARED = 32, 6
# Pairs beyond this share are taken to be wrong ones.
_SURELY_WRONG = 0.8


@dataclass(frozen=True)
class CommonSpace:
    """Where texts and pictures can be compared: directions (width, D) of each, and its means."""

    text_mean: FloatArray
    image_mean: FloatArray
    text: FloatArray
    image: FloatArray

    def texts(self, features: FloatArray) -> FloatArray:
        """Return (N, D) unit vectors of text features."""
        return _unit((features - self.text_mean).astype(np.float32) @ self.text)

    def images(self, features: FloatArray) -> FloatArray:
        """Return (N, D) unit vectors of picture features."""
        return _unit((features - self.image_mean).astype(np.float32) @ self.image)


def common_space(text: FloatArray, image: FloatArray, directions: int, regularization: float) -> CommonSpace:
    """Return the space in which paired rows of `text` and `image` correlate most.

    Args:
        text: (N, text width).
        image: (N, image width), row by row of the same products.
        directions: D at most.
        regularization: ridge, as a share of the mean variance.
    """
    text_mean, image_mean = text.mean(axis=0), image.mean(axis=0)
    text, image = text - text_mean, image - image_mean
    white_text, white_image = _whitening(text, regularization), _whitening(image, regularization)
    left, strength, right = np.linalg.svd(white_text @ (text.T @ image / len(text)) @ white_image, full_matrices=False)
    kept = slice(0, directions)
    weighted_text, weighted_image = (side[:, kept] * strength[kept] for side in (left, right.T))
    single = np.float32
    return CommonSpace(
        text_mean,
        image_mean,
        (white_text @ weighted_text).astype(single),
        (white_image @ weighted_image).astype(single),
    )


def mismatch_shares(text: FloatArray, image: FloatArray, folds: IntArray, config: AuditConfig) -> FloatArray:
    """Return (N,) the share of other pairings, 0..1, that fit better than each product's own; NaN = not judged.

    Args:
        text: (N, text width) pooled features, zero where there is no text.
        image: (N, image width) pooled features, zero where there is no picture.
        folds: (N,) see `folds_of`.
        config: sizes.
    """
    shares = np.full(len(text), np.nan, dtype=np.float32)
    judged = np.flatnonzero(_present(text) & _present(image))
    if len(judged) < _LEAST_LEARNED:
        return shares
    text, image = principal(text[judged], _TEXT_SIZE), principal(image[judged], _IMAGE_SIZE)
    for fold in np.unique(folds[judged]):
        own = folds[judged] == fold
        if own.sum() < _LEAST_COMPARED or (~own).sum() < _LEAST_LEARNED:
            continue
        space = common_space(text[~own], image[~own], config.directions, config.regularization)
        found = outranked(
            space.texts(text[own]), space.images(image[own]), config.temperature, references=config.references
        )
        shares[judged[own]] = found
    return shares


def outranked(texts: FloatArray, images: FloatArray, temperature: float, *, references: int = 4096) -> FloatArray:
    """Return (N,) the share of each product's other pairings that fit better than its own.

    Its other pairings are its text with other pictures and its picture with other texts. The fit of text i and picture
    j is `s_ij / t - (log sum_j' exp(s_ij' / t) + log sum_i' exp(s_i'j / t)) / 2`: the InfoNCE score, both directions.
    Was a picture drawn at random, its pairing is one of the others, and the share is uniform on 0..1.

    Args:
        texts: (N, D) unit vectors.
        images: (N, D) unit vectors.
        temperature: t.
        references: R, how many evenly spaced products the other pairings are of.

    Two right pairs and two swapped ones, at right angles. Of the six other pairings of product 2, two fit better: its
    text with picture 3, and its picture with text 3.

    >>> eye = np.eye(4, dtype=np.float32)
    >>> (outranked(eye, eye[[0, 1, 3, 2]], 0.1) * 6).round().tolist()
    [0.0, 0.0, 2.0, 2.0]
    """
    chosen = np.linspace(0, len(texts) - 1, min(references, len(texts))).astype(np.int64)
    some_texts, some_images = texts[chosen], images[chosen]
    by_text = _log_sums(texts, some_images, temperature)
    by_image = _log_sums(images, some_texts, temperature)
    own = (texts * images).sum(axis=1) / temperature - (by_text + by_image) / 2
    counts = _better(texts, some_images, own, by_text, by_image[chosen], temperature)
    counts += _better(images, some_texts, own, by_image, by_text[chosen], temperature)
    # A reference does not stand against itself.
    others = 2 * (len(chosen) - np.isin(np.arange(len(texts)), chosen))
    shares: FloatArray = (counts / np.maximum(others, 1)).astype(np.float32)
    return shares


def expected_false_share(shares: FloatArray) -> FloatArray:
    """Return (N,) for each product the expected share of false findings among all that are at least as bad.

    Wrong pairs lie evenly on 0..1 (see `outranked`), right ones near 0. The pairs above .8 are taken to be wrong, which
    tells how many wrong ones there are below: Storey's estimate of the share of true null hypotheses ("A direct
    approach to false discovery rates", JRSS B 2002, equation 4), with the wrong pairs as the null. Where no pair lies
    above .8, all findings are expected to be false. NaN = not judged.

    Ten pairs at 0, one each at .7 and .9: the one above .8 stands for 1 / .2 = 5 wrong pairs, 1.5 of them above .7,
    where two were found: a quarter of these is expected to be false. Of all twelve, 7 are.

    >>> found = expected_false_share(np.array([0.0] * 10 + [0.7, 0.9], np.float32))
    >>> [round(float(share), 3) for share in found[[0, 10, 11]]]
    [0.583, 0.25, 0.25]
    """
    found = np.full(len(shares), np.nan, dtype=np.float32)
    judged = ~np.isnan(shares)
    given = shares[judged].astype(np.float64)
    wrong = (given > _SURELY_WRONG).sum() / (1 - _SURELY_WRONG)
    as_bad = len(given) - np.searchsorted(np.sort(given), given, side="left")
    false = np.clip(1 - wrong * (1 - given) / np.maximum(as_bad, 1), 0, 1)
    # A worse pair is never less sure than a better one: the least over what is at most as bad.
    order = np.argsort(-given, kind="stable")
    false[order] = np.minimum.accumulate(false[order][::-1])[::-1]
    found[judged] = false
    return found


def _log_sums(rows: FloatArray, references: FloatArray, temperature: float) -> FloatArray:
    """(N,) log of the sum over references of exp(fit)."""
    sums = [np.log(np.exp(fits).sum(axis=1)) for fits in _blocks(rows, references, temperature)]
    return np.concatenate(sums)


def _better(
    rows: FloatArray,
    references: FloatArray,
    own: FloatArray,
    row_sums: FloatArray,
    reference_sums: FloatArray,
    temperature: float,
) -> npt.NDArray[np.int64]:
    """(N,) how many references fit a row better than its own partner; rounding decides no tie."""
    counts, start = [], 0
    for fits in _blocks(rows, references, temperature):
        part = slice(start, start + len(fits))
        limit = own[part] + row_sums[part] / 2 + 1e-4
        counts.append((fits - reference_sums / 2 > limit[:, None]).sum(axis=1))
        start += len(fits)
    return np.concatenate(counts)


def _blocks(rows: FloatArray, references: FloatArray, temperature: float) -> Iterator[FloatArray]:
    for start in range(0, len(rows), _ROWS):
        fits: FloatArray = rows[start : start + _ROWS] @ references.T / temperature
        yield fits


def _whitening(centred: FloatArray, regularization: float) -> npt.NDArray[np.float64]:
    """(width, width) inverse square root of the covariance with its ridge."""
    covariance = (centred.T @ centred / len(centred)).astype(np.float64)
    ridge = regularization * np.trace(covariance) / len(covariance) + 1e-12
    values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
    whitening: npt.NDArray[np.float64] = (vectors / np.sqrt(np.maximum(values, ridge))) @ vectors.T
    return whitening


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return unit


def _present(features: FloatArray) -> BoolArray:
    present: BoolArray = np.abs(features).sum(axis=1) > 0
    return present


def best_partners(text: FloatArray, image: FloatArray, rows: IntArray, config: AuditConfig) -> IntArray:
    """Return for each of `rows` the other product whose text fits its picture best: where it may belong.

    Learned from all products; a product is never its own partner. Arguments as in `mismatch_shares`.
    """
    judged = np.flatnonzero(_present(text) & _present(image))
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    place = {row: index for index, row in enumerate(judged.tolist())}
    own = np.array([place[row] for row in rows.tolist()], dtype=np.int64)
    text, image = principal(text[judged], _TEXT_SIZE), principal(image[judged], _IMAGE_SIZE)
    space = common_space(text, image, config.directions, config.regularization)
    texts, pictures = space.texts(text), space.images(image[own])
    best = []
    for start in range(0, len(own), _ROWS):
        fits = pictures[start : start + _ROWS] @ texts.T
        fits[np.arange(len(fits)), own[start : start + _ROWS]] = -np.inf
        best.append(judged[fits.argmax(axis=1)])
    return np.concatenate(best)
