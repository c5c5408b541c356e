"""Joins the verbs; turns every expected error into one line and exit code 1 (`--debug` shows the traceback)."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from trifocal import __version__
from trifocal.cli import (
    audit,
    bundle,
    compare,
    data,
    distill,
    evaluate,
    events,
    experiment,
    explain,
    recommend,
    serve,
    shop,
    train,
    update,
)
from trifocal.errors import TrifocalError

app = typer.Typer(
    name="trifocal",
    help="Recommendations that read, look and remember: from a catalogue and an event log to ranked items.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(shop.app, name="shop")
app.add_typer(data.app, name="data")
app.command("audit")(audit.audit)
app.command("train")(train.train)
app.command("update")(update.update)
app.command("distill")(distill.distill)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.add_typer(bundle.app, name="bundle")
app.add_typer(experiment.app, name="experiment")
app.add_typer(events.app, name="events")
app.command("serve")(serve.serve)
app.command("recommend")(recommend.recommend)
app.command("explain")(explain.explain)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trifocal {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read the options that come before the verb; `main` looks for --debug itself."""


def main() -> None:
    """Run the command line; the process edge, where errors become one line and an exit code."""
    debug = "--debug" in sys.argv[1:]
    warnings.filterwarnings("ignore", message=".*OpenBLAS is configured to use.*")
    try:
        app(prog_name="trifocal")
    except TrifocalError as error:
        if debug:
            raise
        console = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
        # A path or value in the message may hold square brackets, which are no markup.
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(1)
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; the same command goes on where it left off")
        sys.exit(130)
