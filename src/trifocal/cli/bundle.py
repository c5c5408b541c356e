"""`trifocal bundle`: look into a bundle, and check that it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from trifocal.bundle import Manifest

__all__ = ["app", "show", "verify"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Look into a bundle, check that it is whole.")

_Bundle = Annotated[Path, typer.Argument(help="Bundle folder, as `trifocal train` writes it.")]


@app.command()
def show(bundle: _Bundle) -> None:
    """Print what a bundle is: version, counts, metrics, files and their sizes.

    Examples:

        trifocal bundle show runs/shop/trifocal/bundle
    """
    from rich.console import Console

    from trifocal.bundle import read_manifest

    manifest = read_manifest(bundle)
    console = Console()
    console.print(_about(bundle, manifest))
    console.print(_files(manifest))


@app.command()
def verify(bundle: _Bundle) -> None:
    """Check every file of a bundle against its SHA-256, and that everything can be read.

    Ends with exit code 1 and one line that names the file when something is wrong.

    Examples:

        trifocal bundle verify runs/shop/trifocal/bundle
    """
    from rich.console import Console

    from trifocal.bundle import read_bundle

    manifest = read_bundle(bundle).manifest
    total = sum(entry.bytes for entry in manifest.files.values())
    Console().print(f"[green]whole[/]: {len(manifest.files)} files, {_size(total)}, model {manifest.model_version}")


def _about(bundle: Path, manifest: Manifest) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "", title=f"Bundle {escape(str(bundle))}", show_header=False, title_justify="left")
    rows = {
        "model": f"{manifest.model_name} {manifest.model_version}",
        "written": f"{manifest.created_at} by trifocal {manifest.trifocal_version}",
        "data": manifest.data_fingerprint,
        "pictures": manifest.image_root,
        **{name.replace("_", " "): f"{count:,}" for name, count in manifest.counts.items()},
        **{name: _figure(value) for name, value in manifest.metrics.items() if not isinstance(value, list | dict)},
    }
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


def _files(manifest: Manifest) -> Table:
    from rich.table import Table

    table = Table("file", "size", "sha256", title="Files", title_justify="left")
    table.columns[1].justify = "right"
    for name, entry in manifest.files.items():
        table.add_row(name, _size(entry.bytes), entry.sha256[:12])
    return table


def _figure(value: object) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else str(value)


def _size(count: int) -> str:
    """Return bytes in the unit that people read.

    >>> _size(512), _size(2048), _size(5 * 1024 * 1024)
    ('512 B', '2.0 KiB', '5.0 MiB')
    """
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:,.1f} KiB" if count < 1024**2 else f"{count / 1024**2:,.1f} MiB"
