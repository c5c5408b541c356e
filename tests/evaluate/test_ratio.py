from __future__ import annotations

import math

import numpy as np
import pytest

from trifocal.errors import DataError
from trifocal.evaluate.ratio import mean_ratio


def test_the_ratio_of_means_lies_in_its_interval() -> None:
    generator = np.random.default_rng(0)
    teacher = generator.random(400)
    student = teacher * 0.9 + generator.normal(0, 0.02, 400)
    found = mean_ratio(student, teacher, samples=500)
    assert found.mean == pytest.approx(student.mean() / teacher.mean())
    # Paired: what makes a user easy is in both, so that the interval is narrow.
    assert found.low < found.mean < found.high < found.low + 0.02


def test_against_nothing_there_is_no_ratio() -> None:
    assert math.isnan(mean_ratio(np.ones(3), np.zeros(3), samples=100).mean)


def test_no_user_is_refused() -> None:
    with pytest.raises(DataError, match="over 0 users"):
        mean_ratio(np.zeros(0), np.zeros(0))
