"""What an audit finds: kinds, severities, and the table `audit.parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import polars as pl

from trifocal import columns as c
from trifocal.errors import ConfigError

__all__ = [
    "FALSE_SHARE",
    "FINDING",
    "KINDS",
    "PICTURE_KINDS",
    "SEVERITY",
    "Finding",
    "Kind",
    "Severity",
    "findings_frame",
    "kinds_named",
]

Kind = Literal["mismatch", "broken", "blank", "duplicate", "text", "category"]
Severity = Literal["error", "warning"]

KINDS: tuple[Kind, ...] = get_args(Kind)
PICTURE_KINDS: tuple[Kind, ...] = ("mismatch", "broken", "blank")
"""What is wrong with the picture itself: `--exclude` leaves such pictures out."""

FINDING, SEVERITY, SCORE, FALSE_SHARE, DETAIL, OTHER = (
    "finding", "severity", "score", "false_share", "detail", "other_item_id",
)  # fmt: skip
_SCHEMA = {
    c.ITEM_ID: pl.String(),
    FINDING: pl.String(),
    SEVERITY: pl.String(),
    SCORE: pl.Float64(),
    FALSE_SHARE: pl.Float64(),
    DETAIL: pl.String(),
    OTHER: pl.String(),
}


@dataclass(frozen=True)
class Finding:
    """One thing that seems wrong with one product. Stability: caller.

    Attributes:
        finding: its kind.
        severity: error = repair it; warning = look at it.
        score: 0..1, the greater the worse; comparable within a kind.
        false_share: expected share of false findings among those of the kind at least as bad; None = not known.
        detail: one sentence for people.
        other_item_id: the product it is like, where there is one.
    """

    item_id: str
    finding: Kind
    severity: Severity
    score: float
    detail: str
    other_item_id: str | None = None
    false_share: float | None = None


def findings_frame(findings: Sequence[Finding]) -> pl.DataFrame:
    """Return the table of `findings`: by kind, errors first, the worst first."""
    frame = pl.DataFrame([asdict(one) for one in findings], schema=_SCHEMA)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return (
        frame.with_columns(pl.col(FINDING).replace_strict(order, return_dtype=pl.Int64).alias("order"))
        .sort("order", SEVERITY, SCORE, c.ITEM_ID, descending=[False, False, True, False])
        .drop("order")
    )


def kinds_named(names: str) -> tuple[Kind, ...]:
    """Return the kinds of the comma-separated `names`.

    Raises:
        ConfigError: when one is unknown.
    """
    found: list[Kind] = []
    for name in (part.strip() for part in names.split(",")):
        kind = next((known for known in KINDS if known == name), None)
        if kind is None:
            raise ConfigError(f"there is no finding {name!r}; choose among {', '.join(KINDS)}")
        found.append(kind)
    return tuple(found)
