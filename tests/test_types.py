from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trifocal.types import EVENT_CODES, POSITIVE_EVENTS, EventType, History, Request, Vocabulary


def test_a_repeated_id_keeps_its_first_row() -> None:
    vocabulary = Vocabulary.of(["b", "a", "b", "c"])
    assert vocabulary.ids == ("b", "a", "c")
    assert [vocabulary.row(item) for item in ("b", "a", "c")] == [0, 1, 2]
    assert len(vocabulary) == 3


def test_an_unknown_id_has_no_row() -> None:
    vocabulary = Vocabulary.of(["b", "a"])
    assert vocabulary.row("z") is None
    rows = vocabulary.rows(["a", "z", "b", "a"])
    assert rows.tolist() == [1, -1, 0, 1]
    assert rows.dtype == np.int64
    assert vocabulary.rows([]).shape == (0,)


def test_vocabularies_of_equal_ids_are_equal() -> None:
    assert Vocabulary.of(["a", "b"]) == Vocabulary.of(iter(["a", "b"]))
    assert Vocabulary.of(["a", "b"]) != Vocabulary.of(["b", "a"])


def test_event_codes_are_fixed() -> None:
    # They are stored in bundles: a changed code would make an old bundle read other events.
    assert EVENT_CODES == {"impression": 1, "click": 2, "cart": 3, "purchase": 4, "rating": 5}
    assert EventType.IMPRESSION not in POSITIVE_EVENTS
    assert len(POSITIVE_EVENTS) == len(EventType) - 1


def history() -> History:
    columns = [np.array([start, start + 1, start + 2], np.int64) for start in (10, 20, 30, 40, 50)]
    return History(*columns)


def test_last_keeps_the_newest_events_of_every_column() -> None:
    newest = history().last(2)
    assert newest.item_rows.tolist() == [11, 12]
    assert newest.event_codes.tolist() == [21, 22]
    assert newest.timestamps_s.tolist() == [31, 32]
    assert newest.device_codes.tolist() == [41, 42]
    assert newest.country_codes.tolist() == [51, 52]


@pytest.mark.parametrize(("length", "left"), [(0, 0), (3, 3), (9, 3)])
def test_last_never_keeps_more_than_there_is(length: int, left: int) -> None:
    assert len(history().last(length)) == left


def test_events_are_chosen_by_mask_place_or_slice_in_every_column() -> None:
    for events in (np.array([True, False, True]), np.array([0, 2]), slice(0, 3, 2)):
        found = history().at(events)
        columns = [getattr(found, field.name).tolist() for field in dataclasses.fields(found)]
        assert columns == [[start, start + 2] for start in (10, 20, 30, 40, 50)]


def test_a_history_of_rows_knows_nothing_else() -> None:
    known = History.of_rows([4, 2])
    assert known.item_rows.tolist() == [4, 2]
    assert known.item_rows.dtype == np.int64
    for name in ("event_codes", "timestamps_s", "device_codes", "country_codes"):
        assert getattr(known, name).tolist() == [0, 0]


def test_an_empty_request_asks_for_anybody() -> None:
    request = Request()
    assert len(request.history) == 0
    assert request.exclude.tolist() == []
    assert request.exclude.dtype == np.int64
    assert (request.context.timestamp_s, request.context.query_vector, request.user_id) == (0, None, None)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Request().exclude = np.zeros(1, np.int64)  # type: ignore[misc]  # that it is refused is the point


def test_a_vocabulary_grows_beside_the_one_that_it_was() -> None:
    before = Vocabulary.of(["shoe", "bag"])
    after = before.grown("hat")
    assert (before.row("hat"), after.row("hat"), after.ids) == (None, 2, ("shoe", "bag", "hat"))
    assert before.rows(["hat", "bag"]).tolist() == [-1, 1]
    other = before.grown("cap")
    assert (other.row("cap"), other.row("hat"), after.row("cap")) == (2, None, None)
    with pytest.raises(ValueError, match="'hat' has row 2 already"):
        after.grown("hat")
