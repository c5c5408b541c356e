"""What an audit found -> the page `report.html`, with pictures. Reads the picture files it shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from trifocal import columns as c
from trifocal.audit.catalogue import Audited
from trifocal.audit.config import AuditConfig
from trifocal.audit.finding import FALSE_SHARE, FINDING, KINDS, SEVERITY, Kind
from trifocal.data.dataset import Dataset
from trifocal.report import Block, Card, Column, Fact, Grid, Note, Origin, Page, Section, Table, data_uri

__all__ = ["audit_page"]

_PIXELS = 168
_TITLES: dict[Kind, tuple[str, str]] = {
    "mismatch": (
        "Pictures that do not fit their text",
        "Learned on this catalogue: how many of the product's other pairings fit better than its own. The worst first.",
    ),
    "broken": ("Broken pictures", "The file is missing, does not decode to its end, or is too small."),
    "blank": ("Blank pictures", "Almost all of the picture is one colour."),
    "duplicate": (
        "Near-duplicate pictures",
        "Two products with nearly one picture and another title; of different kinds, one of them must be wrong. "
        "The second of each pair stands behind the first.",
    ),
    "text": ("Missing and empty texts", "No text, a few characters, a placeholder, or one text for many categories."),
    "category": (
        "Suspicious categories",
        "Words and picture say another category than the product's own, as learned from the rest of the catalogue.",
    ),
}


@dataclass(frozen=True)
class _Shown:
    """Titles, categories and pictures of the products, by id."""

    titles: dict[str, str | None]
    categories: dict[str, str | None]
    files: dict[str, str | None]
    root: Path

    @classmethod
    def of(cls, dataset: Dataset) -> _Shown:
        titles, categories, files = (
            dict(dataset.items.select(c.ITEM_ID, name).iter_rows()) for name in (c.TITLE, c.CATEGORY, c.IMAGE)
        )
        return cls(titles, categories, files, dataset.image_root)

    def card(self, item: str, *lines: str) -> Card:
        """Return the card of the product, with its id and `lines` below."""
        file = self.files.get(item)
        picture = None if file is None else data_uri(self.root / file, _PIXELS)
        return Card(self.titles.get(item) or item, picture, lines=(item, self.categories.get(item) or "", *lines))


def audit_page(audited: Audited, dataset: Dataset, config: AuditConfig, command: str, made: str) -> Page:
    """Return the page about `audited`.

    Args:
        audited: of `dataset`.
        dataset: whose pictures are shown.
        config: how many of each kind.
        command: that made it.
        made: moment, ISO text.
    """
    shown, findings = _Shown.of(dataset), audited.findings
    return Page(
        kind="audit",
        title=dataset.name,
        sections=[_counts(findings), *(_section(kind, findings, shown, config) for kind in KINDS)],
        verdicts=[_verdict(findings, config)],
        facts=[
            Fact("products", f"{audited.products:,}"),
            Fact("with a picture", f"{audited.pictures:,}"),
            Fact("text and picture compared", f"{audited.paired:,}"),
            Fact("products with an error", f"{_errors(findings)[c.ITEM_ID].n_unique():,}"),
        ],
        remarks=[
            "audit.parquet beside this page holds every finding; with it, trifocal train --exclude leaves out "
            "pictures with an error of the kinds mismatch, broken and blank. Warnings are never left out.",
            f"Mismatches are errors while at most {config.false_share:.0%} of them are expected to be false.",
        ],
        origin=Origin(command, made),
    )


def _errors(findings: pl.DataFrame) -> pl.DataFrame:
    return findings.filter(pl.col(SEVERITY) == "error")


def _verdict(findings: pl.DataFrame, config: AuditConfig) -> Note:
    wrong = findings.filter(pl.col(FINDING) == "mismatch")
    sure = _errors(wrong)
    if sure.is_empty():
        looks = f" {len(wrong):,} are worth a look; most of them are expected to be right." if len(wrong) else ""
        return Note(f"No picture is surely at the wrong text.{looks}", "good")
    share = float(str(sure[FALSE_SHARE].max()))
    return Note(
        f"{len(sure):,} pictures seem to be at the wrong text; at most {share:.0%} of these are expected to be right.",
        "bad",
    )


def _counts(findings: pl.DataFrame) -> Section:
    groups = findings.group_by(FINDING, SEVERITY).len().iter_rows()
    counts = {(kind, severity): count for kind, severity, count in groups}
    rows = [
        [_TITLES[kind][0], *(f"{counts.get((kind, severity), 0):,}" for severity in ("error", "warning"))]
        for kind in KINDS
    ]
    table = Table(
        "Findings by kind", [Column("finding"), Column("errors", "repair"), Column("warnings", "look at")], rows
    )
    return Section("What was found", [table])


def _section(kind: Kind, findings: pl.DataFrame, shown: _Shown, config: AuditConfig) -> Section:
    title, hint = _TITLES[kind]
    found = findings.filter(pl.col(FINDING) == kind)
    blocks: list[Block] = []
    for severity in ("error", "warning"):
        part = found.filter(pl.col(SEVERITY) == severity)
        if len(part):
            first = part.head(config.page_items)
            more = f"; the first {len(first)} are shown" if len(part) > len(first) else ""
            count = f"{len(part):,} {severity}{'' if len(part) == 1 else 's'}"
            blocks.append(Note(f"{count}{more}", "bad" if severity == "error" else "warning"))
            blocks.append(Grid([card for row in first.iter_rows(named=True) for card in _cards(row, shown)]))
    return Section(title, blocks or [Grid([], "Nothing was found.")], hint)


def _cards(row: dict[str, Any], shown: _Shown) -> list[Card]:
    chance = row[FALSE_SHARE]
    lines = [row["detail"]] if chance is None else [row["detail"], f"expected false: {chance:.0%}"]
    cards = [shown.card(row[c.ITEM_ID], *lines)]
    if row[FINDING] == "duplicate":
        cards.append(shown.card(row["other_item_id"], "the other of the pair"))
    return cards
