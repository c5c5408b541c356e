"""Part `compare`: Trifocal and the service that one would write instead, in turn, round by round.

Each round starts both services anew, one after the other, the first one changing; each is asked by 1, 4, 16 and 64
clients. A ratio is the median over the rounds of the ratios within a round. Rounds are stored one by one.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.latency.asks import K, Users, als_asks, trifocal_asks
from benchmarks.latency.catalogue import user_ids
from benchmarks.latency.load import Ask, LoadPlan, run_load
from benchmarks.latency.plan import CATALOGUE, Setting, Sizes
from benchmarks.latency.servers import Server, als_server, post_json, settle, started, trifocal_server
from benchmarks.table.figures import Goal, Measured, median_ratio, percentiles
from benchmarks.table.store import stored_or

from trifocal.errors import ServingError

__all__ = ["GOALS", "SIZES", "closed_loop", "measure", "round_figures", "stages"]

# Service -> connections -> figure -> value.
Round = Mapping[str, Mapping[str, Mapping[str, float]]]

_OURS, _THEIRS = "trifocal", "als"
_FIGURES = {"p50": "ms", "p95": "ms", "p99": "ms", "throughput": "requests/s"}
_ROUND_SIZES = (*CATALOGUE, "warm_up", "connections", "requests")
SIZES = (*_ROUND_SIZES, "rounds")
# The rungs on which the whole model answers, retrieval and ranker.
_WHOLE = ("full", "model")
_STAGE_REQUESTS = 200
_ECHO_REQUESTS = 2000

GOALS = (
    Goal("p50 at 1 connection, Trifocal / ALS", "x", 1.0),
    Goal("p99 at 1 connection, Trifocal / ALS", "x", 1.0),
    Goal("throughput at 16 connections, Trifocal / ALS", "x", 2.0, "at least"),
    Goal("share ranked by the whole model at 1 connection", "", 0.99, "at least"),
    Goal("share ranked by the whole model at 16 connections", "", 0.99, "at least"),
    Goal("p50 at 1 connection, Trifocal", "ms", 5.0),
    Goal("memory, Trifocal", "GiB", 1.5),
    Goal("requests without a successful answer", "", 0.0),
    Goal("p50 of the load generator by itself / ALS", "x", 0.1),
)


def measure(setting: Setting) -> Measured:
    """Measure all rounds that are not stored yet, and what they come to."""
    folder = setting.out / "compare"
    settle(setting.catalogue / "bundle", setting.out / "logs" / "trifocal.log")
    rounds: list[Round] = []
    for number in range(setting.sizes.rounds):
        path = folder / f"round-{number + 1}.json"
        measured = stored_or(path, setting.key(_ROUND_SIZES), partial(_round, setting, number), force=setting.force)
        rounds.append(measured.detail["round"])  # type: ignore[arg-type]  # as _round wrote it
        print(f"compare: round {number + 1} of {setting.sizes.rounds}", flush=True)
    values, units = round_figures(rounds, setting.sizes.connections)
    stage_ms = _stages(setting)
    values |= {f"p50 of stage {name}": value for name, value in stage_ms.items()}
    units |= dict.fromkeys((f"p50 of stage {name}" for name in stage_ms), "ms")
    echo_ms = _echo_p50(setting.out)
    values["p50 of the load generator by itself / ALS"] = echo_ms / values["p50 at 1 connection, ALS"]
    notes = {"p50 at 1 connection, Trifocal": "stretch", "memory, Trifocal": "resident after the load, greatest round"}
    return Measured(values, notes, units, {"rounds": rounds, "load_generator_p50_ms": echo_ms})


def round_figures(rounds: Sequence[Round], connections: Sequence[int]) -> tuple[dict[str, float], dict[str, str]]:
    """Return figure -> value, and figure -> unit: medians over the rounds, and medians of the ratios."""
    values: dict[str, float] = {}
    units: dict[str, str] = {}
    for count in connections:
        ending = f"at {count} connection{'s' if count > 1 else ''}"
        for figure, unit in _FIGURES.items():
            ours, theirs = ([each[name][str(count)][figure] for each in rounds] for name in (_OURS, _THEIRS))
            named = {"Trifocal / ALS": median_ratio(ours, theirs), "Trifocal": statistics.median(ours)}
            named["ALS"] = statistics.median(theirs)
            values |= {f"{figure} {ending}, {who}": value for who, value in named.items()}
            units |= {f"{figure} {ending}, {who}": "x" if "/" in who else unit for who in named}
        # An answer of a cheaper rung is no answer to compare.
        values[f"share ranked by the whole model {ending}"] = min(each[_OURS][str(count)]["whole"] for each in rounds)
    for name, label in ((_OURS, "Trifocal"), (_THEIRS, "ALS")):
        for key, memory in (("rss_mib", "memory"), ("peak_mib", "greatest memory so far")):
            values[f"{memory}, {label}"] = max(each[name]["server"][key] for each in rounds) / 1024
            units[f"{memory}, {label}"] = "GiB"
    loads = [load for each in rounds for service in each.values() for load in service.values()]
    values["requests without a successful answer"] = sum(load.get("failed", 0.0) for load in loads)
    return values, units


def closed_loop(address: str, asks: Sequence[Ask], connections: int) -> dict[str, float]:
    """Return percentiles, throughput, failures and share of whole answers of `asks`, each sent once."""
    result = run_load(LoadPlan(address, asks, len(asks), connections))
    accepted = result.accepted()
    if not accepted:
        raise ServingError(f"none of {len(asks)} requests to {address} was answered by a success: {result.statuses()}")
    found = asdict(percentiles(accepted))
    whole = sum(result.rungs.get(rung, 0) for rung in _WHOLE) / len(accepted)
    return {**found, "throughput": result.throughput, "failed": float(result.failed()), "whole": whole}


def _round(setting: Setting, number: int) -> Measured:
    turns = {_OURS: partial(_turn, _trifocal(setting), trifocal_asks), _THEIRS: partial(_turn, _als(setting), als_asks)}
    order = list(turns) if number % 2 == 0 else list(reversed(turns))
    return Measured({}, detail={"round": {name: turns[name](setting.sizes) for name in order}})


def _turn(
    server: Callable[[], AbstractContextManager[Server]], asks: Callable[[Sequence[str]], list[Ask]], sizes: Sizes
) -> dict[str, dict[str, float]]:
    """Start a service, ask it by so many clients after another, and return figures and memory."""
    users = Users(user_ids(sizes.users))
    found: dict[str, dict[str, float]] = {}
    with server() as running:
        for connections, count in zip(sizes.connections, sizes.requests, strict=True):
            closed_loop(running.address, asks(users.take(sizes.warm_up)), connections)
            found[str(connections)] = closed_loop(running.address, asks(users.take(count)), connections)
        found["server"] = {**asdict(running.memory()), "start_s": running.start_s}
    return found


def stages(address: str, user_ids: Sequence[str]) -> dict[str, float]:
    """Return the p50 of each stage in ms, as the answers tell them.

    Raises:
        ServingError: when a request fails or the model did not answer it: its speed would be another's.
    """
    answers: list[Mapping[str, float]] = []
    for user_id in user_ids:
        status, answer = post_json(address, "/v1/recommend", {"user_id": user_id, "k": K, "timings": True})
        if status != 200 or answer.get("rung") not in _WHOLE:
            raise ServingError(
                f"the request of {user_id} was answered {status} by rung {answer.get('rung')!r}, not by the model"
            )
        answers.append(answer["stages_ms"])  # type: ignore[arg-type]  # the API's
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {name: float(np.median([answer.get(name, 0.0) for answer in answers])) for name in names}


def _stages(setting: Setting) -> dict[str, float]:
    users = Users(user_ids(setting.sizes.users))
    with _trifocal(setting)() as server:
        closed_loop(server.address, trifocal_asks(users.take(setting.sizes.warm_up)), 1)
        return stages(server.address, users.take(min(_STAGE_REQUESTS, setting.sizes.requests[0])))


def _echo_p50(out: Path) -> float:
    with started([sys.executable, "-m", "benchmarks.latency.echo"], out / "logs" / "echo.log") as server:
        asks = als_asks(["user"] * _ECHO_REQUESTS)
        return closed_loop(server.address, asks, 1)["p50"]


def _trifocal(setting: Setting) -> Callable[[], AbstractContextManager[Server]]:
    return partial(trifocal_server, setting.catalogue / "bundle", setting.out / "logs" / "trifocal.log")


def _als(setting: Setting) -> Callable[[], AbstractContextManager[Server]]:
    return partial(als_server, setting.catalogue / "als", setting.out / "logs" / "als.log")
