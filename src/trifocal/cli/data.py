"""`trifocal data`: import a shop's files, and say what a data set holds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trifocal import columns as c

if TYPE_CHECKING:
    from rich.table import Table

    from trifocal.data.dataset_summary import DatasetFigures
    from trifocal.data.importing import ImportPlan
    from trifocal.data.splits import Split

app = typer.Typer(
    no_args_is_help=True,
    help="Import catalogues and event logs; see what a data set holds.",
    rich_markup_mode="markdown",
)


class Layout(StrEnum):
    """Layouts that need no column map."""

    AUTO = "auto"
    CANONICAL = "canonical"
    HM = "hm"
    MOVIELENS = "movielens"


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="Folder of the files.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Folder of the data set to write.", file_okay=False)],
    column_map: Annotated[Path | None, typer.Option("--map", help="TOML that says which column holds what.")] = None,
    layout: Annotated[Layout, typer.Option("--format", help="Layout of the folder, without a map.")] = Layout.AUTO,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures, where it lies elsewhere.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the data set in reports.")] = None,
) -> None:
    """Turn CSV, JSON lines or Parquet into a data set.

    Bad rows never stop the run: they go to `rejects.parquet`, each with its reason.

    **Examples**

    - `trifocal data import ./h-and-m ./dataset`: the layout is recognised

    - `trifocal data import ./export ./dataset --map shop.toml`: any columns, named in a map

    - `trifocal data import ./ml-1m ./dataset --format movielens --images ./posters`
    """
    from rich.console import Console
    from rich.table import Table

    from trifocal.data.importing import import_plan

    summary = import_plan(_plan(source, column_map, layout, images, name), out)
    table = Table(title=f"{summary.name} -> {out}", title_justify="left")
    table.add_column("")
    table.add_column("read", justify="right")
    table.add_column("kept", justify="right")
    table.add_row("items", f"{summary.items_read:,}", f"{summary.items_kept:,}")
    table.add_row("  with a picture", "", f"{summary.items_with_picture:,}")
    table.add_row("  with text", "", f"{summary.items_with_text:,}")
    table.add_row("events", f"{summary.events_read:,}", f"{summary.events_kept:,}")
    table.add_row("users", "", f"{summary.users:,}")
    table.add_row("sessions", "", f"{summary.sessions:,}")
    console = Console()
    console.print(table)
    console.print(_reject_table(summary.rejects))


@app.command()
def summary(
    folder: Annotated[Path, typer.Argument(help="Folder of the data set.", exists=True, file_okay=False)],
) -> None:
    """Show what a data set holds, what its items lack, and what was rejected.

    **Example**

    - `trifocal data summary ./dataset`
    """
    from rich.console import Console

    from trifocal.data.dataset_summary import dataset_figures

    figures = dataset_figures(folder)
    console = Console()
    console.print(_figures_table(figures))
    console.print(_reject_table(figures.rejects))


@app.command()
def encode(
    folder: Annotated[Path, typer.Argument(help="Data set folder.")],
    cache: Annotated[Path, typer.Argument(help="Folder of the token features; give the same to `train --cache`.")],
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults: encoders, sizes.")] = None,
) -> None:
    """Read every text and look at every picture once; a killed run goes on where it was, and nothing is done twice.

    Examples:

        trifocal data encode hm runs/features
    """
    import time

    from rich.console import Console

    from trifocal.data.dataset import read_dataset
    from trifocal.features.attributes import AttributeEncoder
    from trifocal.features.items import encode_catalogue
    from trifocal.settings import load_settings

    everything = load_settings(config)
    settings, layers = everything.features, everything.model.text_trainable_layers
    data_set = read_dataset(folder)
    started = time.perf_counter()
    attributes = AttributeEncoder.fit(
        data_set.items, price_buckets=settings.price_buckets, max_values=settings.max_attribute_values
    )
    features = encode_catalogue(
        data_set.items, data_set.image_root, attributes, settings, cache, trainable_layers=layers
    )
    texts, pictures = (sum(k is not None for k in keys) for keys in (features.text_keys, features.image_keys))
    seconds = time.perf_counter() - started
    Console().print(f"{texts:,} texts and {pictures:,} pictures of {len(features):,} items encoded in {seconds:.1f} s")


@app.command()
def split(
    folder: Annotated[Path, typer.Argument(help="Data set folder.", exists=True, file_okay=False)],
    name: Annotated[
        str, typer.Option("--split", help="Name of the split; docs/guides/evaluate.md lists them.")
    ] = "time",
    parts: Annotated[Path | None, typer.Option(help="File that prescribes the split; else TRIFOCAL_DATA.")] = None,
) -> None:
    """Show the counts of a split and its fingerprint: two people with the same one ran the same thing.

    **Examples**

    - `trifocal data split ./shop`

    - `trifocal data split ./dataset --split hm-time --parts ./hm-week/hm-time-targets.parquet`
    """
    from rich.console import Console

    from trifocal.data.dataset import read_dataset
    from trifocal.data.named_splits import named_split
    from trifocal.data.splits import restrict

    whole = read_dataset(folder)
    chosen = named_split(whole, name, parts)
    console = Console()
    console.print(_split_table(chosen, restrict(whole, chosen).items.height))
    console.print(f"{chosen.note}\nfingerprint {chosen.fingerprint}", soft_wrap=True, highlight=False)


def _plan(source: Path, column_map: Path | None, layout: Layout, images: Path | None, name: str | None) -> ImportPlan:
    from dataclasses import replace

    from trifocal.data.column_map import load_column_map
    from trifocal.data.importing import ImportPlan
    from trifocal.data.readers import detect_plan
    from trifocal.errors import ConfigError

    if column_map is None:
        plan = detect_plan(source, layout.value)
    elif layout is Layout.AUTO:
        plan = ImportPlan(source.resolve().name, source, load_column_map(column_map))
    else:
        raise ConfigError(f"--map and --format {layout.value} exclude each other; leave one out")
    if images is not None:
        items = plan.column_map.items.model_copy(update={"image_root": str(images.resolve())})
        plan = replace(plan, column_map=plan.column_map.model_copy(update={"items": items}))
    return plan if name is None else replace(plan, name=name)


def _figures_table(figures: DatasetFigures) -> Table:
    from rich.table import Table

    table = Table(title=figures.name, title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("users", f"{figures.users:,}")
    table.add_row("items", f"{figures.items:,}")
    table.add_row("  with events", f"{figures.items_with_events:,}")
    for field, count in figures.items_without.items():
        table.add_row(f"  without {field}", f"{count:,}")
    table.add_row("events", f"{figures.event_count:,}")
    for event, count in figures.events.items():
        table.add_row(f"  {event}", f"{count:,}")
    table.add_row("  without time", f"{figures.events_without_time:,}")
    table.add_row("sessions", f"{figures.sessions:,}")
    table.add_row("density", f"{figures.density:.4%}")
    table.add_row("time span (UTC)", f"{figures.first} .. {figures.last}" if figures.first else "unknown")
    levels = "  ".join(f"{level:.0%} {count:,}" for level, count in figures.events_per_user.items())
    table.add_row("events per user", levels)
    return table


def _split_table(chosen: Split, catalogue: int) -> Table:
    from rich.table import Table

    candidates = catalogue if chosen.items is None else len(chosen.items)
    caption = f"{candidates:,} of {catalogue:,} items may be recommended" + (" · leaky split" if chosen.leaky else "")
    table = Table(title=f"split {chosen.name}", title_justify="left", caption=caption, caption_justify="left")
    for column in ("part", "events", "users", "items"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for part, counts in chosen.counts().items():
        table.add_row(part, *(f"{count:,}" for count in counts))
    for part, pairs in chosen.hidden.items():
        table.add_row(f"hidden, {part}", f"{pairs.height:,}", f"{pairs[c.USER_ID].n_unique():,}", "")
    return table


def _reject_table(rejects: dict[str, dict[str, int]]) -> Table | str:
    from rich.table import Table

    if not any(rejects.values()):
        return "no row was rejected"
    table = Table(title="rejects.parquet", title_justify="left")
    table.add_column("table")
    table.add_column("reason, what became of the row")
    table.add_column("rows", justify="right")
    for name, counts in rejects.items():
        for reason, count in counts.items():
            table.add_row(name, reason, f"{count:,}")
    return table
