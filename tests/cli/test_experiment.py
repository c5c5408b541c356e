"""`trifocal experiment`: planning, and the report of a store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.feedback.experiments.simulated import simulated_events
from typer.testing import CliRunner

from trifocal.cli.app import app
from trifocal.errors import ConfigError
from trifocal.feedback.sql import SqlEventStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "events.sqlite"
    opened = SqlEventStore(path)
    opened.append(simulated_events(250, {"control": 0.3, "candidate": 0.5}))
    opened.close()
    return path


def test_plan_says_shoppers_and_days() -> None:
    words = ["experiment", "plan", "--rate", ".1", "--lift", ".05", "--shoppers-per-day", "10000"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "113,024 shoppers, looked at once" in result.stdout
    assert "days at 10,000 shoppers a day" in result.stdout


def test_report_writes_the_page_and_says_the_verdict(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    words = ["experiment", "report", str(store), "--name", "ranker", "--shoppers", "300", "--out", str(out)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "candidate is better after 200 shoppers" in result.stdout
    assert "ranker" in out.read_text(encoding="utf-8")


def test_the_first_share_is_the_controls(store: Path, tmp_path: Path) -> None:
    shares = ["--share", "candidate=.5", "--share", "control=.5", "--shoppers", "300"]
    result = CliRunner().invoke(app, ["experiment", "report", str(store), *shares, "--out", str(tmp_path / "r.html")])
    assert "control is worse after 200 shoppers" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--share", "control"], "'control' is no share"),
        (["--metric", "joy"], "'joy' is unknown; known are ctr"),
        (["--since", "spring"], "'spring' is no day"),
        (["--since", "2100-01-01"], "the log names no variant"),
    ],
)
def test_what_cannot_be_is_refused(store: Path, words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CliRunner().invoke(app, ["experiment", "report", str(store), *words], catch_exceptions=False)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no file; name the store"):
        CliRunner().invoke(app, ["experiment", "report", str(tmp_path / "no.sqlite")], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
