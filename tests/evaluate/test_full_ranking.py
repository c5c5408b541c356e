from __future__ import annotations

import argparse
import json
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from benchmarks.scale import full_ranking as benchmark
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.errors import ConfigError
from trifocal.evaluate.full_ranking import rank_vectors
from trifocal.ranking import top_k
from trifocal.types import FloatArray


def whole_numbers(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Small whole numbers: exact in any order of summation, and equal scores are the rule."""
    return rng.integers(-1, 2, shape).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(0, 9), st.integers(1, 60)),
    k=st.integers(1, 12),
    blocks=st.tuples(st.integers(1, 10), st.integers(1, 70)),
)
def test_the_lists_are_those_of_all_scores_at_once(
    seed: int, sizes: tuple[int, int], k: int, blocks: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    users, items = whole_numbers(rng, (sizes[0], 3)), whole_numbers(rng, (sizes[1], 3))
    exclude = [np.flatnonzero(line) for line in rng.random(sizes) < 0.3]
    found = list(rank_vectors(users, items, k, exclude=exclude, seed=seed, user_block=blocks[0], item_block=blocks[1]))
    wanted = top_k(users @ items.T, k, exclude=exclude, seed=seed)
    assert [len(lists.item_rows) for lists in found[:-1]] == [blocks[0]] * (len(found) - 1)
    assert [rows for lists in found for rows in lists.item_rows.tolist()] == wanted.item_rows.tolist()
    assert [rows for lists in found for rows in lists.scores.tolist()] == wanted.scores.tolist()


def test_double_precision_and_read_only_vectors_are_taken() -> None:
    rng = np.random.default_rng(0)
    users, items = rng.normal(size=(5, 4)), rng.normal(size=(40, 4))
    items.setflags(write=False)
    (found,) = rank_vectors(users.astype(np.float32), items.astype(np.float32), 3)
    assert found.item_rows.tolist() == np.argsort(-(users @ items.T), axis=1)[:, :3].tolist()


@pytest.mark.parametrize("kind", ["random", "all equal"])
def test_memory_stays_within_what_is_said(kind: str) -> None:
    rng = np.random.default_rng(0)
    n_users, n_items, k = 64, 100_000, 10
    items = rng.normal(size=(n_items, 4)).astype(np.float32) if kind == "random" else np.ones((n_items, 4), np.float32)
    users = np.ones((n_users, 4), np.float32) if kind == "all equal" else items[:n_users]
    tracemalloc.start()
    for _ in rank_vectors(users, items, k, user_block=32, item_block=2048, seed=77):
        pass
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All scores at once would be 25.6 MB, in blocks or not.
    a_score = 5 if kind == "random" else 100
    assert peak_bytes < 16 * n_items + a_score * 32 * 2048 + 32 * k * 150 + 300_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "k is 0, it must be at least 1"),
        ({"user_block": 0}, "user_block is 0"),
        ({"item_block": -1}, "item_block is -1"),
        ({"user_vectors": np.zeros((2, 4), np.float32)}, r"\(2, 4\) and \(5, 3\)"),
        ({"user_vectors": np.zeros(3, np.float32)}, r"\(3,\) and \(5, 3\)"),
        ({"exclude": [np.array([1])]}, "exclude names 1 users of 2"),
    ],
)
def test_what_cannot_be_ranked_is_refused_before_any_work(change: dict[str, Any], message: str) -> None:
    given_well: dict[str, Any] = {
        "user_vectors": np.zeros((2, 3), np.float32),
        "item_vectors": np.zeros((5, 3), np.float32),
        "k": 1,
    }
    with pytest.raises(ConfigError, match=message):
        rank_vectors(**(given_well | change))


def test_the_benchmark_ranks_rightly_and_says_how_it_grows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured_here(n_items: int, n_users: int, options: argparse.Namespace) -> benchmark.Run:
        return benchmark.measure(n_items, n_users, options.width)

    monkeypatch.setattr(benchmark, "measure_apart", measured_here)
    monkeypatch.setattr(sys, "argv", ["full_ranking.py", "--items", "4000", "--users", "64", "--width", "8"])
    benchmark.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(run["items"], run["users"]) for run in result["runs"]] == [
        *((1000, 8), (2000, 8), (4000, 8)),
        *((4000, 16), (4000, 32), (4000, 64)),
    ]
    assert result["lists_as_at_once"]
    assert set(result["exponents"]) == {"seconds_by_items", "seconds_by_users", "mib_by_items", "mib_by_users"}


def test_the_benchmark_fits_an_exponent() -> None:
    # y = 3 x^2, and no growth at all.
    assert benchmark.slope([(1, 3), (2, 12), (4, 48)]) == pytest.approx(2)
    assert benchmark.slope([(1, 5), (2, 5), (4, 5)]) == pytest.approx(0)
