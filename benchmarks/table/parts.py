"""The parts of a benchmark: measured one by one, stored, and shown as one table beside their targets."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from benchmarks.table.figures import Figure, Goal, Measured, figures_of, table_markdown
from benchmarks.table.store import stored_or, stored_part

from trifocal import __version__

__all__ = ["Part", "PartSetting", "measured_part", "measured_parts", "report", "stored_figures"]


class PartSetting(Protocol):
    """Where a benchmark works and how large it is."""

    @property
    def out(self) -> Path:
        """Folder of the work in progress."""
        ...

    @property
    def force(self) -> bool:
        """Measure again what is stored."""
        ...

    def key(self, names: Sequence[str]) -> dict[str, object]:
        """Return what a stored figure must have been measured with: the sizes `names`."""
        ...


_Setting = TypeVar("_Setting", bound=PartSetting)


@dataclass(frozen=True)
class Part(Generic[_Setting]):
    """A part of a benchmark.

    Attributes:
        goals: what it promises.
        measure: how that is measured.
        sizes: names of the sizes that bear on it.
    """

    name: str
    goals: Sequence[Goal]
    measure: Callable[[_Setting], Measured]
    sizes: Sequence[str]


def measured_part(part: Part[_Setting], setting: _Setting) -> Measured:
    """Return what is stored of `part`; else measure it."""
    path = _path(part, setting)
    return stored_or(path, setting.key(part.sizes), lambda: part.measure(setting), force=setting.force)


def measured_parts(parts: Sequence[Part[_Setting]], setting: _Setting, only: Sequence[str]) -> None:
    """Measure those of `parts` in `only` (empty = all) that are not stored yet, and say on the way which."""
    for part in parts:
        if not only or part.name in only:
            print(f"{part.name} ...", file=sys.stderr, flush=True)
            measured_part(part, setting)


def stored_figures(parts: Sequence[Part[_Setting]], setting: _Setting) -> tuple[list[Figure], dict[str, object]]:
    """Return the lines of all parts, those not measured yet as missing, and part -> detail."""
    found = {part.name: stored_part(_path(part, setting), setting.key(part.sizes)) for part in parts}
    lines = [line for part in parts for line in figures_of(part.name, part.goals, found[part.name])]
    return lines, {name: measured.detail for name, measured in found.items() if measured is not None}


def report(
    name: str, parts: Sequence[Part[_Setting]], setting: _Setting, sizes: Sequence[str], publish: Path | None
) -> None:
    """Print the table, and one JSON object on the last line; write both to `publish` as `name`.md and `name`.json."""
    figures, detail = stored_figures(parts, setting)
    result = {
        "about": {**setting.key(sizes), **_machine()},
        "figures": [figure.to_json() for figure in figures],
        "detail": detail,
    }
    table = table_markdown(figures)
    if publish is not None:
        publish.mkdir(parents=True, exist_ok=True)
        (publish / f"{name}.md").write_text(table, encoding="utf-8")
        (publish / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table)
    print(json.dumps(result))


def _path(part: Part[_Setting], setting: _Setting) -> Path:
    return setting.out / f"{part.name}.json"


def _machine() -> dict[str, object]:
    return {
        "trifocal": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_1_minute": round(os.getloadavg()[0], 2),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
