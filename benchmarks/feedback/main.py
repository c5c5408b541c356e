"""What the feedback loop promises, each figure beside its target. Goes on where it was stopped.

    python -m benchmarks.feedback.main
    python -m benchmarks.feedback.main --only durability --force
    python -m benchmarks.feedback.main --quick

Finished parts lie in `--out` as JSON and are not measured again, unless `--force` says so or the sizes differ. The
sample shop and its bundle are made there once. Publishes `feedback.json` and `feedback.md` in `--publish`; `--quick`
shows that everything works, on a small shop, and publishes nothing. Load is sent to this machine alone. Prints the
table, and one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from benchmarks.feedback import anomalies, durability, live_shop, off_policy, peeking, update
from benchmarks.feedback.plan import FULL, QUICK, Setting, Sizes
from benchmarks.table.parts import Part, measured_parts, report

from trifocal.errors import TrifocalError

__all__ = ["PARTS", "main"]

PARTS = (
    Part[Setting]("durability", durability.GOALS, durability.measure, durability.SIZES),
    Part[Setting]("anomalies", anomalies.GOALS, anomalies.measure, anomalies.SIZES),
    Part[Setting]("peeking", peeking.GOALS, peeking.measure, peeking.SIZES),
    Part[Setting]("off-policy", off_policy.GOALS, off_policy.measure, off_policy.SIZES),
    Part[Setting]("live shop", live_shop.GOALS, live_shop.measure, live_shop.SIZES),
    Part[Setting]("update", update.GOALS, update.measure, update.SIZES),
)


def main() -> int:
    """Run the parts that are asked for; return the exit code."""
    options = _options()
    out = options.out / "quick" if options.quick else options.out
    setting = Setting(out.resolve(), QUICK if options.quick else FULL, options.force)
    try:
        measured_parts(PARTS, setting, options.only)
        publish = None if options.quick else options.publish
        report("feedback", PARTS, setting, [field.name for field in fields(Sizes)], publish)
    except TrifocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [part.name for part in PARTS]
    parser.add_argument("--only", action="append", choices=names, default=[], help="this part alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing published")
    parser.add_argument("--force", action="store_true", help="measure again what is stored")
    parser.add_argument("--out", type=Path, default=Path("runs/feedback"), help="work in progress")
    parser.add_argument("--publish", type=Path, default=Path("docs/results"), help="default docs/results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
