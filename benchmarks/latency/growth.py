"""Part `growth`: how the answer time and the memory of the server grow from 10 thousand to 1 million items.

The bundles are whole: network, evidence, memory, text vectors for search. Each is made once and kept.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.latency.asks import Users, trifocal_asks
from benchmarks.latency.catalogue import make_bundle
from benchmarks.latency.compare import closed_loop
from benchmarks.latency.plan import Setting, catalogue_sizes
from benchmarks.latency.servers import settle, trifocal_server
from benchmarks.table.figures import Goal, Measured
from benchmarks.table.store import stored_or

__all__ = ["GOALS", "SIZES", "growth_figures", "measure"]

_SIZE_SIZES = ("text_width", "rank_candidates", "memory_items", "memory_links", "warm_up", "growth_requests")
SIZES = (*_SIZE_SIZES, "growth")
GOALS = (
    Goal("p50, largest / smallest catalogue", "x", 3.0),
    Goal("memory at the largest catalogue", "GiB", 3.0),
)


def measure(setting: Setting) -> Measured:
    """Measure every size that is not stored yet."""
    found: dict[int, dict[str, float]] = {}
    for items in setting.sizes.growth:
        path = setting.out / "growth" / f"items-{items}.json"
        measured = stored_or(path, setting.key(_SIZE_SIZES), partial(_size, setting, items), force=setting.force)
        found[items] = dict(measured.values)
        print(f"growth: {items:,} items", flush=True)
    return growth_figures(found)


def growth_figures(found: dict[int, dict[str, float]]) -> Measured:
    """Return the figures of `found`: items -> p50, p99, rss_mib, peak_mib, mapped_mib, start_s."""
    smallest, largest = min(found), max(found)
    values = {
        "p50, largest / smallest catalogue": found[largest]["p50"] / found[smallest]["p50"],
        "memory at the largest catalogue": found[largest]["rss_mib"] / 1024,
    }
    units: dict[str, str] = {}
    for items, figures in found.items():
        for key, unit, scale in _SHOWN:
            name = f"{_NAMES[key]} at {items:,} items"
            values[name], units[name] = figures[key] / scale, unit
    notes = {"p50, largest / smallest catalogue": f"{largest:,} / {smallest:,} items"}
    notes["memory at the largest catalogue"] = f"{largest:,} items, resident after the load"
    return Measured(values, notes, units, {str(items): figures for items, figures in found.items()})


_NAMES = {
    "p50": "p50",
    "p99": "p99",
    "rss_mib": "memory",
    "mapped_mib": "of it pages of mapped files",
    "start_s": "time to be ready",
}
_SHOWN = (
    ("p50", "ms", 1),
    ("p99", "ms", 1),
    ("rss_mib", "GiB", 1024),
    ("mapped_mib", "GiB", 1024),
    ("start_s", "s", 1),
)


def _size(setting: Setting, items: int) -> Measured:
    sizes = catalogue_sizes(setting.sizes, items)
    folder = setting.out / "growth" / f"items-{items}"
    users = Users(make_bundle(sizes, folder, force=setting.force))
    settle(folder / "bundle", _log(setting.out, items))
    with trifocal_server(folder / "bundle", _log(setting.out, items)) as server:
        closed_loop(server.address, trifocal_asks(users.take(sizes.warm_up)), 1)
        found = closed_loop(server.address, trifocal_asks(users.take(sizes.growth_requests)), 1)
        return Measured({**found, **asdict(server.memory()), "start_s": server.start_s})


def _log(out: Path, items: int) -> Path:
    return out / "logs" / f"growth-{items}.log"
