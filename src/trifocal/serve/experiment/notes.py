"""What outlives a restart of an experiment: since when it runs, and who was stopped. One JSON file, or memory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from trifocal.errors import ArtifactError

__all__ = ["Notes", "NotesFile", "Stop"]


@dataclass(frozen=True)
class Stop:
    """Why a variant is not shown: `by` a guard rail or a person; `at_s`, seconds since 1970, UTC."""

    at_s: float
    by: Literal["guard rail", "hand"]
    reason: str


@dataclass(frozen=True)
class Notes:
    """Of one experiment.

    Attributes:
        since_s: when it began, seconds since 1970, UTC.
        after: number of the newest event of the store when it began: later ones count.
        stopped: by name of the variant.
    """

    since_s: float
    after: int
    stopped: Mapping[str, Stop] = field(default_factory=dict)

    def with_stop(self, variant: str, stop: Stop) -> Notes:
        """Return the notes with `variant` stopped."""
        return replace(self, stopped={**self.stopped, variant: stop})

    def without_stop(self, variant: str) -> Notes:
        """Return the notes with `variant` shown again."""
        return replace(self, stopped={name: stop for name, stop in self.stopped.items() if name != variant})


class NotesFile:
    """Notes by the name of the experiment, in a file or in memory, each write whole. Stability: internal."""

    def __init__(self, path: Path | None = None) -> None:
        """Take the file, or None = memory; it need not be there."""
        self._path = path
        self._kept: dict[str, Notes] = {}

    def read(self, experiment: str) -> Notes | None:
        """Return the notes of `experiment`, or None.

        Raises:
            ArtifactError: when the file holds something else.
        """
        return self._every().get(experiment)

    def write(self, experiment: str, notes: Notes) -> None:
        """Keep `notes` in place of those of `experiment`.

        Raises:
            ArtifactError: when the file cannot be written.
        """
        self._kept = {**self._every(), experiment: notes}
        if self._path is None:
            return
        text = json.dumps({name: asdict(kept) for name, kept in self._kept.items()}, indent=2)
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            raise ArtifactError(
                f"the notes of the experiment cannot be kept in {self._path} ({error}); "
                "name a file in a folder that is writable as serve.experiment.notes_file"
            ) from None

    def _every(self) -> dict[str, Notes]:
        if self._path is None or not self._path.exists():
            return self._kept if self._path is None else {}
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: _notes(kept) for name, kept in values.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArtifactError(
                f"{self._path} holds no notes of experiments ({error!r}); repair it, or move it away to begin anew"
            ) from None


def _notes(values: Any) -> Notes:
    stopped = {str(name): Stop(**stop) for name, stop in values["stopped"].items()}
    return Notes(float(values["since_s"]), int(values["after"]), stopped)
