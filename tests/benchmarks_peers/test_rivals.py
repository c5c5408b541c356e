"""Calling rivals: one that works, one that fails, one that is done already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from benchmarks.peers import rivals
from benchmarks.peers.rivals import MODELS, RivalOutcome, run_rivals

from trifocal.errors import ConfigError
from trifocal.types import Vocabulary

VOCABULARY = Vocabulary.of(["a", "b", "c"])


def write_rankings(folder: Path, rows: Sequence[tuple[str, str, int]]) -> None:
    folder.mkdir(parents=True)
    pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row").write_parquet(folder / "rankings.parquet")
    (folder / "about.json").write_text(json.dumps({"version": "9.9"}), encoding="utf-8")


def test_an_unknown_rival_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no rival elliot; choose among rectools"):
        run_rivals(tmp_path, tmp_path, names=["elliot"])


def test_a_rival_that_is_done_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rankings(tmp_path / "lenskit-als", [("u", "a", 1)])
    monkeypatch.setattr(rivals, "_call", pytest.fail)
    assert run_rivals(tmp_path, tmp_path, names=["lenskit"]) == [
        RivalOutcome("lenskit-als", tmp_path / "lenskit-als", "9.9", None)
    ]


def test_a_failure_is_kept_and_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(command: list[str], limit_s: int) -> str | None:
        del limit_s
        if "benchmarks.peers.rectools.run" in command:
            return "ImportError: no such thing"
        write_rankings(tmp_path / "lenskit-als", [("u", "a", 1)])
        return None

    monkeypatch.setattr(rivals, "_call", call)
    monkeypatch.setattr(rivals, "_make_environment", lambda rival: None)
    failed, done = run_rivals(tmp_path, tmp_path, names=["rectools", "lenskit"])
    assert failed == RivalOutcome("rectools-sasrec", None, None, "ImportError: no such thing")
    assert (tmp_path / "rectools" / "error.txt").read_text(encoding="utf-8") == "ImportError: no such thing\n"
    assert (done.version, done.error) == ("9.9", None)


def test_a_command_gives_the_last_lines_of_its_stderr() -> None:
    assert rivals._call(["true"], 10) is None
    assert rivals._call(["sh", "-c", "echo first >&2; echo last >&2; exit 3"], 10) == "first\nlast"
    assert rivals._call(["sh", "-c", "exit 3"], 10) == "exit code 3 without a message: sh -c exit 3"
    assert rivals._call(["sleep", "5"], 1) == "stopped after 1 s: sleep 5"


@pytest.mark.parametrize("rival", MODELS)
def test_every_rival_has_its_code_and_every_version_pinned(rival: str) -> None:
    folder = Path(rivals.__file__).parent / rival
    assert (folder / "run.py").is_file()
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert all("==" in line for line in lines)
    assert not [line for line in lines if "nvidia" in line or "cuda" in line]
