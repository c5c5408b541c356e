"""Which bundles served, since when and by which call: in memory, and in a JSON file where one is named.

The file outlives the process, so that a bundle of last week can be found again. Each write is whole; a file that
cannot be read or written is said in the log and stops no swap.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from trifocal.bundle import Manifest

__all__ = ["Call", "ServedBundle", "ServedBundles", "served"]

_LOGGER = logging.getLogger(__name__)

Call = Literal["start", "swap", "rollback"]

# A swap an hour for a week.
_KEPT = 200


@dataclass(frozen=True)
class ServedBundle:
    """One bundle, as long as it served without a break.

    Attributes:
        by: what put it in force.
        since_s: when, seconds since 1970, UTC.
        until_s: when another took its place; None = it serves, or the process ended.
        folder: of the bundle; empty = it has none.
        created_at: when it was written, ISO 8601, UTC.
        items: that it was trained with.
        figures: of its evaluation, by name of the metric.
    """

    model_name: str
    model_version: str
    variant: str
    by: Call
    since_s: float
    until_s: float | None
    folder: str
    created_at: str
    items: int
    figures: dict[str, float]


class ServedBundles:
    """Notes bundles, the newest last. Safe to use from several threads. Stability: internal."""

    def __init__(self, path: Path | None = None) -> None:
        """Take the file, or None = memory; it need not be there."""
        self._path, self._lock = path, Lock()
        self._kept = () if path is None else _read(path)

    @property
    def is_durable(self) -> bool:
        """Whether a restart keeps the notes."""
        return self._path is not None

    def note(self, bundle: ServedBundle) -> None:
        """Note that `bundle` is in force from now on, in the place of the one before."""
        with self._lock:
            before = self._kept
            # After a start nobody knows when the process before ended.
            if before and before[-1].until_s is None and bundle.by != "start":
                before = (*before[:-1], replace(before[-1], until_s=bundle.since_s))
            self._kept = (*before, bundle)[-_KEPT:]
            if self._path is not None:
                _write(self._path, self._kept)

    def every(self) -> tuple[ServedBundle, ...]:
        """Return all that is noted, oldest first."""
        return self._kept


def served(manifest: Manifest, folder: Path | None, *, variant: str, by: Call, since_s: float) -> ServedBundle:
    """Return what is noted of the bundle of `manifest`, which serves since `since_s`."""
    return ServedBundle(
        model_name=manifest.model_name,
        model_version=manifest.model_version,
        variant=variant,
        by=by,
        since_s=since_s,
        until_s=None,
        folder="" if folder is None else str(folder.resolve()),
        created_at=manifest.created_at,
        items=manifest.counts.get("items", 0),
        figures=_figures(manifest.metrics),
    )


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics at a K (`ndcg@10`) of the bundle, or of its best epoch on validation.

    >>> _figures({"ndcg@10": 0.2, "best_epoch": 2, "curve": [{"epoch": 1, "mrr": 0.1}, {"epoch": 2, "recall@20": 0.3}]})
    {'recall@20': 0.3, 'ndcg@10': 0.2}
    """
    curve = metrics.get("curve")
    epochs = [epoch for epoch in curve if isinstance(epoch, dict)] if isinstance(curve, list) else []
    best = next((epoch for epoch in epochs if epoch.get("epoch") == metrics.get("best_epoch")), {})
    return {
        name: float(value)
        for name, value in {**best, **metrics}.items()
        if "@" in name and isinstance(value, int | float)
    }


_NOTED: TypeAdapter[tuple[ServedBundle, ...]] = TypeAdapter(tuple[ServedBundle, ...])


def _read(path: Path) -> tuple[ServedBundle, ...]:
    try:
        return _NOTED.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        _LOGGER.error("%s holds no history of bundles (%s); it is written anew", path, error)
        return ()


def _write(path: Path, bundles: tuple[ServedBundle, ...]) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_text(json.dumps([asdict(bundle) for bundle in bundles], indent=2), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        _LOGGER.error("which bundle serves cannot be noted in %s (%s); name a file in a writable folder", path, error)
