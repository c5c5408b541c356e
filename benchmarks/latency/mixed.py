"""Part `mixed`: minutes of recommendations, events, searches and new items at once; then four times too much.

The mixed load is a closed loop of a few clients. Overload is an open loop at a multiple of the capacity, which is the
throughput of a closed loop of many; what is accepted is timed from when it was due.
"""

from __future__ import annotations

import json
import shutil
import time
from urllib.parse import quote

import polars as pl
from benchmarks.latency.asks import Users, mixed_asks, trifocal_asks, upsert
from benchmarks.latency.catalogue import user_ids
from benchmarks.latency.load import LoadPlan, LoadResult, run_load
from benchmarks.latency.plan import CATALOGUE, Setting, Sizes
from benchmarks.latency.servers import Server, post_json, settle, trifocal_server
from benchmarks.table.figures import Goal, Measured, percentiles

from trifocal import columns as c

__all__ = ["GOALS", "SIZES", "measure", "mixed_figures", "overload_figures"]

GOALS = (
    Goal("errors under mixed load", "", 0.0),
    Goal("memory, end / after the first minute", "x", 1.05),
    Goal("p99 of accepted requests, overload / unloaded", "x", 3.0),
    Goal("new item found after its PUT", "s", 2.0),
)
SIZES = (*CATALOGUE, "warm_up", "requests", "minutes", "warm_up_s", "overload", "overload_s")
_CLIENTS = 4
_MOST = 1_000_000
_DISTINCT = 20_000
_CAPACITY_CLIENTS = 16
_OVERLOAD_CONNECTIONS = 512
_CREATED = (200, 201, 202, 204)
_FOUND_LIMIT_S = 10.0


def measure(setting: Setting) -> Measured:
    """Start Trifocal and put it under load."""
    events = setting.out / "mixed" / "events.sqlite"
    # Events and pictures of an earlier run would be read at the start.
    shutil.rmtree(events.parent, ignore_errors=True)
    events.parent.mkdir(parents=True)
    settle(setting.catalogue / "bundle", setting.out / "logs" / "mixed.log")
    with trifocal_server(setting.catalogue / "bundle", setting.out / "logs" / "mixed.log", events=events) as server:
        overload = _overloaded(server.address, setting.sizes)
        found_s, why_not = _new_item_s(server.address)
        mixed = _mixed(server, setting, upserts=found_s is not None)
    values = {**mixed.values, **overload.values}
    notes = {**mixed.notes, **overload.notes}
    if found_s is None:
        notes["new item found after its PUT"] = why_not
    else:
        values["new item found after its PUT"] = found_s
    return Measured(values, notes, {**mixed.units, **overload.units}, {**mixed.detail, **overload.detail})


def mixed_figures(result: LoadResult, before_mib: float, after_mib: float, minutes: float) -> Measured:
    """Return the figures of the mixed load."""
    p99 = {
        f"p99 of {kind} under mixed load": percentiles(result.accepted(kind)).p99
        for kind in result.latencies_ms
        if result.accepted(kind)
    }
    values = {
        "errors under mixed load": float(result.failed()),
        "memory, end / after the first minute": after_mib / before_mib,
        "requests under mixed load": float(sum(result.statuses().values())),
        "throughput under mixed load": result.throughput,
        **p99,
    }
    units = {"throughput under mixed load": "requests/s", **dict.fromkeys(p99, "ms")}
    kinds = ", ".join(result.latencies_ms)
    notes = {
        "errors under mixed load": f"{minutes:g} minutes, {_CLIENTS} clients: {kinds}; {result.statuses()}",
        "memory, end / after the first minute": f"{after_mib:,.0f} / {before_mib:,.0f} MiB",
    }
    return Measured(values, notes, units, {"mixed_statuses": result.statuses()})


def overload_figures(capacity: float, unloaded: LoadResult, loaded: LoadResult, offered: float) -> Measured:
    """Return the figures of the overload; without an accepted request its goal stays missing."""
    statuses = loaded.statuses()
    values = {"capacity": capacity, "offered under overload": offered}
    values["accepted under overload"] = loaded.throughput
    values["refused under overload (429)"] = float(statuses.get("429", 0))
    # A 429 is what is asked for; anything else that is no success is a fault.
    values["errors under overload"] = float(loaded.failed() - statuses.get("429", 0))
    units = dict.fromkeys(("capacity", "offered under overload", "accepted under overload"), "requests/s")
    notes = {}
    if loaded.accepted():
        p99, calm = percentiles(loaded.accepted()).p99, percentiles(unloaded.accepted()).p99
        values["p99 of accepted requests, overload / unloaded"] = p99 / calm
        notes["p99 of accepted requests, overload / unloaded"] = (
            f"{p99:.1f} / {calm:.1f} ms; {statuses}; rungs {loaded.rungs}"
        )
    return Measured(values, notes, units, {"overload_statuses": statuses})


def _overloaded(address: str, sizes: Sizes) -> Measured:
    users = Users(user_ids(sizes.users))
    run_load(_plan(address, users.take(sizes.warm_up), 1))
    unloaded = run_load(_plan(address, users.take(sizes.requests[0]), 1))
    many = min(_CAPACITY_CLIENTS, sizes.requests[0])
    capacity = run_load(_plan(address, users.take(sizes.requests[-1]), many)).throughput
    rate = capacity * sizes.overload
    asked = users.take(round(rate * sizes.overload_s))
    loaded = run_load(
        LoadPlan(address, trifocal_asks(asked), len(asked), _OVERLOAD_CONNECTIONS, rate, sizes.overload_s)
    )
    return overload_figures(capacity, unloaded, loaded, rate)


def _plan(address: str, asked: list[str], connections: int) -> LoadPlan:
    return LoadPlan(address, trifocal_asks(asked), len(asked), connections)


def _mixed(server: Server, setting: Setting, *, upserts: bool) -> Measured:
    items = pl.read_parquet(setting.catalogue / "dataset" / "items.parquet", columns=[c.ITEM_ID])[c.ITEM_ID].to_list()
    asks = mixed_asks(user_ids(setting.sizes.users), items, _DISTINCT, 0, upserts=upserts)
    seconds = setting.sizes.minutes * 60
    run_load(LoadPlan(server.address, asks, _MOST, _CLIENTS, seconds=setting.sizes.warm_up_s))
    before = server.memory().rss_mib
    result = run_load(LoadPlan(server.address, asks, _MOST, _CLIENTS, seconds=seconds))
    return mixed_figures(result, before, server.memory().rss_mib, setting.sizes.minutes)


def _new_item_s(address: str) -> tuple[float | None, str]:
    """Return seconds from the PUT of an item until a search finds it; or None and why it was not measured."""
    title = "Quetzal feather hammock"
    ask = upsert("latency-new-item", title)
    started = time.perf_counter()
    status, _ = post_json(address, ask.path, json.loads(ask.body), method="PUT")
    if status not in _CREATED:
        return None, f"PUT of an item is answered {status}: not there yet; no upserts in the mixed load either"
    while time.perf_counter() - started < _FOUND_LIMIT_S:
        _, answer = post_json(address, f"/v1/search?q={quote(title)}&k=10", None, method="GET")
        if "latency-new-item" in str(answer.get("items")):
            return time.perf_counter() - started, ""
        time.sleep(0.05)
    return _FOUND_LIMIT_S, ""
