"""Import of a big event CSV with bad rows of every kind planted: seconds, peak memory, and is every bad row found?

The file is made in a temporary folder from a seed, the import runs in a process of its own, whose peak memory the
system reports. Prints a table, and one JSON object on the last line.

    python benchmarks/scale/import_events.py --rows 1000000 --bad 0.01
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ITEMS = 10_000
USERS = 100_000
HEADER = "visitor,sku,action,at,device,seconds,query"
COLUMN_MAP = """
[items]
file = "items.csv"
columns = { item_id = "sku", title = "name" }
[events]
file = "events.csv"
[events.columns]
user_id = "visitor"
item_id = "sku"
event = "action"
timestamp = "at"
device = "device"
dwell_ms = "seconds"
query = "query"
[events.values]
view = "click"
buy = "purchase"
"""
# Runs in the child: the import, its seconds, and the counts by reason.
CHILD = """
import json, sys, time
from pathlib import Path
from trifocal.data.column_map import load_column_map
from trifocal.data.importing import import_dataset
folder = Path(sys.argv[1])
started = time.perf_counter()
summary = import_dataset(load_column_map(folder / "map.toml"), folder, folder / "out")
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "kept": summary.events_kept, "rejects": summary.rejects["events"]}))
"""


def good_fields(random_source: random.Random, row: int) -> list[str]:
    """Return the fields of a row that is fine; some hold a quoted comma or line break."""
    query = random_source.choice(["", "", "shoe", '"red, long"', '"say ""hi"""'])
    if random_source.random() < 0.001:
        query = '"two\nlines"'
    return [
        f"u{random_source.randrange(USERS)}",
        f"i{random_source.randrange(ITEMS)}",
        random_source.choice(["view", "buy", "cart"]),
        str(1_600_000_000 + row),
        random_source.choice(["phone", "desktop"]),
        str(random_source.randrange(100_000)),
        query,
    ]


def bad_line(random_source: random.Random, row: int) -> tuple[str, str]:
    """Return a faulty line and the entry "reason, action" that it must get."""
    fields = good_fields(random_source, row)
    fields[6] = "shoe"
    kind = random_source.randrange(9)
    match kind:
        case 0:
            return ",".join(fields[:5]), "malformed_row, dropped"
        case 1:
            return ",".join([*fields, "more", "fields"]), "malformed_row, dropped"
        case 2:
            # A stray quote must cost this line only.
            fields[1] = '"' + fields[1]
            return ",".join(fields), "malformed_row, dropped"
        case 3:
            fields[0] = " "
            reason = "missing_id, dropped"
        case 4:
            fields[1] = ""
            reason = "missing_id, dropped"
        case 5:
            fields[1] = "no-such-item"
            reason = "unknown_item, dropped"
        case 6:
            fields[2] = "teleport"
            reason = "unknown_event, dropped"
        case 7:
            fields[3] = random_source.choice(["yesterday", "2020-02-30", "9e99", "32503680000"])
            reason = "unreadable_time, dropped"
        case _:
            fields[5] = "soon"
            reason = "unreadable_number, kept"
    return ",".join(fields), reason


def write_source(folder: Path, rows: int, bad: float, seed: int) -> Counter[str]:
    """Write items, events and column map into `folder`; return what was planted, by "reason, action"."""
    random_source = random.Random(seed)
    items = "".join(f"i{item},Item {item}\n" for item in range(ITEMS))
    (folder / "items.csv").write_text("sku,name\n" + items, encoding="utf-8")
    (folder / "map.toml").write_text(COLUMN_MAP, encoding="utf-8")
    planted: Counter[str] = Counter()
    faulty = set(random_source.sample(range(rows), round(rows * bad)))
    with (folder / "events.csv").open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for row in range(rows):
            if row in faulty:
                line, reason = bad_line(random_source, row)
                planted[reason] += 1
            else:
                line = ",".join(good_fields(random_source, row))
            file.write(line + "\n")
    return planted


def run_import(folder: Path) -> dict[str, float | dict[str, int]]:
    """Import `folder` in a child process; return its figures and peak memory in MiB."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=True)
    whole = time.perf_counter() - started
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    figures: dict[str, float | dict[str, int]] = json.loads(done.stdout.splitlines()[-1])
    return figures | {"process_seconds": whole, "peak_mib": peak_kib / 1024}


def main() -> None:
    """Make the file, import it, print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bad", type=float, default=0.01, help="share of bad rows, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planted = write_source(folder, options.rows, options.bad, options.seed)
        size_mib = (folder / "events.csv").stat().st_size / 2**20
        figures = run_import(folder)
    rejects = figures["rejects"]
    found = Counter(rejects) if isinstance(rejects, dict) else Counter()
    print(f"{'reason, what became of the row':<34}{'planted':>10}{'rejected':>10}")
    for reason in sorted(planted | found):
        print(f"{reason:<34}{planted[reason]:>10,}{found[reason]:>10,}")
    result = {
        "rows": options.rows,
        "file_mib": round(size_mib, 1),
        "seconds": round(float(str(figures["seconds"])), 2),
        "process_seconds": round(float(str(figures["process_seconds"])), 2),
        "peak_mib": round(float(str(figures["peak_mib"]))),
        "planted": planted.total(),
        "rejected": found.total(),
        "kept": figures["kept"],
        "every_bad_row_found": found == planted,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
