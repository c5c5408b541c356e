from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.errors import ArtifactError
from trifocal.serve.caches.history_code import columns_of, decode_history, encode_history
from trifocal.types import History

_INT64 = st.integers(-(2**63), 2**63 - 1)
_EVENTS = st.lists(st.tuples(_INT64, _INT64, st.integers(0, 2**31), st.integers(-129, 300), st.just(0)), max_size=20)


@given(_EVENTS)
@settings(max_examples=80, deadline=None)
def test_every_history_comes_back(events: list[tuple[int, ...]]) -> None:
    table = np.array(events, dtype=np.int64).reshape(-1, 5).T
    again = decode_history(encode_history(History(*table)))
    for column, expected in zip(columns_of(again), table, strict=True):
        assert column.dtype == np.int64
        assert column.flags.writeable  # torch warns of arrays that are not
        np.testing.assert_array_equal(column, expected)


def test_a_usual_history_takes_eleven_bytes_an_event() -> None:
    # Rows below 2**31 take 4 bytes, seconds since 1970 take 4, codes 1 each; the header takes 12.
    history = History(*np.array([[70_000, 5], [2, 2], [1_700_000_000, 1_700_000_009], [1, 1], [3, 0]]))
    assert len(encode_history(history)) == 12 + 2 * 11


def test_the_bytes_of_version_one() -> None:
    history = History(*np.array([[1, 2], [3, 3], [256, 257], [0, 0], [1, 0]]))
    expected = b"TH\x01\x01\x01\x02\x01\x01\x02\x00\x00\x00" + b"\x01\x02\x03\x03\x00\x01\x01\x01\x00\x00\x01\x00"
    assert encode_history(history) == expected


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:5], "of 5 bytes lacks its header of 12"),
        (lambda data: data[:-1], "of 3 events has 26 bytes, not 27"),
        (lambda data: data + b"x", "of 3 events has 28 bytes, not 27"),
        (lambda data: b"XX" + data[2:], "starts with b'XX"),
        (lambda data: data[:2] + b"\x02" + data[3:], "and version 1"),
        (lambda data: data[:3] + b"\x03" + data[4:], "starts with b'TH"),
    ],
)
def test_what_is_no_history_is_refused(damage, message: str) -> None:  # type: ignore[no-untyped-def]
    data = encode_history(History.of_rows([1, 2, 3]))
    with pytest.raises(ArtifactError, match=message):
        decode_history(damage(data))
