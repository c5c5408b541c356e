"""Assignment: uniform, sticky, independent between salts, and few users move when shares change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare, kstest

from trifocal.errors import ConfigError
from trifocal.feedback.experiments.assignment import Assignment, hash_share

USERS = [f"user-{row}" for row in range(6000)]
# A fixed draw either passes or does not; with so small a level a sound hash fails one seed in a million.
_LEVEL = 1e-6


def _assign(shares: dict[str, float], salt: str = "spring", name: str = "ranker") -> list[str]:
    assignment = Assignment(name, salt, shares)
    return [assignment.variant(user) for user in USERS]


def _moved(before: list[str], after: list[str]) -> float:
    return float(np.mean([a != b for a, b in zip(before, after, strict=True)]))


def test_the_hash_is_uniform() -> None:
    assert kstest([hash_share("salt", user) for user in USERS], "uniform").pvalue > _LEVEL


def test_no_two_lists_of_parts_read_the_same() -> None:
    assert hash_share("a", "bc") != hash_share("ab", "c")


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5)])
def test_each_variant_gets_its_share(shares: tuple[float, ...]) -> None:
    found = _assign({f"v{row}": share for row, share in enumerate(shares)})
    counts = [found.count(f"v{row}") for row in range(len(shares))]
    assert chisquare(counts, np.array(shares) * len(USERS)).pvalue > _LEVEL


@given(st.text(max_size=20), st.text(max_size=8))
@settings(max_examples=50)
def test_a_user_keeps_the_variant_whatever_the_order_of_the_shares(user: str, salt: str) -> None:
    first = Assignment("ranker", salt, {"a": 0.3, "b": 0.7})
    again = Assignment("ranker", salt, {"b": 0.7, "a": 0.3})
    assert first.variant(user) == first.variant(user) == again.variant(user)


def test_the_variants_of_known_users_stay_from_release_to_release() -> None:
    assignment = Assignment("ranker", "spring", {"control": 0.5, "candidate": 0.5})
    assert [assignment.variant(user) for user in ("anna", "ben", "carla")] == ["control", "candidate", "control"]


@pytest.mark.parametrize(("salt", "name"), [("autumn", "ranker"), ("spring", "layout")])
def test_another_salt_or_experiment_assigns_independently(salt: str, name: str) -> None:
    shares = {"a": 0.5, "b": 0.5}
    first, second = _assign(shares), _assign(shares, salt, name)
    table = [[sum(x == v and y == w for x, y in zip(first, second, strict=True)) for w in "ab"] for v in "ab"]
    assert chi2_contingency(table).pvalue > _LEVEL


def test_a_ramp_moves_users_only_into_the_variant_that_grows() -> None:
    before = _assign({"a": 0.5, "b": 0.4, "c": 0.1})
    after = _assign({"a": 0.4, "b": 0.32, "c": 0.28})
    assert {new for old, new in zip(before, after, strict=True) if old != new} == {"c"}
    assert _moved(before, after) == pytest.approx(0.18, abs=0.025)


def test_of_two_variants_as_many_move_as_must() -> None:
    moved = _moved(_assign({"a": 0.5, "b": 0.5}), _assign({"a": 0.8, "b": 0.2}))
    assert moved == pytest.approx(0.3, abs=0.03)


def test_any_change_keeps_the_bound_of_correlated_sampling() -> None:
    old, new = {"a": 0.5, "b": 0.3, "c": 0.2}, {"a": 0.2, "b": 0.3, "c": 0.5}
    apart = sum(abs(old[v] - new[v]) for v in old) / 2
    assert _moved(_assign(old), _assign(new)) <= 2 * apart / (1 + apart) + 0.03


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"a": 0.5, "b": 0.6}, "sum to 1.1, must be 1"),
        ({"a": 1.5, "b": -0.5}, r"'a': 1.5, 'b': -0.5"),
        ({"a": float("nan")}, "outside 0..1"),
        ({}, "sum to 0"),
    ],
)
def test_wrong_shares_are_refused(shares: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Assignment("ranker", "spring", shares)
