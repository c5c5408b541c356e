"""What explanations, search and the audit promise, each figure beside its target. Goes on where it was stopped.

    python -m benchmarks.explain.main --data ./data
    python -m benchmarks.explain.main --only search --force
    python -m benchmarks.explain.main --quick

Finished parts lie in `--out` as JSON and are not measured again, unless `--force` says so or the sizes differ. With
`--data` or `TRIFOCAL_DATA` everything is measured on the fashion data `hm-week`, else on a generated shop. Publishes
`explain.json` and `explain.md` in `--publish`; `--quick` shows that everything works, on a small shop, and publishes
nothing. Load is sent to this machine alone. Prints the table, and one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path

from benchmarks.explain import audit, faithfulness, latency, search
from benchmarks.explain.plan import FULL, QUICK, Setting, Sizes
from benchmarks.table.parts import Part, measured_parts, report

from trifocal.errors import TrifocalError

__all__ = ["PARTS", "main"]

PARTS = (
    Part[Setting]("faithfulness", faithfulness.GOALS, faithfulness.measure, faithfulness.SIZES),
    Part[Setting]("latency", latency.GOALS, latency.measure, latency.SIZES),
    Part[Setting]("audit", audit.GOALS, audit.measure, audit.SIZES),
    Part[Setting]("search", search.GOALS, search.measure, search.SIZES),
)


def main() -> int:
    """Run the parts that are asked for; return the exit code."""
    options = _options()
    try:
        setting = _setting(options)
        measured_parts(PARTS, setting, options.only)
        publish = None if options.quick else options.publish
        report("explain", PARTS, setting, [field.name for field in fields(Sizes)], publish)
    except TrifocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _setting(options: argparse.Namespace) -> Setting:
    out = options.out / "quick" if options.quick else options.out
    data = None if options.data is None or options.quick else Path(options.data).resolve()
    out.mkdir(parents=True, exist_ok=True)
    return Setting(out.resolve(), QUICK if options.quick else FULL, data, options.force)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [part.name for part in PARTS]
    parser.add_argument("--only", action="append", choices=names, default=[], help="this part alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing published")
    parser.add_argument("--force", action="store_true", help="measure again what is stored")
    parser.add_argument("--data", default=os.environ.get("TRIFOCAL_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("runs/explain"), help="work in progress; default runs/explain")
    parser.add_argument("--publish", type=Path, default=Path("docs/results"), help="default docs/results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
