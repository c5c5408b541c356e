"""Speed, memory and load of serving, each figure beside its target. Goes on where it was stopped.

    python -m benchmarks.latency.main --data ./data
    python -m benchmarks.latency.main --only compare --force
    python -m benchmarks.latency.main --quick

Finished parts lie in `--out` as JSON and are not measured again, unless `--force` says so or the sizes differ. With
`--data` or `TRIFOCAL_DATA` the catalogue has the texts of `hm-week`, else generated ones. Publishes `latency.json` and
`latency.md` in `--publish`; `--quick` shows that everything works, on a small catalogue, and publishes nothing. Load
is sent to this machine alone. Prints the table, and one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.latency import catalogue, compare, encode, growth, mixed, served_quality
from benchmarks.latency.plan import CATALOGUE, FULL, QUICK, Setting, Sizes
from benchmarks.table.figures import Figure, Goal, Measured, figures_of, table_markdown
from benchmarks.table.store import stored_or, stored_part

from trifocal import __version__
from trifocal.errors import TrifocalError

__all__ = ["PARTS", "Part", "main"]


@dataclass(frozen=True)
class Part:
    """A part of the benchmark.

    Attributes:
        goals: what it promises.
        measure: how that is measured.
        sizes: names of the sizes that bear on it.
        serves_catalogue: the catalogue is made first.
    """

    name: str
    goals: Sequence[Goal]
    measure: Callable[[Setting], Measured]
    sizes: Sequence[str]
    serves_catalogue: bool = False


PARTS = (
    Part("catalogue", catalogue.GOALS, catalogue.measure, CATALOGUE),
    Part("compare", compare.GOALS, compare.measure, compare.SIZES, serves_catalogue=True),
    Part("growth", growth.GOALS, growth.measure, growth.SIZES),
    Part("encode", encode.GOALS, encode.measure, encode.SIZES),
    Part("quality", served_quality.GOALS, served_quality.measure, served_quality.SIZES),
    Part("mixed", mixed.GOALS, mixed.measure, mixed.SIZES, serves_catalogue=True),
)


def main() -> int:
    """Run the parts that are asked for; return the exit code."""
    options = _options()
    try:
        setting = _setting(options)
        run_parts(setting, options.only)
        _report(setting, options.publish)
    except TrifocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run_parts(setting: Setting, only: Sequence[str]) -> None:
    """Measure the parts in `only` (empty = all) that are not stored yet, and the catalogue where one serves it."""
    for part in PARTS:
        if only and part.name not in only:
            continue
        if part.serves_catalogue:
            _measured(PARTS[0], replace(setting, force=False))
        _measured(part, setting)


def stored_figures(setting: Setting) -> tuple[list[Figure], dict[str, object]]:
    """Return the lines of all parts, those not measured yet as missing, and part -> detail."""
    found = {part.name: stored_part(_path(part, setting), setting.key(part.sizes)) for part in PARTS}
    lines = [line for part in PARTS for line in figures_of(part.name, part.goals, found[part.name])]
    return lines, {name: measured.detail for name, measured in found.items() if measured is not None}


def _measured(part: Part, setting: Setting) -> Measured:
    return stored_or(_path(part, setting), setting.key(part.sizes), lambda: part.measure(setting), force=setting.force)


def _path(part: Part, setting: Setting) -> Path:
    return setting.out / f"{part.name}.json"


def _report(setting: Setting, publish: Path | None) -> None:
    figures, detail = stored_figures(setting)
    result = {"about": _about(setting), "figures": [figure.to_json() for figure in figures], "detail": detail}
    table = table_markdown(figures)
    if publish is not None:
        publish.mkdir(parents=True, exist_ok=True)
        (publish / "latency.md").write_text(table, encoding="utf-8")
        (publish / "latency.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table)
    print(json.dumps(result))


def _about(setting: Setting) -> dict[str, object]:
    return {
        **setting.key([field.name for field in fields(Sizes)]),
        "trifocal": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_1_minute": round(os.getloadavg()[0], 2),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _setting(options: argparse.Namespace) -> Setting:
    sizes, out = (QUICK, options.out / "quick") if options.quick else (FULL, options.out)
    changed = {"minutes": options.minutes, "rounds": options.rounds, "items": options.items}
    sizes = replace(sizes, **{name: value for name, value in changed.items() if value is not None})
    data = None if options.data is None else Path(options.data)
    if options.quick:
        options.publish = None
    return Setting(out.resolve(), sizes, data, options.force)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [part.name for part in PARTS]
    parser.add_argument("--only", action="append", choices=names, default=[], help="this part alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing published")
    parser.add_argument("--force", action="store_true", help="measure again what is stored")
    parser.add_argument("--data", default=os.environ.get("TRIFOCAL_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("runs/latency"), help="work in progress; default runs/latency")
    parser.add_argument("--publish", type=Path, default=Path("docs/results"), help="default docs/results")
    parser.add_argument("--minutes", type=float, help="of mixed load; default 10")
    parser.add_argument("--rounds", type=int, help="turns of the two services; default 5")
    parser.add_argument("--items", type=int, help="of the catalogue; default 100,000")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
