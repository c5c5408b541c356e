"""One look for progress bars on long work; on stderr, so that results on stdout stay clean."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as RemainingColumn

__all__ = ["Bar", "progress_bar"]


class Bar:
    """A running bar: `advance` it, and say how things are with `note`. Stability: caller."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, steps: int = 1) -> None:
        """Move on by `steps` units."""
        self._progress.advance(self._task, steps)

    def note(self, text: str) -> None:
        """Show `text` behind the bar: a loss, a metric, a file."""
        self._progress.update(self._task, note=text)


@contextmanager
def progress_bar(description: str, total: int, *, shown: bool = True) -> Iterator[Bar]:
    """Show a bar of `total` units while the block runs; without a terminal one closing line is printed.

    Args:
        description: what is done.
        total: units that will be done.
        shown: False = draw nothing, in a process that is not the one to speak.
    """
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        RemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    # A bar that moves needs widgets in a notebook; there, as without a terminal, it is one closing line.
    in_notebook = "ipykernel" in sys.modules
    console = Console(stderr=True, force_jupyter=False, force_terminal=False if in_notebook else None)
    with Progress(*columns, console=console, disable=not shown) as progress:
        yield Bar(progress, progress.add_task(description, total=total, note=""))
