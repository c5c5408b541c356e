"""Visits -> figures of each variant and rung, with intervals of 95 %. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from trifocal.data.shop.live.run import LiveResult
from trifocal.data.shop.live.visit import Page, VisitDone

__all__ = ["Row", "Share", "figures", "result_json", "share_of"]

# Of the standard normal distribution: 95 % lie within.
_Z = 1.959964


@dataclass(frozen=True)
class Share:
    """A share or a mean in 0..1, with the bounds of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """What came of the pages that one rung of one variant answered.

    Attributes:
        visits: in which such a page was seen.
        requests: pages.
        ctr: clicks by impressions.
        conversion: share of those visits in which something of these pages was bought.
        satisfaction: true satisfaction, the mean over those visits; 0 where nothing was clicked.
        p50_ms, p95_ms: latency of the lists.
    """

    variant: str
    rung: str
    visits: int
    requests: int
    impressions: int
    clicks: int
    ctr: Share
    conversion: Share
    satisfaction: Share
    p50_ms: float
    p95_ms: float


def figures(visits: Sequence[VisitDone]) -> list[Row]:
    """Return the rows of `visits`, variants and rungs rising."""
    cells: dict[tuple[str, str], list[list[Page]]] = {}
    for visit in visits:
        for cell in sorted({(page.variant, page.rung) for page in visit.pages}):
            pages = [page for page in visit.pages if (page.variant, page.rung) == cell]
            cells.setdefault(cell, []).append(pages)
    return [_row(variant, rung, seen) for (variant, rung), seen in sorted(cells.items())]


def _row(variant: str, rung: str, seen: Sequence[Sequence[Page]]) -> Row:
    pages = [page for visit in seen for page in visit]
    impressions, clicks = sum(page.impressions for page in pages), sum(page.clicks for page in pages)
    p50, p95 = np.percentile([page.latency_ms for page in pages], [50, 95])
    return Row(
        variant=variant,
        rung=rung,
        visits=len(seen),
        requests=len(pages),
        impressions=impressions,
        clicks=clicks,
        ctr=share_of(clicks, impressions),
        conversion=share_of(sum(any(page.purchases for page in visit) for visit in seen), len(seen)),
        satisfaction=_mean([_content(visit) for visit in seen]),
        p50_ms=float(p50),
        p95_ms=float(p95),
    )


def _content(pages: Sequence[Page]) -> float:
    clicks = sum(page.clicks for page in pages)
    return sum(page.content for page in pages) / clicks if clicks else 0.0


def share_of(hits: int, tries: int) -> Share:
    """Return a share with its interval after Wilson (1927), "Probable inference, the law of succession".

    With z of the wanted level, the bounds are (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). For one in two:
    z² = 3.8415, so (.5 + .9604 ± 1.96 * sqrt(.125 + .2401)) / 2.9207 = (1.4604 ± 1.1843) / 2.9207.

    >>> one = share_of(1, 2)
    >>> one.value, round(one.low, 4), round(one.high, 4)
    (0.5, 0.0945, 0.9055)
    >>> share_of(0, 0)
    Share(value=0.0, low=0.0, high=1.0)
    """
    if not tries:
        return Share(0.0, 0.0, 1.0)
    share, square = hits / tries, _Z**2 / tries
    middle = share + square / 2
    reach = math.sqrt(square * share * (1 - share) + square**2 / 4)
    return Share(share, max((middle - reach) / (1 + square), 0.0), min((middle + reach) / (1 + square), 1.0))


def _mean(values: Sequence[float]) -> Share:
    """Return a mean with its interval of the normal distribution."""
    mean = float(np.mean(values))
    reach = _Z * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 1.0
    return Share(mean, max(mean - reach, 0.0), min(mean + reach, 1.0))


def result_json(result: LiveResult) -> dict[str, object]:
    """Return the counts and the rows of `result` as plain values."""
    visits = result.visits
    stored, told = sum(visit.stored for visit in visits), sum(visit.told for visit in visits)
    faults = [visit.fault for visit in visits if visit.fault]
    return {
        "visits": len(visits),
        "planned": result.planned,
        "shoppers": len({visit.user_id for visit in visits}),
        "impressions": sum(visit.impressions for visit in visits),
        "clicks": sum(visit.clicks for visit in visits),
        "purchases": sum(visit.purchases for visit in visits),
        "events_stored": stored,
        "events_told": told,
        "failed": len(faults),
        "last_fault": faults[-1] if faults else None,
        "refused": result.refused,
        "wall_s": round(result.wall_s, 2),
        "rows": [asdict(row) for row in figures(visits)],
    }
