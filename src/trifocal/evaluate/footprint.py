"""How large a recommender is: the numbers it holds, and the memory they take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from trifocal.ports import Recommender

__all__ = ["footprint"]


def footprint(recommender: Recommender) -> tuple[int, float]:
    """Return the numbers that `recommender` holds, and their size in megabytes of 10^6 bytes.

    Counted are the arrays and networks among its attributes, and those of the parts it is made of; whatever two of
    them share is counted once.
    """
    arrays = {id(array): array for array in _arrays(recommender)}
    return sum(a.size for a in arrays.values()), round(sum(a.nbytes for a in arrays.values()) / 1e6, 3)


def _arrays(holder: Any) -> Iterator[npt.NDArray[Any]]:
    if isinstance(holder, np.ndarray):
        yield holder
    elif isinstance(holder, Tensor):
        yield holder.detach().numpy()
    elif isinstance(holder, nn.Module):
        for tensor in holder.state_dict().values():
            yield tensor.detach().numpy()
    elif isinstance(holder, csr_matrix):
        yield from (holder.data, holder.indices, holder.indptr)
    elif isinstance(holder, tuple | list):
        for part in holder:
            yield from _arrays(part)
    elif hasattr(holder, "__dict__") and type(holder).__module__.startswith("trifocal."):
        for value in vars(holder).values():
            yield from _arrays(value)
