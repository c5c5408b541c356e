"""Rows that grow and change while others read: a table as it was built, and a tail behind it. No id, no file.

```
base, as built:   rows 0 .. N0-1           never written, may be memory-mapped
tail:             changed and added rows   written once, behind what every reader sees
places:           row -> where it stands now
```

A change gives a new table; the one before stays as it was, for whoever still reads it. It costs a copy of the places,
4 bytes a row, not of the vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trifocal.errors import ServingError
from trifocal.types import FloatArray, FloatRows, IntArray

__all__ = ["GrowingRows"]

_FIRST_CAPACITY = 64


@dataclass(frozen=True)
class GrowingRows:
    """(N, width) float32, read by rows. Never changes; `with_row` gives another. Stability: internal.

    Attributes:
        base: (N0, width).
        places: (N,) below N0 = a row of the base, else N0 + a row of the tail.
        tail: (capacity, width); rows from `used` on belong to nobody yet.
        used: rows of the tail that count here.
    """

    base: FloatArray
    places: npt.NDArray[np.int32]
    tail: FloatArray
    used: int

    @classmethod
    def of(cls, rows: FloatRows) -> GrowingRows:
        """Return the table `rows`, ready to grow; an array is not copied.

        Raises:
            ServingError: when it is neither an array nor grown from one.
        """
        if isinstance(rows, cls):
            return rows
        if not isinstance(rows, np.ndarray):
            raise ServingError(f"a table of the class {type(rows).__name__} cannot grow; give it as an array")
        width = rows.shape[1]
        return cls(rows, np.arange(len(rows), dtype=np.int32), np.zeros((_FIRST_CAPACITY, width), np.float32), 0)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: IntArray, /) -> FloatArray:
        """Return the rows `rows`, of any shape."""
        places = self.places[rows]
        fresh = places >= len(self.base)
        if not fresh.any():
            return self.base[places]
        found = self.base[np.where(fresh, 0, places)]
        found[fresh] = self.tail[places[fresh] - len(self.base)]
        return found

    def products(self, vector: FloatArray) -> FloatArray:
        """Return (N,): the inner product of each row with `vector` (width,)."""
        every = np.concatenate([self.base @ vector, self.tail[: self.used] @ vector])
        return every[self.places]

    def with_row(self, row: int, vector: FloatArray) -> GrowingRows:
        """Return the table in which `row` is `vector` (width,); the row N appends. One thread at a time.

        Raises:
            ServingError: when there is no such row, or the vector is none of this table.
        """
        if not 0 <= row <= len(self) or vector.shape != self.tail.shape[1:] or not np.isfinite(vector).all():
            raise ServingError(
                f"row {row} with a vector of shape {vector.shape} does not fit a table of {len(self)} rows of "
                f"{self.tail.shape[1]} finite numbers"
            )
        tail = self.tail
        if self.used == len(tail):
            tail = np.concatenate([tail, np.zeros_like(tail)])
        # Behind all that any reader sees.
        tail[self.used] = vector
        places = np.append(self.places, np.int32(0)) if row == len(self) else self.places.copy()
        places[row] = len(self.base) + self.used
        return replace(self, places=places, tail=tail, used=self.used + 1)
