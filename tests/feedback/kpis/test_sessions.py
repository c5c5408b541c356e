from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from trifocal.feedback.kpis import KpiConfig
from trifocal.feedback.kpis.sessions import LiveDwell, LiveSessions
from trifocal.feedback.satisfaction import DwellCell, DwellNormaliser
from trifocal.ports import StoredEvent


def event(kind: str = "click", user: str = "ann", session: str | None = "s1", **changes: float | str) -> StoredEvent:
    return StoredEvent("", user, "x", kind, 0.0, session_id=session, **changes)  # type: ignore[arg-type]  # few fields


def test_a_session_ends_with_its_id_or_a_long_pause() -> None:
    sessions = LiveSessions(KpiConfig(session_gap_s=100), lambda user_id: user_id == "old")
    first, is_new = sessions.of(event(), 0.0)
    assert is_new
    assert not first.is_known
    assert sessions.of(event(), 100.0) == (first, False)
    second, is_new = sessions.of(event(), 201.0)
    assert (is_new, second.is_returning, second.is_known) == (True, True, True)
    assert sessions.of(event(session="s2"), 202.0)[1]
    assert sessions.of(event(user="old"), 0.0)[0].is_known
    sessions.forget("ann")
    assert not sessions.of(event(), 203.0)[0].is_returning


def test_only_so_many_shoppers_are_remembered() -> None:
    sessions = LiveSessions(KpiConfig(sessions_most=2), lambda _user_id: False)
    for user in ("a", "b", "c"):
        sessions.of(event(user=user), 0.0)
    assert sessions.of(event(user="b"), 1.0)[1] is False
    assert sessions.of(event(user="a"), 1.0)[1] is True


def test_dwell_is_normalised_as_offline() -> None:
    dwell = LiveDwell(min_clicks=4)
    for milliseconds in (2000, 8000, 2000, 8000):
        dwell.normalised(event(dwell_ms=milliseconds, device="phone"), "Shoes")
    found = dwell.normalised(event(dwell_ms=6000, device="phone"), "Shoes")
    logs = np.log([2000, 8000, 2000, 8000])
    cell = DwellCell("Shoes", "phone", 4, float(logs.mean()), float(logs.std(ddof=1)))
    frame = pl.DataFrame({"item_id": ["x"], "event": ["click"], "dwell_ms": [6000], "device": ["phone"]})
    categories = pl.DataFrame({"item_id": ["x"], "category": ["Shoes"]})
    assert found == pytest.approx(DwellNormaliser((cell,)).normalised(frame, categories)[0])
    # Another category on the device goes by the device.
    assert dwell.normalised(event(dwell_ms=4000, device="phone"), "Hats") is not None
    assert dwell.normalised(event("cart", dwell_ms=4000), "Hats") is None


def test_too_few_clicks_or_none_that_differ_say_nothing() -> None:
    dwell = LiveDwell(min_clicks=2)
    found = [dwell.normalised(event(dwell_ms=3000), None) for _ in range(4)]
    assert found == [None] * 4


def test_the_score_of_a_session() -> None:
    sessions = LiveSessions(KpiConfig(), lambda _user_id: False)
    session, _ = sessions.of(event(), 0.0)
    weights = {"dwell": 0.6, "conversion": 0.2}
    sessions.take(session, event("impression"), None)
    assert session.score(**weights) == 0
    sessions.take(session, event(), None)
    # Dwell is not known: conversion alone counts.
    assert session.score(**weights) == 0
    sessions.take(session, event("purchase"), None)
    assert session.score(**weights) == 1
    session.dwell, session.dwells = 0.5, 1
    assert session.score(**weights) == pytest.approx((0.3 + 0.2) / 0.8)
    assert session.score(dwell=0.0, conversion=0.0) is None
    assert math.isclose(session.score(dwell=1.0, conversion=0.0) or 0, 0.5)


def test_a_low_rating_is_not_positive() -> None:
    sessions = LiveSessions(KpiConfig(), lambda _user_id: False)
    session, _ = sessions.of(event(), 0.0)
    sessions.take(session, event("rating", value=2.0), None)
    assert not session.is_positive
    sessions.take(session, event("rating", value=4.0), None)
    assert session.is_positive
