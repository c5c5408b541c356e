from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.feedback.kpis import mean_estimate, share_estimate


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 5000), st.floats(0, 1))
def test_the_interval_of_a_share_holds_it_and_stays_in_bounds(of: int, share: float) -> None:
    found = share_estimate(round(share * of), of)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_more_clicks_than_impressions_are_all_of_them() -> None:
    assert share_estimate(5, 3).value == 1


def test_a_mean_of_nothing_is_none_and_of_one_is_itself() -> None:
    assert mean_estimate(0, 0, 0).value is None
    one = mean_estimate(0.4, 0.16, 1)
    assert (one.value, one.low, one.high) == (0.4, 0.4, 0.4)
