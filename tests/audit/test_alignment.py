from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.audit.alignment import best_partners, common_space, expected_false_share, mismatch_shares, outranked
from trifocal.audit.config import AuditConfig
from trifocal.audit.folds import folds_of, principal
from trifocal.types import FloatArray

CONFIG = AuditConfig(folds=4, directions=16)


def pairs(count: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Texts and pictures that share six hidden traits, each with noise of its own."""
    random = np.random.default_rng(seed)
    traits = random.standard_normal((count, 6))
    text, image = (traits @ random.standard_normal((6, 24)) + 0.3 * random.standard_normal((count, 24)) for _ in "ab")
    return text.astype(np.float32), image.astype(np.float32)


def folds(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(count, dtype=np.int64) % CONFIG.folds


def test_swapped_pictures_are_ranked_above_all_others() -> None:
    text, image = pairs(400)
    swapped = np.arange(20)
    image[swapped] = image[np.roll(swapped, 1)]
    shares = mismatch_shares(text, image, folds(400), CONFIG)
    assert np.median(shares[20:]) < 0.01
    right, wrong = shares[20:], shares[:20]
    assert (wrong[:, None] > right[None]).mean() > 0.95


def test_a_picture_drawn_at_random_has_a_share_that_is_uniform() -> None:
    text, image = pairs(1200)
    wrong = np.random.default_rng(1).permutation(1200)[:240]
    image[wrong] = image[np.roll(wrong, 1)]
    shares = mismatch_shares(text, image, folds(1200), CONFIG)[wrong]
    # Of 240 uniform values the mean lies within .5 +- 4 x .29 / sqrt(240).
    assert abs(shares.mean() - 0.5) < 0.075


def test_what_has_no_text_or_no_picture_is_not_judged() -> None:
    text, image = pairs(200)
    text[3], image[5] = 0, 0
    shares = mismatch_shares(text, image, folds(200), CONFIG)
    assert np.flatnonzero(np.isnan(shares)).tolist() == [3, 5]


def test_a_catalogue_too_small_to_learn_from_is_not_judged() -> None:
    text, image = pairs(30)
    assert np.isnan(mismatch_shares(text, image, folds(30), CONFIG)).all()


def test_fewer_references_say_nearly_the_same() -> None:
    text, image = pairs(400)
    image[:20] = image[np.roll(np.arange(20), 1)]
    space = common_space(text, image, 6, 0.1)
    texts, images = space.texts(text), space.images(image)
    few, all_of_them = (outranked(texts, images, 0.07, references=count) for count in (100, 400))
    assert abs(few - all_of_them).mean() < 0.02


def test_the_expected_false_share_is_near_the_real_one() -> None:
    random = np.random.default_rng(3)
    right, wrong = random.beta(0.3, 12, 4000), random.random(100)
    shares = np.concatenate([right, wrong]).astype(np.float32)
    false = expected_false_share(shares)
    listed = shares >= 0.3
    real = (listed[:4000]).sum() / listed.sum()
    assert abs(float(false[listed].max()) - real) < 0.15


def test_nothing_is_sure_where_no_pair_is_surely_wrong() -> None:
    assert expected_false_share(np.array([0.0, 0.1, 0.7], np.float32)).tolist() == [1.0, 1.0, 1.0]


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_a_worse_pair_is_never_less_sure(values: list[float]) -> None:
    shares = np.array(values, dtype=np.float32)
    false = expected_false_share(shares)
    order = np.argsort(shares)
    assert (np.diff(false[order]) <= 1e-6).all()
    assert ((false >= 0) & (false <= 1)).all()


def test_the_best_partner_of_a_swapped_picture_is_where_it_belongs() -> None:
    text, image = pairs(300)
    image[[10, 20]] = image[[20, 10]]
    assert best_partners(text, image, np.array([10, 20]), CONFIG).tolist() == [20, 10]
    assert best_partners(text, image, np.array([], dtype=np.int64), CONFIG).tolist() == []


def test_principal_components_are_uncorrelated_and_ordered() -> None:
    text, _ = pairs(200)
    found = principal(text, 5)
    assert found.shape == (200, 5)
    covariance = found.T @ found
    assert np.diag(covariance) == pytest.approx(np.sort(np.diag(covariance))[::-1])
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3


def test_variants_of_one_title_share_a_fold() -> None:
    found = folds_of([f"title {number % 7}" for number in range(70)], 5)
    assert [len(set(found[number::7].tolist())) for number in range(7)] == [1] * 7
