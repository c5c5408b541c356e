from __future__ import annotations

import pytest
from tests.evaluate.toy import N_ITEMS, SPLIT, cases, falling, rising

from trifocal.errors import DataError
from trifocal.evaluate.comparison import Comparison, compare, evaluate_all
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import evaluate

CONFIG = EvaluateConfig(bootstrap_samples=200, latency_requests=10)


def comparison() -> Comparison:
    results = evaluate_all([rising(), falling()], cases(), CONFIG, {"rising": 1.5})
    return compare(results, cases(), dataset="toy", split=SPLIT, part="test", candidates=N_ITEMS, config=CONFIG)


def test_every_model_has_its_row() -> None:
    found = comparison()
    assert [model.name for model in found.models] == ["rising", "falling"]
    first, second = found.models
    assert first.metrics["recall@20"].mean == pytest.approx(3.5 / 4)
    # Only item 20 of u3 lies in the first 20: 1/2 of one user of four.
    assert second.metrics["recall@20"].mean == pytest.approx(1 / 8)
    assert first.metrics["recall@20"].low <= first.metrics["recall@20"].mean <= first.metrics["recall@20"].high
    # Everybody gets the same 20 of 25 items.
    assert first.coverage == pytest.approx(0.8)
    assert (first.train_seconds, second.train_seconds) == (1.5, None)
    assert first.latency is not None
    assert list(first.metrics)[:3] == ["recall@20", "ndcg@10", "map@20"]
    assert "mrr" in first.metrics
    assert found.best("recall@20") == "rising"


def test_the_first_is_compared_with_each_other() -> None:
    gap = comparison().differences["recall@20"]["falling"]
    assert gap.mean == pytest.approx(3 / 4)
    assert gap.relative == pytest.approx(6.0)


def test_slices_by_history_length() -> None:
    slices = comparison().slices["recall@20"]
    assert [(s.label, s.users) for s in slices] == [("0", 1), ("1–2", 1), ("3–5", 1), ("11+", 1)]
    assert slices[-1].means == (0.5, 0.5)
    assert slices[0].means == (1.0, 0.0)


def test_results_that_do_not_belong_together_are_refused() -> None:
    twice = [evaluate(rising(), cases()), evaluate(rising(), cases())]
    with pytest.raises(DataError, match=r"named \['rising', 'rising'\]"):
        compare(twice, cases(), dataset="toy", split=SPLIT, part="test", candidates=N_ITEMS)
    with pytest.raises(DataError, match="rising is about 4 users, the cases about 2"):
        compare(twice[:1], cases().sample(2), dataset="toy", split=SPLIT, part="test", candidates=N_ITEMS)


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="bootstrap_sample"):
        EvaluateConfig.model_validate({"bootstrap_sample": 10})
