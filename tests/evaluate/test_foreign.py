from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.evaluate.toy import N_ITEMS, cases

from trifocal.errors import ArtifactError
from trifocal.evaluate.foreign import foreign_failures, foreign_result, foreign_results
from trifocal.types import Vocabulary

VOCABULARY = Vocabulary.of([f"i{n}" for n in range(N_ITEMS)])
ABOUT = {"name": "rival", "version": "1.2", "train_seconds": 3, "recommend_seconds": 2, "settings": {"factors": 8}}


def write(folder: Path, rows: list[tuple[str, str, int]]) -> Path:
    folder.mkdir(parents=True)
    pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row").write_parquet(folder / "rankings.parquet")
    (folder / "about.json").write_text(json.dumps(ABOUT))
    return folder


def test_rankings_become_a_result_in_the_order_of_the_users(tmp_path: Path) -> None:
    # u3 wants i3 and i20: found at place 2 of 2 kept. u0 wants i0, at place 1. u1 and u2 have no list.
    rows = [("u3", "i5", 1), ("u3", "i3", 2), ("u3", "i20", 3), ("u0", "i0", 1), ("other", "i1", 1)]
    result = foreign_result(write(tmp_path / "rival", rows), cases(), VOCABULARY, 2)
    assert result.item_rows.tolist() == [[0, -1], [-1, -1], [-1, -1], [5, 3]]
    assert result.metrics["mrr"].tolist() == [1, 0, 0, 0.5]
    assert (result.name, result.version, result.train_seconds, result.seconds) == ("rival", "1.2", 3.0, 2.0)
    assert result.settings == {"factors": 8}


def test_failures_stand_beside_results(tmp_path: Path) -> None:
    write(tmp_path / "rival", [("u0", "i0", 1)])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "error.txt").write_text("it did not install\n")
    assert [result.name for result in foreign_results(tmp_path, cases(), VOCABULARY, 20)] == ["rival"]
    assert foreign_failures(tmp_path) == (("broken", "it did not install"),)


def test_rankings_that_break_the_rules_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"rankings\.parquet is missing; run the rival again"):
        foreign_result(tmp_path, cases(), VOCABULARY, 5)
    with pytest.raises(ArtifactError, match="ranks item 'zz', which the catalogue lacks"):
        foreign_result(write(tmp_path / "a", [("u0", "zz", 1)]), cases(), VOCABULARY, 5)
    asked = cases()
    barred = replace(asked, requests=tuple(replace(request, exclude=np.array([7])) for request in asked.requests))
    with pytest.raises(ArtifactError, match="ranks 'i7' for user 'u0', whose request excludes it"):
        foreign_result(write(tmp_path / "b", [("u0", "i7", 1)]), barred, VOCABULARY, 5)
