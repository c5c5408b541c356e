"""`trifocal shop simulate`: let the sample shop's shoppers visit a running server."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from trifocal.data.shop.live import LiveResult, ShopClient, World
    from trifocal.data.shop.live.figures import Row, Share

__all__ = ["simulate"]

# What `_cells` holds, in its order.
_NAMES = ("visits", "lists", "impressions", "CTR", "conversion", "true satisfaction", "latency p50", "latency p95")


def simulate(
    shop: Annotated[Path, typer.Argument(help="Folder of the shop, as `trifocal shop generate` wrote it.")],
    address: Annotated[str, typer.Argument(metavar="URL", help="The running server, such as http://127.0.0.1:8000.")],
    shoppers: Annotated[int, typer.Option(help="How many different shoppers come.")] = 200,
    visits_per_shopper: Annotated[int, typer.Option(help="How often each comes.")] = 3,
    concurrency: Annotated[int, typer.Option(help="Visits that run at a time, 1 to 64.")] = 4,
    seed: Annotated[int, typer.Option(help="Of all chance; events of a seed that was there before are ignored.")] = 0,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; default: the one after the shop's last.")
    ] = None,
    shoppers_per_day: Annotated[int, typer.Option(help="How many arrive on a simulated day.")] = 200,
    minutes: Annotated[float, typer.Option(min=0, help="Spread the visits over this long; 0 = no pause.")] = 0.0,
    new_items: Annotated[int, typer.Option(min=0, help="Products that are put into the server before.")] = 0,
    key: Annotated[str | None, typer.Option(envvar="TRIFOCAL_KEY", help="API key, where the server wants one.")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="File for the figures, as JSON.")] = None,
) -> None:
    """Let the shoppers of a sample shop visit a running server: they see its lists and click by their true utility.

    Impressions, clicks, carts and purchases go back to it. Ctrl-C ends the visits and shows the figures so far.

    Examples:

    - `trifocal shop simulate runs/shop http://127.0.0.1:8000`
    - `trifocal shop simulate runs/shop http://127.0.0.1:8000 --shoppers 2000 --minutes 30` – while you watch
    - `trifocal shop simulate runs/shop http://127.0.0.1:8000 --new-items 20 --seed 1`
    """
    from trifocal.data.shop.live import ShopClient, open_http, plan_live, read_world, result_json, simulate_visits

    world = read_world(shop)
    plan = plan_live(
        world,
        shoppers=shoppers,
        visits_per_shopper=visits_per_shopper,
        seed=seed,
        start=None if start is None else start.date(),
        shoppers_per_day=shoppers_per_day,
    )
    with open_http(address, key=key, connections=concurrency) as http:
        client = ShopClient(http)
        client.check()
        if new_items:
            world = _with_new_items(world, client, new_items, seed)
        result = simulate_visits(world, plan, client, concurrency=concurrency, minutes=minutes)
    _print(result)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result_json(result), indent=2) + "\n", encoding="utf-8")


def _with_new_items(world: World, client: ShopClient, count: int, seed: int) -> World:
    from tempfile import TemporaryDirectory

    from trifocal.data.shop.live import draw_new_items
    from trifocal.progress import progress_bar

    with TemporaryDirectory() as folder:
        world, items = draw_new_items(world, count, Path(folder), seed=seed)
        with progress_bar("Putting new items", len(items)) as bar:
            for item in items:
                client.put_item(item.item_id, item.body())
                bar.advance()
    return world


def _print(result: LiveResult) -> None:
    from trifocal.data.shop.live import figures, result_json

    console, about = Console(), result_json(result)
    table = Table(title=f"{about['visits']:,} of {about['planned']:,} visits, {about['impressions']:,} impressions")
    rows = figures(result.visits)
    table.add_column("variant / rung")
    for row in rows:
        table.add_column(f"{row.variant} / {row.rung}", justify="right")
    for name, cells in zip(_NAMES, zip(*(_cells(row) for row in rows), strict=True), strict=False):
        table.add_row(name, *cells)
    console.print(table)
    console.print(
        f"{about['events_stored']:,} of {about['events_told']:,} events were new; {about['failed']:,} visits failed; "
        f"{about['refused']:,} requests were refused and asked again; {result.wall_s:.1f} s"
    )
    if about["last_fault"]:
        console.print(f"[yellow]the last fault: {about['last_fault']}[/]")


def _cells(row: Row) -> list[str]:
    shares = [_share(share) for share in (row.ctr, row.conversion, row.satisfaction)]
    latencies = [f"{row.p50_ms:.1f} ms", f"{row.p95_ms:.1f} ms"]
    return [f"{row.visits:,}", f"{row.requests:,}", f"{row.impressions:,}", *shares, *latencies]


def _share(share: Share) -> str:
    return f"{share.value:.3f} ({share.low:.3f}–{share.high:.3f})"
