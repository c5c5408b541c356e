"""What the parts make of their measurements; no server is started."""

from __future__ import annotations

import json

import pytest
from benchmarks.latency import compare, growth, mixed
from benchmarks.latency.asks import MIXED_SHARES, Users, mixed_asks, trifocal_asks, upsert
from benchmarks.latency.compare import round_figures
from benchmarks.latency.encode import GOALS as ENCODE_GOALS
from benchmarks.latency.encode import encode_figures
from benchmarks.latency.growth import growth_figures
from benchmarks.latency.load import LoadResult
from benchmarks.latency.mixed import mixed_figures, overload_figures


def load(p50: float, throughput: float, failed: float = 0.0) -> dict[str, float]:
    return {
        "p50": p50,
        "p95": 2 * p50,
        "p99": 3 * p50,
        "throughput": throughput,
        "failed": failed,
        "whole": 1 - failed / 2,
    }


def one_round(ours: float, theirs: float, failed: float = 0.0) -> dict[str, dict[str, dict[str, float]]]:
    return {
        "trifocal": {
            "1": load(ours, 100.0),
            "16": load(ours, 400.0, failed),
            "server": {"rss_mib": 1024.0, "peak_mib": 2048.0},
        },
        "als": {"1": load(theirs, 100.0), "16": load(theirs, 100.0), "server": {"rss_mib": 512.0, "peak_mib": 512.0}},
    }


def test_the_comparison_names_every_goal_it_can_reach() -> None:
    values, units = round_figures([one_round(2.0, 4.0), one_round(9.0, 6.0), one_round(6.0, 8.0, 1.0)], (1, 16))
    assert values["p50 at 1 connection, Trifocal / ALS"] == 0.75
    assert values["p50 at 1 connection, Trifocal"] == 6.0
    assert values["throughput at 16 connections, Trifocal / ALS"] == 4.0
    assert values["memory, Trifocal"] == 1.0
    assert values["requests without a successful answer"] == 1.0
    assert values["share ranked by the whole model at 16 connections"] == 0.5
    assert units["p99 at 16 connections, ALS"] == "ms"
    measured_elsewhere = {"p50 of the load generator by itself / ALS"}
    assert {goal.name for goal in compare.GOALS} - set(values) == measured_elsewhere


def test_growth_compares_the_largest_with_the_smallest() -> None:
    sizes = {
        10_000: {"p50": 2.0, "p99": 3.0, "rss_mib": 512.0, "mapped_mib": 64.0, "start_s": 4.0},
        1_000_000: {"p50": 5.0, "p99": 9.0, "rss_mib": 2048.0, "mapped_mib": 1024.0, "start_s": 40.0},
    }
    measured = growth_figures(sizes)
    assert [measured.values[goal.name] for goal in growth.GOALS] == [2.5, 2.0]
    assert measured.values["time to be ready at 10,000 items"] == 4.0
    assert measured.values["of it pages of mapped files at 1,000,000 items"] == 1.0


def test_encoding_is_the_median_of_ratios_with_the_faster_of_both_loops() -> None:
    rounds = [
        {"trifocal": 30.0, "plain": 10.0, "plain-one-thread": 5.0},
        {"trifocal": 40.0, "plain": 15.0, "plain-one-thread": 20.0},
    ]
    measured = encode_figures(rounds, 60)
    assert measured.values[ENCODE_GOALS[0].name] == 2.5
    assert measured.values["items encoded a second, plain loop"] == 15.0


def result(**statuses: list[float]) -> LoadResult:
    return LoadResult(2.0, {"recommend": {name.removeprefix("s"): values for name, values in statuses.items()}})


def test_refusals_under_overload_are_no_errors_and_no_answers() -> None:
    measured = overload_figures(100.0, result(s200=[10.0]), result(s200=[25.0, 25.0], s429=[1.0], s500=[1.0]), 400.0)
    assert measured.values["p99 of accepted requests, overload / unloaded"] == 2.5
    assert measured.values["refused under overload (429)"] == 1.0
    assert measured.values["errors under overload"] == 1.0
    assert measured.values["accepted under overload"] == 1.0


def test_an_overload_that_nobody_survives_leaves_its_goal_missing() -> None:
    measured = overload_figures(100.0, result(s200=[10.0]), result(s429=[1.0]), 400.0)
    assert "p99 of accepted requests, overload / unloaded" not in measured.values


def test_mixed_load_counts_every_failure_and_the_growth_of_memory() -> None:
    measured = mixed_figures(result(s200=[1.0, 2.0], s503=[3.0]), 1000.0, 1040.0, 10.0)
    assert measured.values["errors under mixed load"] == 1.0
    assert measured.values["memory, end / after the first minute"] == pytest.approx(1.04)
    assert {goal.name for goal in mixed.GOALS[:2]} <= set(measured.values)


def test_no_user_is_handed_out_twice() -> None:
    users = Users(["a", "b", "c", "d"])
    assert (users.take(1), users.take(2), users.take(5), users.take(1)) == (["a"], ["b", "c"], ["d"], [])
    assert json.loads(trifocal_asks(["a"])[0].body) == {"user_id": "a", "k": 10}


def test_the_mix_has_its_shares_and_no_upserts_where_there_are_none() -> None:
    asks = mixed_asks(["u"], ["i"], 4_000, 0, upserts=True)
    shares = {kind: sum(ask.kind == kind for ask in asks) / len(asks) for kind in MIXED_SHARES}
    assert shares == pytest.approx(MIXED_SHARES, abs=0.03)
    assert "upsert" not in {ask.kind for ask in mixed_asks(["u"], ["i"], 500, 0, upserts=False)}
    assert upsert("a/b", "T").path == "/v1/items/a%2Fb"
