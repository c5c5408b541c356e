from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.explain.plan import QUICK, Setting
from benchmarks.explain.search import GOALS, measure, written_queries


def test_fifty_queries_half_of_them_held_out() -> None:
    queries = written_queries()
    assert len({query.text for query in queries}) == len(queries) == 50
    assert [query.half for query in queries].count("held") == 25
    assert all(query.types for query in queries)


def test_the_quick_run_measures_every_goal(tmp_path: Path) -> None:
    found = measure(Setting(tmp_path, QUICK))
    assert {goal.name for goal in GOALS} <= set(found.values)
    assert len(found.detail) == QUICK.queries
    assert 0 < found.values["nDCG@10 of trifocal"] <= 1
    assert found.values["nDCG@10 of BM25"] == pytest.approx(found.values["nDCG@10 of BM25, held-out half"])
