from __future__ import annotations

import numpy as np

from trifocal.batch import CONTEXT_FIELDS
from trifocal.features.sequences import user_batch
from trifocal.types import Context, History, Request

HOUR = 3600


def history(rows: list[int], times: list[int]) -> History:
    size = len(rows)
    codes = np.arange(1, size + 1)
    return History(np.array(rows), codes, np.array(times), codes, np.zeros(size, np.int64))


def test_position_j_holds_the_context_of_the_next_event() -> None:
    request = Request(history([4, 7], [HOUR, 2 * HOUR]), Context(timestamp_s=5 * HOUR, device_code=9))
    batch = user_batch([request], 10, 3)
    batch.validate()
    assert batch.item_rows.tolist() == [[4, 7]]
    gap, device, hour = (CONTEXT_FIELDS.index(name) for name in ("gap", "device", "hour"))
    assert batch.context[0, :, device].tolist() == [1, 2, 9]
    assert batch.context[0, :, hour].tolist() == [2, 3, 6]
    # First event: no gap known; one hour: bucket "up to 2 h"; three hours: bucket "up to 6 h".
    assert batch.context[0, :, gap].tolist() == [0, 6, 7]


def test_only_the_newest_events_are_read_and_short_ones_are_left_aligned() -> None:
    batch = user_batch([Request(history([1, 2, 3], [1, 2, 3])), Request(history([5], [1]))], 2, 3)
    batch.validate()
    assert batch.item_rows.tolist() == [[2, 3], [5, 0]]
    assert batch.mask.tolist() == [[True, True], [True, False]]


def test_a_stranger_has_an_empty_sequence_and_one_position() -> None:
    batch = user_batch([Request()], 5, 3)
    batch.validate()
    assert batch.item_rows.shape == (1, 0)
    assert batch.context.shape == (1, 1, len(CONTEXT_FIELDS))


def test_a_query_stands_at_the_last_position() -> None:
    asked = Request(history([1], [1]), Context(query_vector=np.array([1, 2, 3], np.float32)))
    batch = user_batch([Request(history([1, 2], [1, 2])), asked], 5, 3)
    assert batch.query_rows.tolist() == [[0, 0, 0], [0, 1, 0]]
    assert batch.query_vectors.tolist() == [[0, 0, 0], [1, 2, 3]]
