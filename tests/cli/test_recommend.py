from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.bundle.small_bundle import small_contents
from typer.testing import CliRunner

from trifocal.bundle import write_bundle
from trifocal.cli.app import app
from trifocal.errors import NotFoundError

RUNNER = CliRunner(env={"COLUMNS": "160"})


@pytest.fixture
def folder(tmp_path: Path) -> str:
    write_bundle(small_contents(), tmp_path / "bundle")
    return str(tmp_path / "bundle")


def test_tables_show_history_and_what_comes_next(folder: str) -> None:
    output = RUNNER.invoke(app, ["recommend", folder, "--user", "ann", "-k", "2"], catch_exceptions=False).output
    history, recommended = output.split("Recommended next")
    assert history.index("blue-dress") < history.index("red-dress")
    assert "green-dress" in recommended
    assert "100.00" in recommended


def test_json_is_one_object(folder: str) -> None:
    output = RUNNER.invoke(app, ["recommend", folder, "-u", "ann", "-k", "2", "--json"], catch_exceptions=False).output
    answer = json.loads(output)
    assert answer["user_id"] == "ann"
    assert answer["history"] == ["blue-dress", "red-dress"]
    assert sorted(item["item_id"] for item in answer["items"]) == ["black-dress", "green-dress"]
    assert answer["rung"] == "full"


def test_an_unknown_user_gets_a_hint(folder: str) -> None:
    with pytest.raises(NotFoundError, match=r"user 'zoe' has no liked event in this bundle; .* (ann, ben|ben, ann)"):
        RUNNER.invoke(app, ["recommend", folder, "--user", "zoe"], catch_exceptions=False)
