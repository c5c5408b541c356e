"""Sample sizes: by hand, and what the planned test then really finds."""

from __future__ import annotations

import numpy as np
import pytest

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.design import Question, sample_size
from trifocal.feedback.experiments.sequential import SequentialPlan, boundary


def test_the_fixed_size_of_a_textbook() -> None:
    # (1.959964 + 0.841621)^2 * 0.09 * 4 / 0.005^2 = 7.848880 * 14,400 = 113,023.9
    assert sample_size(Question(mean=0.1, lift=0.05)).fixed == 113_024


def test_looking_costs_and_cuped_pays() -> None:
    plain = sample_size(Question(mean=0.1, lift=0.05))
    sharper = sample_size(Question(mean=0.1, lift=0.05, correlation=0.6))
    assert 1.5 < plain.sequential / plain.fixed < 2.5
    assert sharper.sequential / plain.sequential == pytest.approx(1 - 0.36, rel=1e-4)
    assert plain.days(plain.sequential / 7) == pytest.approx(7)


def test_an_uneven_split_needs_more() -> None:
    even, uneven = (sample_size(Question(mean=0.1, lift=0.1, share=share)).fixed for share in (0.5, 0.1))
    assert uneven / even == pytest.approx((1 / 0.1 + 1 / 0.9) / 4, rel=1e-3)


def test_the_planned_power_is_reached() -> None:
    question = Question(mean=1.0, lift=0.1, deviation=0.5)
    planned = sample_size(question).sequential
    rng = np.random.default_rng(2)
    half = planned // 2
    control, candidate = (rng.normal(mean, 0.5, (2000, half)).mean(axis=1) for mean in (1.0, 1.1))
    z = (candidate - control) / (0.5 * np.sqrt(2 / half))
    reach = boundary(SequentialPlan(planned).scale, 0.05)
    assert (z > reach).mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": 0.1, "lift": 0.0}, "lift 0 must not be 0"),
        ({"mean": 2.0, "lift": 0.1}, "rate 2 is outside 0..1"),
        ({"mean": 0.1, "lift": 0.1, "power": 1.0}, "power 1 must lie"),
        ({"mean": 0.1, "lift": 0.1, "correlation": 1.0}, "correlation 1 must lie"),
    ],
)
def test_a_question_without_an_answer_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Question(**values)
