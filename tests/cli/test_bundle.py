from __future__ import annotations

from pathlib import Path

import pytest
from tests.bundle.small_bundle import small_contents
from typer.testing import CliRunner

from trifocal.bundle import write_bundle
from trifocal.cli.app import app
from trifocal.errors import ArtifactError

RUNNER = CliRunner(env={"COLUMNS": "160"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(small_contents(), tmp_path / "bundle")
    return tmp_path / "bundle"


def test_show_prints_version_metrics_and_files(folder: Path) -> None:
    output = RUNNER.invoke(app, ["bundle", "show", str(folder)], catch_exceptions=False).output
    for text in ("nearest", "recall@20", "0.2500", "weights.safetensors", "items.parquet", "KiB", "12"):
        assert text in output


def test_verify_says_that_all_is_whole(folder: Path) -> None:
    output = RUNNER.invoke(app, ["bundle", "verify", str(folder)], catch_exceptions=False).output
    assert output.startswith("whole: 8 files, ")


def test_verify_names_the_damaged_file(folder: Path) -> None:
    (folder / "popularity.npy").write_bytes(b"x")
    with pytest.raises(ArtifactError, match=r"popularity.npy is damaged"):
        RUNNER.invoke(app, ["bundle", "verify", str(folder)], catch_exceptions=False)


def test_help_holds_examples() -> None:
    for verb in ("show", "verify"):
        assert f"trifocal bundle {verb} runs/" in RUNNER.invoke(app, ["bundle", verb, "--help"]).output
