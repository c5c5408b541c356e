"""`trifocal experiment`: plan a test of variants, and report what came of it; reads a store of live events."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from trifocal.feedback.experiments.shoppers import MetricName

app = typer.Typer(
    no_args_is_help=True,
    help="Plan a test of variants on live shoppers; report what came of it.",
    rich_markup_mode="markdown",
)


@app.command()
def plan(
    lift: Annotated[float, typer.Option(help="Relative change to be found: 0.05 = 5 %.")],
    rate: Annotated[float, typer.Option(help="The metric under the control, a mean per shopper.")],
    deviation: Annotated[
        float | None, typer.Option(help="Its standard deviation between shoppers; else it is a yes or no.")
    ] = None,
    power: Annotated[float, typer.Option(help="Chance that such a change is found, 0 to 1.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Chance of a verdict where nothing changed, 0 to 1.")] = 0.05,
    share: Annotated[float, typer.Option(help="Share of the shoppers that see the candidate.")] = 0.5,
    correlation: Annotated[float, typer.Option(help="Of the metric with the same before the test: CUPED.")] = 0.0,
    shoppers_per_day: Annotated[float | None, typer.Option(help="To say how long it takes.")] = None,
) -> None:
    """Say how many shoppers a test needs.

    **Examples**

    - `trifocal experiment plan --rate .1 --lift .05`

    - `trifocal experiment plan --rate .1 --lift .05 --deviation .15 --correlation .5 --shoppers-per-day 2000`
    """
    from rich.console import Console

    from trifocal.feedback.experiments.design import Question, sample_size

    question = Question(rate, lift, deviation, power, alpha, share, correlation)
    found = sample_size(question)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{found.sequential:,} shoppers of both variants, looked at as often as you like; it may stop sooner")
    console.print(f"{found.fixed:,} shoppers, looked at once, at the end")
    if shoppers_per_day:
        console.print(f"{found.days(shoppers_per_day):,.1f} days at {shoppers_per_day:,.0f} shoppers a day")


@app.command()
def report(
    store: Annotated[str, typer.Argument(metavar="STORE", help="A file of SQLite, or the address of a PostgreSQL.")],
    name: Annotated[str, typer.Option(help="Of the experiment, as the report says it.")] = "experiment",
    out: Annotated[Path, typer.Option(help="HTML page to write.", dir_okay=False)] = Path("experiment.html"),
    share: Annotated[
        list[str] | None,
        typer.Option(help="VARIANT=SHARE, once a variant, the control first; else equal shares of those in the log."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML of the server, for the shares in place of --share.")] = None,
    metric: Annotated[str, typer.Option(help="That decides: ctr, conversion, satisfaction.")] = "ctr",
    shoppers: Annotated[int, typer.Option(help="Of all variants, where a verdict was hoped for.")] = 2000,
    alpha: Annotated[float, typer.Option(help="Chance of a verdict where nothing differs.")] = 0.05,
    every: Annotated[int, typer.Option(help="Shoppers between two looks.", min=1)] = 100,
    since: Annotated[str, typer.Option(help="First day of the experiment, as 2026-03-01; UTC.")] = "",
    items: Annotated[
        Path | None, typer.Option(help="Data set folder, for the categories that dwell is held against.")
    ] = None,
) -> None:
    """Say where an experiment stands, and write the page with figures and plots.

    **Examples**

    - `trifocal experiment report events.sqlite --name ranker --out report.html`

    - `trifocal experiment report events.sqlite --share als=.5 --share trifocal=.5 --metric conversion`
    """
    from rich.console import Console

    from trifocal.cli.origin import origin
    from trifocal.feedback.experiments.analysis import Experiment, looks_of
    from trifocal.feedback.experiments.report import sentence, write_report
    from trifocal.feedback.experiments.verdicts import verdict_of

    events = _events(store, since)
    shares = _shares(config, share or [], events)
    experiment = Experiment(name, shares, next(iter(shares)), shoppers, _metric(metric), alpha)
    looks = looks_of(events, experiment, every=every, categories=_categories(items))
    write_report(out, looks, experiment, origin())
    console = Console(highlight=False, soft_wrap=True)
    for candidate in experiment.candidates:
        console.print(sentence(verdict_of(looks, experiment, candidate)), markup=False)
    console.print(f"{len(looks)} looks -> {out}", markup=False)


def _events(store: str, since: str) -> pl.DataFrame:
    from trifocal.errors import ConfigError
    from trifocal.feedback.experiments.shoppers import read_events, started_at
    from trifocal.feedback.sql import SqlEventStore

    if "://" not in store and not Path(store).is_file():
        raise ConfigError(f"{store} is no file; name the store that `trifocal serve --events` writes")
    with closing(SqlEventStore(store)) as opened:
        events = read_events(opened)
    return started_at(events, _moment_s(since)) if since else events


def _moment_s(day: str) -> float:
    from datetime import UTC, datetime

    from trifocal.errors import ConfigError

    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ConfigError(f"--since {day!r} is no day; write it as 2026-03-01") from None


def _metric(name: str) -> MetricName:
    from trifocal.errors import ConfigError
    from trifocal.feedback.experiments.shoppers import METRICS

    if name not in METRICS:
        raise ConfigError(f"--metric {name!r} is unknown; known are {', '.join(METRICS)}")
    return METRICS[name].name


def _shares(config: Path | None, given: list[str], events: pl.DataFrame) -> dict[str, float]:
    """Return the shares that were given, or those of the server's settings, or equal ones of what the log holds."""
    from trifocal.errors import ConfigError
    from trifocal.settings import load_settings

    if given:
        return dict(_share(text) for text in given)
    if config is not None and (variants := load_settings(config).serve.experiment.variants):
        return {variant.name: variant.share for variant in variants}
    seen = sorted(events["variant"].drop_nulls().unique().to_list(), key=lambda name: (name != "control", name))
    if not seen:
        raise ConfigError("the log names no variant; post events with the `variant` that their answer said")
    return dict.fromkeys(seen, 1 / len(seen))


def _share(text: str) -> tuple[str, float]:
    from trifocal.errors import ConfigError

    variant, _, share = text.rpartition("=")
    try:
        return variant, float(share)
    except ValueError:
        raise ConfigError(f"--share {text!r} is no share; write it as candidate=.5") from None


def _categories(folder: Path | None) -> pl.DataFrame | None:
    from trifocal import columns as c

    if folder is None:
        return None
    from trifocal.data.dataset import read_dataset

    return read_dataset(folder).items.select(c.ITEM_ID, c.CATEGORY)
