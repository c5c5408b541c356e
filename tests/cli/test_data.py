"""`trifocal data` from end to end: tables on stdout, one-line errors, and the examples of the help."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trifocal.cli import main
from trifocal.cli.app import app

MAP = """
[items]
file = "products.csv"
columns = { item_id = "sku", title = "name", image = "photo" }
[events]
file = "log.jsonl"
columns = { user_id = "who", item_id = "sku", event = "did" }
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "products.csv").write_text("sku,name,photo\n1,Bag,none.jpg\n2,Hat,\n")
    (folder / "log.jsonl").write_text('{"who": "u", "sku": 1, "did": "click"}\n{"who": "u", "sku": 9}\n')
    (folder / "map.toml").write_text(MAP)
    return folder


def test_imports_by_map_and_shows_the_summary(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    runner = CliRunner(env={"COLUMNS": "100"})
    result = runner.invoke(app, ["data", "import", str(source), str(out), "--map", str(source / "map.toml")])
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.replace("│", " ").split()) for line in result.stdout.splitlines()]
    assert "items 2 2" in lines
    assert "events 2 1" in lines
    assert "items missing_picture, kept 1" in lines
    assert "events unknown_item, dropped 1" in lines
    result = runner.invoke(app, ["data", "summary", str(out)])
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.replace("│", " ").split()) for line in result.stdout.splitlines()]
    assert lines[0] == "export"
    assert "without image 2" in lines
    assert "click 1" in lines
    assert "density 50.0000%" in lines
    assert "time span (UTC) unknown" in lines
    assert "events unknown_item, dropped 1" in lines


def test_pictures_and_name_can_be_given(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    arguments = ["data", "import", str(source), str(out), "--map", str(source / "map.toml")]
    result = CliRunner().invoke(app, [*arguments, "--images", str(tmp_path), "--name", "my-shop"])
    assert result.exit_code == 0, result.output
    about = (out / "dataset.json").read_text()
    assert '"my-shop"' in about
    assert f'"{tmp_path.resolve()}"' in about


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ([], "error: {source} has no layout that the reader 'auto' knows"),
        (["--map", "{source}/map.toml", "--format", "hm"], "error: --map and --format hm exclude each other"),
        (["--map", "{source}/none.toml"], "error: the column map {source}/none.toml does not exist"),
    ],
)
def test_errors_are_one_line(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: list[str],
    message: str,
) -> None:
    arguments = ["data", "import", str(source), str(tmp_path / "out"), *(part.format(source=source) for part in extra)]
    monkeypatch.setattr(sys, "argv", ["trifocal", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith(message.format(source=source))
    assert "\n" not in error


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["data", "summary", str(tmp_path)])
    assert result.exit_code == 1
    assert "is no data set" in str(result.exception)


@pytest.mark.parametrize("verb", ["import", "summary"])
def test_help_holds_examples(verb: str) -> None:
    result = CliRunner().invoke(app, ["data", verb, "--help"])
    assert result.exit_code == 0
    assert f"trifocal data {verb} ./" in result.stdout
