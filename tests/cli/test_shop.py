"""`trifocal shop generate`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from trifocal.cli.app import app
from trifocal.data.dataset import read_dataset
from trifocal.errors import ConfigError

_SMALL = ["--products", "60", "--shoppers", "20"]


def test_generate_writes_a_data_set_and_prints_its_counts(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["shop", "generate", str(tmp_path / "shop"), *_SMALL, "--visual-signal", "0"])
    assert result.exit_code == 0, result.output
    assert "Sample shop in" in result.stdout
    assert "items without description" in result.stdout
    assert read_dataset(tmp_path / "shop").items.height == 60


def test_a_full_folder_is_refused_without_force(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not empty; name another folder, or write into it with --force"):
        CliRunner().invoke(app, ["shop", "generate", str(tmp_path), *_SMALL], catch_exceptions=False)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
    result = CliRunner().invoke(app, ["shop", "generate", str(tmp_path), *_SMALL, "--force"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file; name a folder"):
        CliRunner().invoke(app, ["shop", "generate", str(tmp_path / "file")], catch_exceptions=False)


def test_settings_out_of_bounds_are_all_named(tmp_path: Path) -> None:
    options = ["--products", "3", "--visual-signal", "9"]
    with pytest.raises(ConfigError, match=r"products = 3: .*60; visual_signal = 9\.0: .*2"):
        CliRunner().invoke(app, ["shop", "generate", str(tmp_path / "shop"), *options], catch_exceptions=False)
    assert not (tmp_path / "shop").exists()


def test_help_shows_examples() -> None:
    result = CliRunner().invoke(app, ["shop", "generate", "--help"])
    assert result.exit_code == 0
    assert "trifocal shop generate runs/shop" in result.stdout
