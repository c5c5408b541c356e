from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.evaluate.toy import N_ITEMS, SPLIT, cases, falling, rising

from trifocal.evaluate.comparison import Comparison, compare, evaluate_all
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import evaluate
from trifocal.evaluate.results import results_json, results_markdown, seed_spread
from trifocal.evaluate.satisfaction import HitSatisfaction
from trifocal.evaluate.significance import Interval

CONFIG = EvaluateConfig(bootstrap_samples=200, latency_requests=10)


def comparison() -> Comparison:
    rival = replace(
        evaluate(falling(), cases()), version="2.1", settings={"factors": 64}, tuning="20 trials, 9 s",
        seed_means=({"recall@20": 0.1}, {"recall@20": 0.2}), parameters=10, size_mb=0.25,
    )  # fmt: skip
    results = [*evaluate_all([rising()], cases(), CONFIG, {"rising": 1234.5}), rival]
    found = compare(results, cases(), dataset="shop", split=SPLIT, part="test", candidates=N_ITEMS, config=CONFIG)
    return replace(found, seeds=(0, 1), notes=("published settings",), failures=(("cornac", "no wheel"),))


def test_json_holds_everything_as_plain_values() -> None:
    found = json.loads(json.dumps(results_json(comparison()), allow_nan=False))
    assert list(found) == [
        "split", "fingerprint", "seeds", "dataset", "part", "note", "users", "candidates", "models", "differences",
        "slices", "failures",
    ]  # fmt: skip
    assert found["seeds"] == [0, 1]
    assert found["note"] == "made up; published settings"
    assert found["failures"] == {"cornac": "no wheel"}
    row = found["models"]["falling"]
    assert row["recall@20"]["mean"] == 0.125
    assert row["recall@20"]["low"] <= 0.125 <= row["recall@20"]["high"]
    assert {"recall@10", "recall@20", "recall@50", "ndcg@10", "ndcg@20", "map@20", "mrr"} <= set(row)
    assert (row["coverage@20"], row["novelty@20"], row["parameters"], row["size_mb"]) == (0.8, None, 10, 0.25)
    assert row["seed_means"] == [{"recall@20": 0.1}, {"recall@20": 0.2}]
    assert (row["version"], row["settings"], row["tuning"]) == ("2.1", {"factors": 64}, "20 trials, 9 s")
    assert row["latency_ms"] is None
    assert found["models"]["rising"]["latency_p99_ms"] > 0


def test_json_holds_differences_and_slices() -> None:
    found = results_json(comparison())
    differences, slices = found["differences"], found["slices"]
    assert isinstance(differences, dict)
    gap = differences["recall@20"]["falling"]
    assert set(gap) == {"mean", "low", "high", "relative", "p", "p_holm"}
    assert (gap["mean"], gap["relative"]) == (0.75, 6.0)
    assert isinstance(slices, list)
    assert slices[0] == {
        "metric": "recall@20", "group": "history", "label": "0", "users": 1, "means": {"rising": 1.0, "falling": 0.0}
    }  # fmt: skip


def test_no_ratio_to_nothing_is_null() -> None:
    nothing = replace(evaluate(falling(), cases().sample(1)), name="nothing")
    found = compare(
        [evaluate(rising(), cases().sample(1)), nothing],
        cases().sample(1), dataset="shop", split=SPLIT, part="test", candidates=N_ITEMS,
    )  # fmt: skip
    differences = results_json(found)["differences"]
    assert isinstance(differences, dict)
    assert differences["map@20"]["nothing"]["relative"] is None


def test_satisfaction_stands_where_it_was_measured() -> None:
    hit = HitSatisfaction("rising", Interval(0.5, 0.4, 0.6), 3, 4, 2)
    none = HitSatisfaction("falling", None, 0, 4, 2)
    found = results_json(replace(comparison(), satisfaction=(hit, none)))["satisfaction"]
    assert isinstance(found, list)
    assert found[0]["satisfaction"] == {"mean": 0.5, "low": 0.4, "high": 0.6}
    assert (found[1]["satisfaction"], found[1]["sessions"]) == (None, 4)


def test_the_markdown_table_has_the_best_in_bold_and_says_what_it_rests_on() -> None:
    given = comparison()
    gap = given.differences["recall@20"]["falling"]
    given.differences["recall@20"]["falling"] = replace(gap, p=0.001, corrected=0.03)
    lines = results_markdown(given).splitlines()
    assert lines[0] == "| Model | Recall@20 | nDCG@10 | Coverage@20 | p50 ms | Train s |"
    assert lines[1].count("|") == lines[0].count("|")
    assert lines[2].startswith("| rising | **0.8750** (0.")
    assert lines[2].endswith("| 1,234.5 |")
    assert lines[3].startswith("| falling\\* | 0.1250 (0.")
    assert lines[3].endswith("| – | – |")
    assert lines[5].startswith(
        "shop, split toy, test: 4 users, full ranking of 25 items, mean of 2 training seeds; in brackets"
    )
    assert "`0123456789ab`" in lines[5]


def test_the_spread_needs_two_seeds() -> None:
    rising_row, falling_row = comparison().models
    # Half of 0.1, times the root of 2.
    assert seed_spread(falling_row, "recall@20") == pytest.approx(0.05 * 2**0.5)
    assert seed_spread(rising_row, "recall@20") is None
