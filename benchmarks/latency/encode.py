"""Part `encode`: items that Trifocal encodes in a second, against a plain loop over sentence-transformers, in turn."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.latency.plan import ROOT, Setting
from benchmarks.table.figures import Goal, Measured, median_ratio
from benchmarks.table.store import stored_or

from trifocal.data.shop import generate_shop
from trifocal.data.shop.config import ShopConfig
from trifocal.errors import ServingError

__all__ = ["GOALS", "SIZES", "encode_figures", "measure"]

GOALS = (Goal("items encoded a second, Trifocal / plain loop", "x", 2.0, "at least"),)
_ROUND_SIZES = ("encoded",)
SIZES = (*_ROUND_SIZES, "encode_rounds")
_LEAST_PRODUCTS = 60
# Way -> threads of a matrix product, 0 = one a core. Torch takes all cores for a single text; where others want
# them too it waits for its own threads, and is slower than with one: the faster of both loops counts.
_WAYS = {"trifocal": 0, "plain": 0, "plain-one-thread": 1}


def measure(setting: Setting) -> Measured:
    """Measure all rounds that are not stored yet."""
    shop = setting.out / "encode" / "shop"
    if not (shop / "dataset.json").is_file():
        generate_shop(shop, ShopConfig(products=max(setting.sizes.encoded, _LEAST_PRODUCTS), shoppers=10))
    rounds = []
    for number in range(setting.sizes.encode_rounds):
        path = setting.out / "encode" / f"round-{number + 1}.json"
        measured = stored_or(
            path, setting.key(_ROUND_SIZES), partial(_round, shop, setting.sizes.encoded, number), force=setting.force
        )
        rounds.append(dict(measured.values))
        print(f"encode: round {number + 1} of {setting.sizes.encode_rounds}", flush=True)
    return encode_figures(rounds, setting.sizes.encoded)


def encode_figures(rounds: list[dict[str, float]], items: int) -> Measured:
    """Return the figures of `rounds`: items a second of each way."""
    ours = [each["trifocal"] for each in rounds]
    theirs = [max(each["plain"], each["plain-one-thread"]) for each in rounds]
    names = ("items encoded a second, Trifocal", "items encoded a second, plain loop")
    values = dict(zip(names, map(statistics.median, (ours, theirs)), strict=True))
    values[GOALS[0].name] = median_ratio(ours, theirs)
    note = f"{items} items of the sample shop, text and picture; the loop: SentenceTransformer.encode item by item, "
    note += "then the same image network in torch picture by picture, one thread or one a core, whichever is faster"
    return Measured(values, {GOALS[0].name: note}, dict.fromkeys(names, "items/s"), {"rounds": rounds})


def _round(shop: Path, items: int, number: int) -> Measured:
    order = list(_WAYS) if number % 2 == 0 else reversed(_WAYS)
    return Measured({way: _items_a_second(way, shop, items) for way in order})


def _items_a_second(way: str, shop: Path, items: int) -> float:
    # Set in any case: what limits the threads of a server has no place here.
    threads = str(_WAYS[way] or os.cpu_count())
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    command = [
        sys.executable,
        "-m",
        "benchmarks.latency.encode_worker",
        way.split("-")[0],
        str(shop),
        "--items",
        str(items),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode:
        raise ServingError(f"`{' '.join(command)}` ended with exit code {done.returncode}; what it printed says why")
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["items"]) / float(found["seconds"])
