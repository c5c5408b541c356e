"""Full ranking of generated vectors: seconds and peak memory by items and by users, and how they grow.

Every size runs in a process of its own, whose peak memory the system reports: with the vectors, the lists of all users
(50 places) and 20 items left out for each user. At each size the lists of a few users are compared with `top_k` on all
their scores at once. Prints a table, the growth exponents (slope in log-log), and one JSON object on the last line.

    python benchmarks/scale/full_ranking.py --items 1000000 --users 100000
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

LIMIT_MIB = 4096
K = 50
LEFT_OUT = 20
CHECKED_USERS = 4
# The items grow at this share of the users, so that most of the time goes to the largest run.
SHARE_OF_USERS = 8


@dataclass(frozen=True)
class Run:
    """What one process measured; `cpu_seconds` of all its threads."""

    items: int
    users: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    lists_as_at_once: bool


def measure(n_items: int, n_users: int, width: int) -> Run:
    """Rank every item for every user, in this process."""
    import numpy as np

    from trifocal.evaluate.full_ranking import rank_vectors
    from trifocal.ranking import top_k

    rng = np.random.default_rng(0)
    items = rng.standard_normal((n_items, width), dtype=np.float32)
    users = rng.standard_normal((n_users, width), dtype=np.float32)
    exclude = list(rng.integers(0, n_items, (n_users, LEFT_OUT)))
    started, cpu_started = time.perf_counter(), time.process_time()
    blocks = list(rank_vectors(users, items, K, exclude=exclude))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wanted = top_k(users[:CHECKED_USERS] @ items.T, K, exclude=exclude[:CHECKED_USERS])
    # The scores are compared, not the rows: two that differ by rounding alone may change places.
    right = np.allclose(blocks[0].scores[:CHECKED_USERS], wanted.scores, rtol=1e-5)
    return Run(n_items, n_users, seconds, cpu_seconds, peak_mib, bool(right))


def measure_apart(n_items: int, n_users: int, options: argparse.Namespace) -> Run:
    """Run `measure` in a child process."""
    threads = str(options.threads)
    environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    sizes = ["--child", "--items", str(n_items), "--users", str(n_users), "--width", str(options.width)]
    command = [sys.executable, __file__, *sizes]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    run = Run(**json.loads(done.stdout))
    per_score_ns = run.seconds / (n_items * n_users) * 1e9
    figures = f"{run.seconds:>12.2f}{run.cpu_seconds:>12.2f}{per_score_ns:>12.2f}{run.peak_mib:>12,.0f}"
    print(f"{n_items:>12,}{n_users:>12,}{figures}", flush=True)
    return run


def rounded(run: Run) -> dict[str, float | bool]:
    """Return the figures of `run` as they are shown."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(run).items()}


def slope(points: Iterable[tuple[float, float]]) -> float:
    """Return the exponent p of y = c x^p, by least squares in log-log.

    >>> round(slope([(1, 3), (2, 12), (4, 48)]), 6)
    2.0
    """
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    exponent: float = sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)
    return exponent


def thirds(largest: int) -> list[int]:
    """Return a quarter, half and all of `largest`."""
    return [max(largest // 4, 1), max(largest // 2, 1), largest]


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000, help="of the largest run, at least 4")
    parser.add_argument("--users", type=int, default=100_000, help="of the largest run, at least 32")
    parser.add_argument("--width", type=int, default=32, help="D, size of a vector")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the matrix product")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure three sizes in items and three in users, print the table and the JSON line."""
    options = parsed()
    if options.child:
        print(json.dumps(asdict(measure(options.items, options.users, options.width))))
        return
    print(f"{'items':>12}{'users':>12}{'seconds':>12}{'CPU s':>12}{'ns a score':>12}{'peak MiB':>12}")
    few_users = max(options.users // SHARE_OF_USERS, 1)
    by_items = [measure_apart(n_items, few_users, options) for n_items in thirds(options.items)]
    by_users = [measure_apart(options.items, n_users, options) for n_users in thirds(options.users)]
    exponents = {
        "seconds_by_items": slope((run.items, run.seconds) for run in by_items),
        "seconds_by_users": slope((run.users, run.seconds) for run in by_users),
        "mib_by_items": slope((run.items, run.peak_mib) for run in by_items),
        "mib_by_users": slope((run.users, run.peak_mib) for run in by_users),
    }
    for name, exponent in exponents.items():
        print(f"{name.replace('_', ' '):<24}exponent {exponent:.2f}")
    runs = by_items + by_users
    result = {
        "width": options.width,
        "k": K,
        "threads": options.threads,
        "runs": [rounded(run) for run in runs],
        "exponents": {name: round(exponent, 3) for name, exponent in exponents.items()},
        "limit_mib": LIMIT_MIB,
        "within_limit": all(run.peak_mib <= LIMIT_MIB for run in runs),
        "lists_as_at_once": all(run.lists_as_at_once for run in runs),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
