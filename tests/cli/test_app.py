"""The command line as a whole: help, version, and what becomes of errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trifocal import __version__
from trifocal.cli import app as module
from trifocal.cli.app import app, main

VERBS = [
    ["shop", "generate"],
    ["data", "import"],
    ["data", "summary"],
    ["data", "split"],
    ["train"],
    ["distill"],
    ["evaluate"],
    ["compare"],
    ["bundle", "show"],
    ["bundle", "verify"],
    ["serve"],
    ["recommend"],
]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run `main` as the shell does; return the exit code."""
    monkeypatch.setattr(sys, "argv", ["trifocal", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_of_each_verb_shows_an_example_of_it(verb: list[str]) -> None:
    result = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Example" in result.stdout
    after = result.stdout.split("Example", 1)[1]
    assert f"trifocal {' '.join(verb)} " in after


def test_the_help_names_every_verb() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for verb in VERBS:
        assert verb[0] in result.stdout


def test_without_a_verb_the_help_is_shown() -> None:
    result = CliRunner().invoke(app, [])
    assert "Usage" in result.output
    assert result.exit_code != 1


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"trifocal {__version__}\n")


def test_an_expected_error_is_one_line_on_stderr_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, "train", str(tmp_path / "nothing"), str(tmp_path / "run"))
    output = capsys.readouterr()
    assert code == 1
    assert output.out == ""
    assert output.err.startswith(f"error: {tmp_path / 'nothing'} is no data set: dataset.json is missing; ")
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err


def test_a_misspelt_model_is_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, "train", str(tmp_path), str(tmp_path / "run"), "--models", "trifocal,texxt")
    error = capsys.readouterr().err
    assert code == 1
    assert error == "error: there is no model 'texxt'; choose among trifocal, text, image, ids\n"
    assert not (tmp_path / "run").exists()


def test_square_brackets_in_an_error_are_printed_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "[bold]" / "[" / "x]"
    assert run(monkeypatch, "train", str(folder), str(tmp_path / "run")) == 1
    assert capsys.readouterr().err.startswith(f"error: {folder} is no data set")


def test_evaluating_a_run_without_a_data_set_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "evaluate", str(tmp_path / "nothing"), str(tmp_path)) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_with_debug_the_traceback_is_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from trifocal.cli import main; main()", "--debug"]
    done = subprocess.run(
        [*command, "evaluate", str(tmp_path / "nothing"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "trifocal.errors.DataError: " in done.stderr


def test_an_unknown_option_ends_with_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "train", "--epoks", "3") == 2
    assert "--epoks" in capsys.readouterr().err


def test_ctrl_c_ends_with_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "app", interrupted)
    assert run(monkeypatch, "train") == 130
    assert "stopped" in capsys.readouterr().err


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from trifocal.cli.app import app\n"
        "print([name for name in ('torch', 'polars', 'matplotlib', 'transformers') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
