"""A file of named changes -> what they set in the environment, every unknown setting told before any work starts.

```toml
"no contrastive loss" = { train.losses.contrastive = 0 }
"text only"           = { variant = "text" }
```
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trifocal.errors import ConfigError
from trifocal.settings import Settings, load_settings
from trifocal.train.pipeline import variant_config

__all__ = ["BASE", "Change", "read_changes", "settings_digest"]

BASE = "base"
_VARIANT = "variant"


@dataclass(frozen=True)
class Change:
    """One line of the table.

    Attributes:
        name: as it stands in the table.
        environment: `TRIFOCAL_<STAGE>__<KEY>` -> value, over the settings of the base.
        variant: what `trifocal train --models` trains.
    """

    name: str
    environment: Mapping[str, str]
    variant: str = "trifocal"


def read_changes(path: Path, config: Path, only: str | None = None) -> list[Change]:
    """Return the base, then the changes of the file at `path`, in its order.

    Args:
        path: of the file.
        config: settings of the base; each change is tried on them.
        only: regular expression that the names of the changes must hold; None = all.

    Raises:
        ConfigError: when there is no such file, it is no TOML, a change holds an unknown setting or a value out of
            bounds, alters nothing, or no name matches.
    """
    changes = [_change(name, told) for name, told in _told(path).items()]
    for change in changes:
        _check(change, config, path)
    chosen = [change for change in changes if only is None or re.search(only, change.name)]
    if not chosen:
        raise ConfigError(f"no change of {path} is called {only!r}; it has {', '.join(c.name for c in changes)}")
    return [Change(BASE, {}), *chosen]


def settings_digest(change: Change, config: Path, fingerprint: str) -> str:
    """Return a short hash of what decides on a training: the settings with `change`, and the split; not the seed."""
    settings = _resolved(change, config)
    told = settings.model_dump(mode="json", include={"features", "model", "train"})
    for section, key in (("train", "seed"), ("train", "device"), ("features", "device"), ("features", "batch_size")):
        told[section].pop(key)
    return hashlib.sha256(json.dumps([told, fingerprint], sort_keys=True).encode()).hexdigest()[:12]


def _told(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no file of changes {path}; write one, a named change a line") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error


def _change(name: str, told: object) -> Change:
    if name == BASE or not isinstance(told, dict):
        raise ConfigError(f"the change {name!r} is {told!r}; give a table of settings, and another name than {BASE!r}")
    settings = dict(told)
    variant = str(settings.pop(_VARIANT, "trifocal"))
    return Change(name, dict(_flat(settings, "TRIFOCAL")), variant)


def _flat(settings: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    """Keys of tables joined as `trifocal.settings` reads them from the environment; lists and numbers as JSON."""
    separator = "_" if prefix == "TRIFOCAL" else "__"
    for key, value in settings.items():
        name = f"{prefix}{separator}{key.upper()}"
        if isinstance(value, dict):
            yield from _flat(value, name)
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)


def _check(change: Change, config: Path, path: Path) -> None:
    sections = {f"TRIFOCAL_{name.upper()}" for name in Settings.model_fields}
    unknown = [name for name in change.environment if name.partition("__")[0] not in sections or "__" not in name]
    if unknown:
        raise ConfigError(
            f"the change {change.name!r} of {path} sets {', '.join(unknown)}, which is in no section; "
            f"the sections are {', '.join(Settings.model_fields)}"
        )
    variant_config(change.variant, load_settings(config).model)
    try:
        changed = _resolved(change, config)
    except ConfigError as error:
        raise ConfigError(f"the change {change.name!r} of {path} cannot be made: {error}") from error
    if changed == load_settings(config) and change.variant == "trifocal":
        raise ConfigError(f"the change {change.name!r} of {path} alters nothing: the base has these settings already")


def _resolved(change: Change, config: Path) -> Settings:
    with _environment(change.environment):
        return load_settings(config)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
