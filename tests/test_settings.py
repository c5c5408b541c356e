from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from trifocal.errors import ConfigError
from trifocal.settings import Settings, load_settings

DEFAULT = Path(__file__).parents[1] / "configs" / "default.toml"


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRIFOCAL_")]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def keys_of(model: BaseModel, prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for name in type(model).model_fields:
        value = getattr(model, name)
        keys |= keys_of(value, f"{prefix}{name}.") if isinstance(value, BaseModel) else {prefix + name}
    return keys


def keys_in(table: dict[str, object], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for name, value in table.items():
        keys |= keys_in(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return keys


def test_the_default_file_names_every_key() -> None:
    assert keys_in(tomllib.loads(DEFAULT.read_text(encoding="utf-8"))) == keys_of(Settings())


def test_the_default_file_holds_the_defaults() -> None:
    assert load_settings(DEFAULT).model_dump() == Settings().model_dump()


def test_the_default_file_explains_every_line() -> None:
    lines = [line for line in DEFAULT.read_text(encoding="utf-8").splitlines() if line]
    assert [line for line in lines if "#" not in line] == []


def test_every_shipped_settings_file_can_be_loaded() -> None:
    for path in sorted(DEFAULT.parent.glob("*.toml")):
        load_settings(path)


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "[train]\nepochs = 2\n[train.losses]\nbpr = 0.5\n"))
    assert (settings.train.epochs, settings.train.losses.bpr) == (2, 0.5)
    assert (settings.train.patience, settings.train.losses.softmax) == (3, 1.0)


def test_every_unknown_key_and_every_bad_value_is_in_one_error(tmp_path: Path) -> None:
    text = "[train]\nepoks = 3\nlearning_rate = -1\n[modell]\ndropout = 1\n[features]\ndevice = 'tpu'\n"
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    message = str(caught.value)
    assert "settings.toml holds settings that cannot be used" in message
    assert "train.epoks: Extra inputs are not permitted (got 3)" in message
    assert "train.learning_rate: Input should be greater than 0 (got -1)" in message
    assert "modell: Extra inputs are not permitted" in message
    assert "features.device: Input should be 'cpu' or 'cuda' (got 'tpu')" in message
    assert "\n" not in message


def test_the_environment_stands_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIFOCAL_TRAIN__EPOCHS", "5")
    monkeypatch.setenv("TRIFOCAL_TRAIN__LOSSES__BPR", "0")
    settings = load_settings(write(tmp_path, "[train]\nepochs = 2\npatience = 7\n"))
    assert (settings.train.epochs, settings.train.patience, settings.train.losses.bpr) == (5, 7, 0.0)


def test_a_bad_value_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIFOCAL_TRAIN__EPOKS", "5")
    with pytest.raises(ConfigError, match=r"the environment holds .*train\.epoks: Extra inputs are not permitted"):
        load_settings()


def test_a_variable_of_another_purpose_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIFOCAL_DATA", "somewhere")
    assert load_settings().model_dump() == Settings().model_dump()


def test_a_missing_file_and_a_file_that_is_no_toml_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no settings file .*none\.toml; see configs/default\.toml"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"settings\.toml is no TOML: "):
        load_settings(write(tmp_path, "[train"))


def test_settings_cannot_be_changed_once_loaded() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().train.epochs = 3


def test_keys_come_from_the_environment_and_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIFOCAL_SERVE__ACCESS__KEYS", '[{"key": "secret-of-the-shop", "scope": "write"}]')
    (key,) = load_settings().serve.access.keys
    assert (key.key.get_secret_value(), key.scope) == ("secret-of-the-shop", "write")
    monkeypatch.setenv("TRIFOCAL_SERVE__ACCESS__KEYS", '[{"key": "secret-of-the-shop", "scop": "write"}]')
    with pytest.raises(ConfigError, match=r"serve\.access\.keys\.0\.scop: Extra inputs") as caught:
        load_settings()
    assert "secret" not in str(caught.value)
