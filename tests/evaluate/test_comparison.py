from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.toy import N_ITEMS, SPLIT, cases, falling, rising

from trifocal.errors import DataError
from trifocal.evaluate.comparison import Comparison, compare, evaluate_all
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.facts import ItemFacts
from trifocal.evaluate.protocol import evaluate
from trifocal.types import FloatArray

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


def facts(vectors: FloatArray | None = None, train_users: int = 8) -> ItemFacts:
    there = np.ones(N_ITEMS, dtype=np.bool_)
    counts = np.full(N_ITEMS, min(train_users, 2), dtype=np.int64)
    return ItemFacts(counts, train_users, ("A",) * N_ITEMS, there, there, vectors, None)


def with_facts(known: ItemFacts) -> Comparison:
    results = [evaluate(rising(), cases()), evaluate(falling(), cases())]
    return compare(
        results, cases(), dataset="toy", split=SPLIT, part="test", candidates=N_ITEMS, config=CONFIG, facts=known
    )


def test_lists_have_their_figures() -> None:
    # Each item in one of five directions, each direction four times among any 20 items in a row.
    first, _ = with_facts(facts(np.eye(5, dtype=np.float32)[np.arange(N_ITEMS) % 5])).models
    # 5 items never shown, 20 shown 4 times: sum of 2 i - 26 over i = 6 .. 25 is 100; 100 * 4 / (24 * 80).
    assert first.gini == pytest.approx(100 * 4 / (24 * 80))
    # 2 of 8 users have any item.
    assert first.novelty == pytest.approx(2)
    # Of 190 pairs, 5 * 6 have one direction.
    assert first.diversity_text == pytest.approx(160 / 190)
    assert first.diversity_image is None
    assert with_facts(facts(np.zeros((N_ITEMS, 3), dtype=np.float32))).models[0].diversity_text is None
    assert with_facts(facts(train_users=0)).models[0].novelty is None
    assert comparison().models[0].novelty is None


def test_facts_bring_slices_by_item() -> None:
    found = with_facts(facts())
    assert {each.group for each in found.slices["ndcg@10"]} == {"history", "warmth", "popularity", "category"}
    assert {each.group for each in comparison().slices["ndcg@10"]} == {"history"}


def test_costs_and_seeds_are_taken_along() -> None:
    result = replace(
        evaluate(rising(), cases()),
        parameters=7, size_mb=0.5, version="1.2", settings={"a": 1}, tuning="2 trials", seed_means=({"mrr": 0.1},),
    )  # fmt: skip
    (found,) = compare([result], cases(), dataset="toy", split=SPLIT, part="test", candidates=N_ITEMS).models
    assert (found.parameters, found.size_mb, found.version, found.tuning) == (7, 0.5, "1.2", "2 trials")
    assert (found.settings, found.seed_means) == ({"a": 1}, ({"mrr": 0.1},))


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
