"""A log of an experiment for the tests: each shopper has a taste, comes once before and once in the experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trifocal.feedback.experiments.assignment import Assignment
from trifocal.ports import StoredEvent

START_S = 1_700_000_000.0
HALVES = {"control": 0.5, "candidate": 0.5}


def simulated_events(
    shoppers: int, clicks: Mapping[str, float], *, seed: int = 0, salt: str = "s", lost: float = 0.0
) -> list[StoredEvent]:
    """Return events of `shoppers`; `clicks` = variant -> chance of a click, `lost` = share of candidates not logged."""
    rng = np.random.default_rng(seed)
    assignment = Assignment("test", salt, HALVES)
    events: list[StoredEvent] = []
    for row in range(shoppers):
        user, taste = f"u{row}", float(rng.uniform(0.3, 1.7))
        variant = assignment.variant(user)
        if variant == "candidate" and rng.random() < lost:
            continue
        chances = (0.3 * taste, clicks[variant] * taste)
        for at_s, shown_by, chance in zip((0.0, 1e5), (None, variant), chances, strict=True):
            events += _visit(rng, user, START_S + at_s + 60 * row, shown_by, chance)
    return events


def _visit(rng: np.random.Generator, user: str, at_s: float, variant: str | None, chance: float) -> list[StoredEvent]:
    session, found = f"{user}-{variant}", list[StoredEvent]()
    for place in range(1, 7):
        name = f"{session}-{place}"
        shown = StoredEvent(
            name, user, f"i{place}", "impression", at_s, session, position=place, answer_id=session, variant=variant
        )
        found.append(shown)
        if rng.random() < chance:
            dwell = int(rng.lognormal(9, 0.5))
            clicked = replace(shown, event_id=f"{name}-click", event="click", timestamp_s=at_s + place, dwell_ms=dwell)
            found.append(clicked)
            if rng.random() < 0.2:
                found.append(StoredEvent(f"{name}-buy", user, f"i{place}", "purchase", at_s + 8, session))
    return found
