"""The bodies of the history of bundles. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from trifocal.serve.watch.served_bundles import Call, ServedBundle

__all__ = ["BundleHistory", "BundleServed"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class BundleServed(_Body):
    """One bundle, as long as it served without a break."""

    model_name: str
    model_version: str
    variant: str
    by: Call
    """What put it in force: the start of the server, a swap, a rollback."""
    since: datetime
    until: datetime | None
    """When another took its place; null = it serves, or the server ended meanwhile."""
    in_force: bool
    path: str | None
    """Its folder inside the folder of bundles, by which it can be swapped in; null = it cannot."""
    created_at: str
    """When it was written."""
    items: int
    """That it was trained with."""
    figures: dict[str, float]
    """Of its evaluation, by name of the metric."""


class BundleHistory(_Body):
    """Which bundles served."""

    model_version: str
    """Of the bundle in force."""
    previous: str | None
    """The model version that a rollback leads to; null = there is none."""
    durable: bool
    """Whether a restart of the server keeps the history."""
    bundles: tuple[BundleServed, ...]
    """The newest first."""

    @classmethod
    def of(
        cls, noted: Sequence[ServedBundle], *, previous: str | None, durable: bool, root: Path | None
    ) -> BundleHistory:
        """Return the wire form of `noted`, oldest first, whose last one serves; `root` = the folder of bundles."""
        return cls(
            model_version=noted[-1].model_version,
            previous=previous,
            durable=durable,
            bundles=tuple(_bundles(noted, root))[::-1],
        )


def _bundles(noted: Sequence[ServedBundle], root: Path | None) -> Iterator[BundleServed]:
    for place, bundle in enumerate(noted, start=1):
        yield BundleServed(
            model_name=bundle.model_name,
            model_version=bundle.model_version,
            variant=bundle.variant,
            by=bundle.by,
            since=datetime.fromtimestamp(bundle.since_s, UTC),
            until=None if bundle.until_s is None else datetime.fromtimestamp(bundle.until_s, UTC),
            in_force=place == len(noted),
            path=_path(bundle.folder, root),
            created_at=bundle.created_at,
            items=bundle.items,
            figures=bundle.figures,
        )


def _path(folder: str, root: Path | None) -> str | None:
    """The folder as the endpoint of swaps wants it named."""
    if root is None or not folder:
        return None
    path = Path(folder)
    return str(path.relative_to(root)) if path != root and path.is_relative_to(root) and path.is_dir() else None
