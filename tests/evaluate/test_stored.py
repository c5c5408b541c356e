from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trifocal.errors import ArtifactError
from trifocal.evaluate.latency import Latency
from trifocal.evaluate.protocol import Result
from trifocal.evaluate.stored import load_result, save_result


def result() -> Result:
    return Result(
        "lightgcn",
        {"recall@20": np.array([1 / 3, 0.0]), "item_rows": np.array([0.1, 0.2])},
        np.array([[3, -1], [0, 7]]),
        2.5,
        Latency(0.1, 0.2, 0.3, 50),
        train_seconds=12.5,
        seed_means=({"recall@20": 0.1}, {"recall@20": 0.2}),
        parameters=1000,
        size_mb=0.25,
        version="2.1.0",
        settings={"factors": 64, "rate": 0.01, "loss": "bpr", "norm": None},
        tuning="20 trials, 94 s",
    )


def same(first: Result, second: Result) -> bool:
    plain = {name: value for name, value in vars(first).items() if name not in ("metrics", "item_rows")}
    assert first.metrics.keys() == second.metrics.keys()
    assert all((first.metrics[name] == second.metrics[name]).all() for name in first.metrics)
    assert (first.item_rows == second.item_rows).all()
    assert first.item_rows.dtype == second.item_rows.dtype
    return plain == {name: vars(second)[name] for name in plain}


def test_a_result_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    save_result(tmp_path / "results" / "lightgcn", result())
    assert same(load_result(tmp_path / "results" / "lightgcn"), result())
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["lightgcn"]


def test_a_result_without_extras_comes_back(tmp_path: Path) -> None:
    plain = Result("pop", {"mrr": np.zeros(1)}, np.zeros((1, 20), dtype=np.int64), 0.1)
    save_result(tmp_path / "pop", plain)
    assert same(load_result(tmp_path / "pop"), plain)


def test_a_newer_result_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    save_result(tmp_path / "model", Result("old", {}, np.zeros((1, 1), dtype=np.int64), 0.1))
    save_result(tmp_path / "model", result())
    assert load_result(tmp_path / "model").name == "lightgcn"


def test_a_result_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    bad = Result("bad", {}, np.zeros((1, 1), dtype=np.int64), 0.1, settings={"loss": {1, 2}})
    with pytest.raises(ArtifactError, match=r"settings of bad are .* give plain values"):
        save_result(tmp_path / "bad", bad)
    objects = Result("bad", {"recall@20": np.array([None])}, np.zeros((1, 1), dtype=np.int64), 0.1)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_result(tmp_path / "bad", objects)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"holds no result: .*result.json is missing"):
        load_result(tmp_path / "nothing")
    save_result(tmp_path / "model", result())
    about = tmp_path / "model" / "result.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"format": 99}))
    with pytest.raises(ArtifactError, match="not written in result format 1"):
        load_result(tmp_path / "model")
