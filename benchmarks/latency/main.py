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
import os
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from benchmarks.latency import catalogue, compare, encode, growth, mixed, served_quality
from benchmarks.latency.plan import CATALOGUE, FULL, QUICK, Setting, Sizes
from benchmarks.table.parts import Part, measured_part, report

from trifocal.errors import TrifocalError

__all__ = ["PARTS", "main", "run_parts"]


PARTS = (
    Part[Setting]("catalogue", catalogue.GOALS, catalogue.measure, CATALOGUE),
    Part[Setting]("compare", compare.GOALS, compare.measure, compare.SIZES),
    Part[Setting]("growth", growth.GOALS, growth.measure, growth.SIZES),
    Part[Setting]("encode", encode.GOALS, encode.measure, encode.SIZES),
    Part[Setting]("quality", served_quality.GOALS, served_quality.measure, served_quality.SIZES),
    Part[Setting]("mixed", mixed.GOALS, mixed.measure, mixed.SIZES),
)
# The catalogue is made before these.
_SERVE_CATALOGUE = ("compare", "mixed")


def main() -> int:
    """Run the parts that are asked for; return the exit code."""
    options = _options()
    try:
        setting = _setting(options)
        run_parts(setting, options.only)
        report("latency", PARTS, setting, [field.name for field in fields(Sizes)], options.publish)
    except TrifocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run_parts(setting: Setting, only: Sequence[str]) -> None:
    """Measure the parts in `only` (empty = all) that are not stored yet, and the catalogue where one serves it."""
    for part in PARTS:
        if only and part.name not in only:
            continue
        if part.name in _SERVE_CATALOGUE:
            measured_part(PARTS[0], replace(setting, force=False))
        measured_part(part, setting)


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
