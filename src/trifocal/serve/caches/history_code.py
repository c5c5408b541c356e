"""A history <-> bytes: five columns, each in the narrowest whole number that holds it. Pure, versioned, no pickle.

```
magic "TH" | version u8 | width of each of 5 columns u8 | events u32 | column 1 | ... | column 5     little-endian
```
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from trifocal.errors import ArtifactError
from trifocal.types import History, IntArray

__all__ = ["columns_of", "decode_history", "encode_history"]

_Whole = np.dtype[np.int8] | np.dtype[np.int16] | np.dtype[np.int32] | np.dtype[np.int64]

_MAGIC, _VERSION = b"TH", 1
_HEADER = struct.Struct("<2sB5BI")
_TYPES: dict[int, _Whole] = {1: np.dtype("<i1"), 2: np.dtype("<i2"), 4: np.dtype("<i4"), 8: np.dtype("<i8")}


def columns_of(history: History) -> tuple[IntArray, ...]:
    """Return the five arrays (L,) in the order of their fields."""
    return (
        history.item_rows,
        history.event_codes,
        history.timestamps_s,
        history.device_codes,
        history.country_codes,
    )


def encode_history(history: History) -> bytes:
    """Return `history` as bytes that `decode_history` reads.

    >>> data = encode_history(History.of_rows([3, 300]))
    >>> len(data), data[:2]  # 12 of header, 2 x 2 for the rows, 2 x 1 for each of the others
    (24, b'TH')
    """
    columns = [_narrowed(column) for column in columns_of(history)]
    widths = [column.dtype.itemsize for column in columns]
    return b"".join([_HEADER.pack(_MAGIC, _VERSION, *widths, len(history)), *(c.tobytes() for c in columns)])


def decode_history(data: bytes) -> History:
    """Return the history that `encode_history` wrote.

    Raises:
        ArtifactError: when the bytes are of another version, damaged or cut off.
    """
    if len(data) < _HEADER.size:
        raise ArtifactError(
            f"a history of {len(data)} bytes lacks its header of {_HEADER.size}; drop it from the cache"
        )
    magic, version, *widths, length = _HEADER.unpack_from(data)
    if magic != _MAGIC or version != _VERSION or not set(widths) <= set(_TYPES):
        raise ArtifactError(
            f"a history starts with {data[:8]!r}, not with {_MAGIC!r} and version {_VERSION}; drop it from the cache"
        )
    expected = _HEADER.size + length * sum(widths)
    if len(data) != expected:
        raise ArtifactError(
            f"a history of {length} events has {len(data)} bytes, not {expected}; drop it from the cache"
        )
    return History(*_columns(data, widths, length))


def _narrowed(column: IntArray) -> npt.NDArray[np.signedinteger]:
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for dtype in _TYPES.values():
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return column.astype(dtype)
    raise ArtifactError(f"a history holds {low} to {high}, wider than 8 bytes; rows and codes are int64")


def _columns(data: bytes, widths: list[int], length: int) -> list[IntArray]:
    columns, offset = [], _HEADER.size
    for width in widths:
        # astype copies, so that the arrays can be written to like any other history's.
        columns.append(np.frombuffer(data, _TYPES[width], length, offset).astype(np.int64))
        offset += width * length
    return columns
