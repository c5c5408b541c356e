"""Part `latency`: what an explained answer takes over HTTP, and whether answers without explanations pay for it.

Two servers on one bundle stand side by side, one with explanations switched off (`serve.explain`): it is what served
before there were any. Both are asked for the same shoppers' recommendations in turn, before and after the first one has
loaded what explains. Explained answers are timed with the token features at hand, as `trifocal train` leaves
them in its cache, each of a shopper who was not explained to yet; then, on a server without them, with encoding on
demand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from benchmarks.explain.plan import Setting
from benchmarks.explain.world import World, world
from benchmarks.latency.http_client import Connection, loopback_target, request_bytes
from benchmarks.latency.servers import Server, settle, started, trifocal_command
from benchmarks.table.figures import Goal, Measured, percentiles

from trifocal.bundle import read_bundle
from trifocal.errors import ServingError

__all__ = ["GOALS", "SIZES", "Turns", "explained_ms", "in_turn", "measure"]

SIZES = ("explained", "answers", "products", "shoppers")

_EXPLAINED = "explained answer of 10 items, p50"
_RATIO = "unexplained answer: p50 with the feature / before"
GOALS = (Goal(_EXPLAINED, "ms", 300.0), Goal(_RATIO, "x", 1.05))

# Unexplained answers are some milliseconds: many of them, so that the ratio is not chance.
_UNEXPLAINED_A_TURN = 20
_WARM_UP = 10
# Encoding on demand takes seconds where a machine is slow, and is measured, not refused.
_SETTINGS = "[serve]\nexplain = {on}\nexplain_ms = 120000.0\nlimit_ms = 10000.0\n"


@dataclass(frozen=True)
class Turns:
    """Milliseconds of the same questions at two servers: with the feature, and with it switched off."""

    with_ms: Sequence[float]
    without_ms: Sequence[float]

    @property
    def ratio(self) -> float:
        """Median over median.

        >>> Turns([2.0, 3.0, 9.0], [2.0, 2.0, 8.0]).ratio
        1.5
        """
        return float(np.median(self.with_ms) / np.median(self.without_ms))


def measure(setting: Setting) -> Measured:
    """Measure all three servers."""
    made, sizes = world(setting), setting.sizes
    users = _users(made)
    settle(made.bundle, setting.out / "logs" / "settle.log")
    with _server(setting, made, "on", features=True) as on, _server(setting, made, "off") as off:
        memory = on.memory().rss_mib / off.memory().rss_mib
        many = [users[place % len(users)] for place in range(_UNEXPLAINED_A_TURN * sizes.answers)]
        before = in_turn(on.address, off.address, many, k=sizes.explained)
        first, *at_hand = explained_ms(on.address, users[: sizes.answers + 1], k=sizes.explained)
        after = in_turn(on.address, off.address, many, k=sizes.explained)
        grown = on.memory().rss_mib
    with _server(setting, made, "on") as server:
        loading, *on_demand = explained_ms(server.address, users[: sizes.answers // 5 + 2], k=sizes.explained)
    values = {
        _EXPLAINED: percentiles(at_hand).p50,
        _RATIO: after.ratio,
        "explained answer of 10 items, p99": percentiles(at_hand).p99,
        "explained answer, the first of the server": first,
        "explained answer, texts and pictures encoded on demand, p50": percentiles(on_demand).p50,
        "explained answer, the first of the server, encoded on demand": loading,
        "unexplained answer before the first explained one: p50 with the feature / before": before.ratio,
        "unexplained answer, p50": float(np.median(after.with_ms)),
        "memory at start, with the feature / before": memory,
        "memory after the explained answers": grown / 1024,
    }
    return Measured(values, _notes(setting, made, len(many)), _units(values))


def in_turn(with_address: str, without_address: str, user_ids: Sequence[str], *, k: int) -> Turns:
    """Ask both servers for each user's recommendations, who comes first changing.

    Raises:
        ServingError: when an answer is no success.
    """
    return asyncio.run(_in_turn(with_address, without_address, user_ids, k))


def explained_ms(address: str, user_ids: Sequence[str], *, k: int) -> list[float]:
    """Return the milliseconds of each user's explained recommendations.

    Raises:
        ServingError: when an item comes without its explanation: its time would be another's.
    """
    return asyncio.run(_explained(address, user_ids, k))


async def _in_turn(with_address: str, without_address: str, user_ids: Sequence[str], k: int) -> Turns:
    addresses = (with_address, without_address)
    found: tuple[list[float], list[float]] = ([], [])
    warm_up = user_ids[:_WARM_UP]
    async with _open(addresses) as connections:
        for turn, user_id in enumerate([*warm_up, *user_ids]):
            for place in (0, 1) if turn % 2 == 0 else (1, 0):
                taken, _ = await _asked(connections[place], addresses[place], {"user_id": user_id, "k": k})
                if turn >= len(warm_up):
                    found[place].append(taken)
    return Turns(*found)


async def _explained(address: str, user_ids: Sequence[str], k: int) -> list[float]:
    times = list[float]()
    async with _open([address]) as (connection,):
        for user_id in user_ids:
            taken, answer = await _asked(connection, address, {"user_id": user_id, "k": k, "explain": True})
            items = answer["items"]
            if not isinstance(items, list) or not items or any(item["explanation"] is None for item in items):
                raise ServingError(f"the answer of {user_id} at {address} is not explained: {answer.get('notes')}")
            times.append(taken)
    return times


@asynccontextmanager
async def _open(addresses: Sequence[str]) -> AsyncIterator[list[Connection]]:
    connections = [Connection(loopback_target(address)) for address in addresses]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()
        # A connection is closed by the loop, in its next round.
        await asyncio.sleep(0)


async def _asked(connection: Connection, address: str, body: dict[str, object]) -> tuple[float, dict[str, object]]:
    request = request_bytes(loopback_target(address), "POST", "/v1/recommend", json.dumps(body))
    begun = perf_counter()
    answer = await connection.ask(request)
    taken = 1000 * (perf_counter() - begun)
    if answer.status != 200:
        raise ServingError(f"{address} answered {answer.status} to {body}: {answer.body[:200]!r}; see its log")
    found: dict[str, object] = json.loads(answer.body)
    return taken, found


@contextmanager
def _server(setting: Setting, made: World, name: str, *, features: bool = False) -> Iterator[Server]:
    folder = setting.out / "latency"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / f"{name}.toml"
    config.write_text(_SETTINGS.format(on="true" if name == "on" else "false"), encoding="utf-8")
    command = [*trifocal_command(made.bundle), "--config", str(config)]
    command += ["--features", str(made.ground.features)] if features else []
    with started(command, setting.out / "logs" / f"explain-{name}.log") as server:
        yield server


def _users(made: World) -> list[str]:
    histories = read_bundle(made.bundle).contents.histories
    found: list[str] = histories["user_id"].unique(maintain_order=True).to_list()
    return found


def _notes(setting: Setting, made: World, unexplained: int) -> dict[str, str]:
    name, sizes = made.ground.name, setting.sizes
    return {
        _EXPLAINED: f"{name}, {sizes.answers} shoppers, {sizes.explained} items each, token features at hand",
        _RATIO: f"{unexplained:,} answers each, in turn; before = explanations switched off",
    }


def _units(values: dict[str, float]) -> dict[str, str]:
    return {name: "GiB" if name.startswith("memory after") else "x" if " / " in name else "ms" for name in values}
