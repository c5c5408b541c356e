"""Sample ratio mismatch: by hand, against the chi-square law, and under constant peeking."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trifocal.errors import DataError
from trifocal.feedback.experiments.sample_ratio import always_valid_mismatch_p, chi_square_p

HALVES = {"a": 0.5, "b": 0.5}


def test_two_of_one_kind_by_hand() -> None:
    # Dirichlet(100, 100): chance of two a's is 100/200 * 101/201, against 1/4 under the shares.
    assert always_valid_mismatch_p({"a": 2, "b": 0}, HALVES) == pytest.approx(0.25 / (0.5 * 101 / 201))


def test_chi_square_by_hand() -> None:
    # (30 - 20)^2 / 20 + (70 - 80)^2 / 80 = 6.25; one degree of freedom: p = erfc(sqrt(6.25 / 2)).
    found = chi_square_p({"a": 30, "b": 70}, {"a": 0.2, "b": 0.8})
    assert found == pytest.approx(math.erfc(math.sqrt(3.125)))


def test_a_lost_tenth_is_found_and_a_fair_draw_is_not() -> None:
    assert always_valid_mismatch_p({"a": 5000, "b": 4500}, HALVES) < 0.001
    assert always_valid_mismatch_p({"a": 5000, "b": 5060}, HALVES) == 1.0


def test_peeking_always_raises_few_false_alarms() -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(150):
        seen = (rng.random(3000) < 0.3).cumsum()
        looks = range(50, 3001, 50)
        p = min(
            always_valid_mismatch_p({"a": int(seen[n - 1]), "b": n - int(seen[n - 1])}, {"a": 0.3, "b": 0.7})
            for n in looks
        )
        alarms += p < 0.05
    assert alarms <= 150 * 0.05


def test_nobody_yet_is_no_mismatch() -> None:
    assert chi_square_p({}, HALVES) == always_valid_mismatch_p({}, HALVES) == 1.0


def test_a_variant_without_share_is_refused() -> None:
    with pytest.raises(DataError, match="3 shoppers saw 'c', which has no share"):
        chi_square_p({"a": 1, "c": 3}, HALVES)
