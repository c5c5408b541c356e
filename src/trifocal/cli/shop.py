"""`trifocal shop`: generate the sample shop, and let its shoppers come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from trifocal.cli.shop_simulate import simulate

if TYPE_CHECKING:
    from trifocal.data.shop import ShopConfig

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def root() -> None:
    """Generate the sample shop, products with drawn pictures and texts, shoppers with sessions; and let it live."""


@app.command()
def generate(
    out: Annotated[Path, typer.Argument(help="Folder to write; created where it does not exist.")],
    products: Annotated[int, typer.Option(help="Products in the catalogue, 60 to 10000.")] = 1500,
    shoppers: Annotated[int, typer.Option(help="Shoppers, 10 to 50000.")] = 8000,
    visual_signal: Annotated[
        float, typer.Option(help="How much the picture moves behaviour, 0 to 2; 0 = not at all.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal files.")] = 7,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
) -> None:
    """Generate a shop whose shoppers follow a known utility: items, pictures, six months of events, and the truth.

    Examples:

    - `trifocal shop generate runs/shop`
    - `trifocal shop generate runs/blind --visual-signal 0` – the pictures have no bearing on behaviour
    - `trifocal shop generate runs/small --products 120 --shoppers 300 --force`
    """
    from trifocal.data.shop import generate_shop

    _refuse_full(out, force=force)
    config = _config(products=products, shoppers=shoppers, visual_signal=visual_signal, seed=seed)
    generate_shop(out, config)
    _print_counts(out)


def _refuse_full(out: Path, *, force: bool) -> None:
    from trifocal.errors import ConfigError

    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise ConfigError(f"{out} is not empty; name another folder, or write into it with --force")


def _config(*, products: int, shoppers: int, visual_signal: float, seed: int) -> ShopConfig:
    from pydantic import ValidationError

    from trifocal.data.shop import ShopConfig
    from trifocal.errors import ConfigError

    try:
        return ShopConfig(products=products, shoppers=shoppers, visual_signal=visual_signal, seed=seed)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))} = {e['input']}: {e['msg'].lower()}" for e in error.errors()]
        raise ConfigError(f"the shop cannot be generated: {'; '.join(faults)}") from None


def _print_counts(out: Path) -> None:
    table = Table(title=f"Sample shop in {out}", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in json.loads((out / "summary.json").read_text(encoding="utf-8")).items():
        table.add_row(name, f"{value:,}" if isinstance(value, int | float) else value)
    Console().print(table)


# Behind `generate`, in the order in which they are used.
app.command()(simulate)
