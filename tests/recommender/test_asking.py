from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests.serve.small_service import small_service

from trifocal.errors import ConfigError, DataError
from trifocal.recommender.asking import batches, filters_of, requests_of, sessions_of
from trifocal.serve import Ask, Filters
from trifocal.types import EventType, Rankings, Request


class Counting:
    """Ranks nothing; counts how many it is asked at once."""

    name = "counting"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        self.sizes.append(len(requests))
        return Rankings(np.full((len(requests), k), len(self.sizes)), np.zeros((len(requests), k), np.float32))


def test_limits_are_prices_a_category_or_attributes() -> None:
    found = filters_of({"category": "Home", "price_max": 5, "attribute.colour": ["red", "blue"]})
    assert found == Filters("Home", None, 5, (("colour", ("red", "blue")),))
    assert filters_of(None) == Filters()
    assert filters_of(found) is found
    with pytest.raises(ConfigError, match="filters holds price_max = 'cheap'; give a number"):
        filters_of({"price_max": "cheap"})


def test_sessions_keep_their_order_and_say_what_is_known() -> None:
    moment = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    rows = {
        "user_id": [1, 2, 1],
        "item_id": ["x", "y", "z"],
        "event": ["cart", None, "rating"],
        "value": [None, None, 5.0],
    }
    found = sessions_of(pl.DataFrame(rows).with_columns(timestamp=pl.Series([moment, None, None])))
    assert [event.item_id for event in found["1"]] == ["x", "z"]
    assert (found["1"][0].event, found["1"][0].timestamp_s) == (EventType.CART, 60.0)
    assert (found["1"][1].value, found["2"][0].event) == (5.0, EventType.CLICK)
    assert sessions_of(None) == {}


def test_a_session_that_cannot_be_used_is_named() -> None:
    with pytest.raises(DataError, match="sessions lacks the column item_id; it has: user_id"):
        sessions_of(pd.DataFrame({"user_id": ["a"]}))
    with pytest.raises(DataError, match="sessions holds the event 'stare'; use one of impression, click"):
        sessions_of(pl.DataFrame({"user_id": ["a"], "item_id": ["x"], "event": ["stare"]}))


def test_requests_leave_out_what_was_seen_and_what_is_barred(tmp_path: Path) -> None:
    service = small_service(tmp_path)
    user = service.state.some_shoppers(1, events_min=1)[0]
    history = service.state.history(user).item_rows
    barred = service.catalogue.barred_rows(Filters())
    (request,), notes = requests_of(service, [Ask(user)])
    assert request.exclude.tolist() == sorted({*history.tolist(), *barred.tolist()})
    assert notes == ()
    (again,), _ = requests_of(service, [Ask(user, exclude_seen=False)])
    assert again.exclude.tolist() == barred.tolist()
    assert again.history.item_rows.tolist() == request.history.item_rows.tolist() == history.tolist()


def test_many_are_ranked_so_many_at_a_time_as_fit() -> None:
    asked = Counting()
    found = batches(asked, [Request()] * 5, 2, n_items=20_000_000)
    assert asked.sizes == [2, 2, 1]
    assert found.item_rows.tolist() == [[1, 1], [1, 1], [2, 2], [2, 2], [3, 3]]
    assert batches(asked, [], 2, n_items=10).item_rows.shape == (0, 2)
