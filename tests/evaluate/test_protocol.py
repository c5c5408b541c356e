from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.toy import cases, falling, rising

from trifocal.errors import DataError
from trifocal.evaluate.latency import Latency, measure_latency
from trifocal.evaluate.protocol import CasesValidator, Result, evaluate, pool_seeds


def test_figures_by_hand() -> None:
    found = evaluate(rising(), cases())
    assert found.name == "rising"
    # u3 finds one of two among the first 20, both among 50.
    assert found.metrics["recall@20"].tolist() == [1, 1, 1, 0.5]
    assert found.metrics["recall@50"].tolist() == [1, 1, 1, 1]
    assert found.metrics["mrr"].tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert found.means["recall@20"] == pytest.approx(3.5 / 4)
    assert found.item_rows.shape == (4, 20)
    assert found.item_rows[0, :3].tolist() == [0, 1, 2]
    assert found.seconds > 0


@pytest.mark.parametrize("batch", [1, 3, 4, 100])
def test_the_batch_size_changes_nothing(batch: int) -> None:
    whole, parts = evaluate(falling(), cases()), evaluate(falling(), cases(), batch=batch)
    assert all((whole.metrics[name] == parts.metrics[name]).all() for name in whole.metrics)
    assert (whole.item_rows == parts.item_rows).all()


def test_the_validator_gives_the_means() -> None:
    assert CasesValidator(cases())(falling()) == evaluate(falling(), cases()).means


def test_latency_counts_its_answers() -> None:
    found = measure_latency(rising(), cases().requests, answers=30, warm_up=2)
    assert 0 < found.p50_ms <= found.p95_ms <= found.p99_ms
    assert found.answers == 30
    with pytest.raises(DataError, match="0 requests"):
        measure_latency(rising(), [])


def test_latency_is_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock that moves 2 ms at each look: an answer lies between two looks.
    looks = iter(np.arange(0, 10**9, 2_000_000).tolist())
    monkeypatch.setattr("time.perf_counter_ns", lambda: next(looks))
    found = measure_latency(rising(), cases().requests, answers=10, warm_up=1)
    assert (found.p50_ms, found.p99_ms) == (2.0, 2.0)


def seed(recall: list[float], *, seconds: float = 1.0, latency: Latency | None = None) -> Result:
    rows = np.full((len(recall), 2), int(seconds))
    return Result("model", {"recall@20": np.array(recall)}, rows, seconds, latency, train_seconds=10 * seconds)


def test_pooling_takes_the_mean_of_each_user_over_the_seeds() -> None:
    fast, slow = Latency(1, 2, 3, 10), Latency(3, 4, 5, 10)
    found = pool_seeds([seed([1, 0], latency=fast), seed([0.5, 1], seconds=3, latency=slow)])
    assert found.metrics["recall@20"].tolist() == [0.75, 0.5]
    assert found.seed_means == ({"recall@20": 0.5}, {"recall@20": 0.75})
    assert (found.seconds, found.train_seconds) == (2, 20)
    assert found.latency == Latency(2, 3, 4, 20)
    assert (found.item_rows == 1).all()
    assert pool_seeds([seed([1, 0])]).latency is None


def test_seeds_of_different_models_or_cases_are_not_pooled() -> None:
    with pytest.raises(DataError, match="0 results"):
        pool_seeds([])
    with pytest.raises(DataError, match="model on 1 users cannot be pooled with model on 2"):
        pool_seeds([seed([1, 0]), seed([1])])
    with pytest.raises(DataError, match="other on 2 users cannot be pooled with model on 2"):
        pool_seeds([seed([1, 0]), replace(seed([1, 0]), name="other")])
    with pytest.raises(DataError, match=r"has the metrics \[\], another \['recall@20'\]"):
        pool_seeds([seed([1, 0]), replace(seed([1, 0]), metrics={})])
