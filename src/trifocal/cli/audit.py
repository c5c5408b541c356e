"""`trifocal audit`: data set -> findings about its products, as a table and as a page with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from trifocal.bundle import Bundle
    from trifocal.features.config import FeaturesConfig

__all__ = ["audit"]


def audit(
    dataset: Annotated[Path, typer.Argument(help="Data set folder, from `data import` or `shop generate`.")],
    features: Annotated[Path, typer.Option(help="Token features; what is missing is encoded.")],
    out: Annotated[Path, typer.Option(help="Folder of audit.parquet and report.html; made, or gone on with.")],
    bundle: Annotated[Path | None, typer.Option(help="Only the products of this bundle, by its encoders.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults; see configs/default.toml.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 = all.")] = 0,
) -> None:
    """Look for pictures at the wrong text, near-duplicate, broken and blank pictures, empty texts, wrong categories.

    Examples:

        trifocal audit shop --features runs/features --out runs/audit

        trifocal train shop runs/shop --exclude runs/audit/audit.parquet
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    import polars as pl
    import torch
    from rich.console import Console

    from trifocal import columns as c
    from trifocal.audit.catalogue import audit_catalogue
    from trifocal.audit.page import audit_page
    from trifocal.bundle import read_bundle
    from trifocal.data.dataset import read_dataset
    from trifocal.report import write_report
    from trifocal.settings import load_settings

    settings, data_set = load_settings(config), read_dataset(dataset)
    encoders, text_encoder = settings.features, None
    if threads:
        torch.set_num_threads(threads)
    if bundle is not None:
        read = read_bundle(bundle)
        encoders, text_encoder = _encoders(read), read.contents.text_encoder
        known = pl.col(c.ITEM_ID).is_in(read.contents.items[c.ITEM_ID].implode())
        data_set = replace(data_set, items=data_set.items.filter(known))
    found = audit_catalogue(
        data_set,
        encoders,
        settings.audit,
        cache_folder=features,
        work_folder=out / "pictures",
        text_encoder=text_encoder,
    )
    out.mkdir(parents=True, exist_ok=True)
    found.findings.write_parquet(out / "audit.parquet")
    made = datetime.now(UTC).isoformat(timespec="seconds")
    command = f"trifocal audit {dataset} --features {features} --out {out}"
    write_report(out / "report.html", audit_page(found, data_set, settings.audit, command, made))
    console = Console(soft_wrap=True, highlight=False)
    console.print(_table(found.findings))
    console.print(f"{out / 'report.html'}, {out / 'audit.parquet'}")


def _encoders(bundle: Bundle) -> FeaturesConfig:
    from trifocal.features.config import FeaturesConfig

    return FeaturesConfig.model_validate(bundle.contents.config.get("features", {}))


def _table(findings: pl.DataFrame) -> Table:
    from rich.table import Table

    from trifocal.audit.finding import FINDING, KINDS, SEVERITY

    counts = {
        (kind, severity): count for kind, severity, count in findings.group_by(FINDING, SEVERITY).len().iter_rows()
    }
    table = Table("finding", "errors", "warnings")
    for kind in KINDS:
        table.add_row(kind, *(f"{counts.get((kind, severity), 0):,}" for severity in ("error", "warning")))
    return table
