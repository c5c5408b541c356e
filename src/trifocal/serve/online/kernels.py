"""The loops of retrieval and evidence, compiled by Numba: one call a question, without Python's lock.

The plain twins are `TwoSourceRetrieval` and `trifocal.model.evidence.evidence_of`; `tests/serve/online/test_kernels.py`
holds both to the same numbers. Compiled once and kept beside the package, or in Numba's own folder.

Letters: N items, C rows, K candidates, L events of the history, D embedding size, S compact size, A attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from trifocal.errors import ConfigError

try:
    from numba import njit
except ImportError as missing:
    raise ConfigError(f"fast serving needs the package {missing.name}: pip install 'trifocal[serve]'") from missing

__all__ = ["evidence", "gathered", "linked_sums"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function) -> _Function:
    """Compile when it is called first, for the types that it is called with."""
    return cast("_Function", njit(nogil=True, cache=True, fastmath=True)(function))


@_compiled
def linked_sums(items: Any, strengths: Any, sums: Any, stamps: Any, stamp: Any) -> Any:
    """Add the `strengths` (C,) of `items` (C,) into `sums` (N,), which is zero; return the distinct items."""
    touched = np.empty(len(items), np.int64)
    count = 0
    for place in range(len(items)):
        item = items[place]
        if stamps[item] != stamp:
            stamps[item] = stamp
            touched[count] = item
            count += 1
        sums[item] += strengths[place]
    return touched[:count]


@_compiled
def gathered(parts: Any, excluded: Any, barred: Any, stamp: Any) -> Any:
    """Return the distinct rows of `parts` that are at least 0 and not `excluded`; `barred` (N,) is scratch."""
    for row in excluded:
        barred[row] = stamp
    kept = np.empty(len(parts), np.int64)
    count = 0
    for row in parts:
        if row >= 0 and barred[row] != stamp:
            barred[row] = stamp
            kept[count] = row
            count += 1
    return kept[:count]


@_compiled
def _likeness(table: Any, first: Any, candidates: Any, history: Any) -> None:
    """Columns `first` to `first + 3`: cosine to the most alike, summed and mean sharpened cosines, the newest."""
    size, length, width = len(candidates), len(history), candidates.shape[1]
    for k in range(size):
        nearest = np.float32(0.0)
        total = np.float32(0.0)
        newest = np.float32(0.0)
        for event in range(length):
            cosine = np.float32(0.0)
            for column in range(width):
                cosine += candidates[k, column] * history[event, column]
            cosine = max(cosine, np.float32(0.0))
            nearest = max(nearest, cosine)
            total += (cosine * cosine) * (cosine * cosine)
            newest = cosine
        table[k, first] = nearest
        table[k, first + 1] = total
        table[k, first + 2] = total / length
        table[k, first + 3] = newest


@_compiled
def _together(
    table: Any, rows: Any, history: Any, counts: Any, starts: Any, others: Any, pair_counts: Any, columns: Any
) -> None:
    """Columns 14 to 17: summed and greatest cosine of co-purchase, items of the history with any, users in all."""
    for row in history:
        if row >= len(starts) - 1:
            continue
        of_row = max(counts[row], np.float32(1.0))
        for place in range(starts[row], starts[row + 1]):
            k = columns[others[place]]
            if k >= 0 and rows[k] == others[place]:
                both = pair_counts[place]
                cosine = both / np.sqrt(max(counts[rows[k]], np.float32(1.0)) * of_row)
                table[k, 14] += cosine
                table[k, 15] = max(table[k, 15], cosine)
                table[k, 16] += 1
                table[k, 17] += both


@_compiled
def _shares(table: Any, first: Any, candidates: Any, history: Any) -> None:
    """Price columns 18 to 20, and behind `first` the share of the history that has the candidate's value."""
    size, length, attributes = len(candidates), len(history), candidates.shape[1]
    known, total = 0, 0.0
    for event in range(length):
        if history[event, attributes - 1] > 0:
            known += 1
            total += history[event, attributes - 1]
    for k in range(size):
        price = candidates[k, attributes - 1]
        if known and price != 0:
            nearest = 1e9
            for event in range(length):
                if history[event, attributes - 1] > 0:
                    nearest = min(nearest, abs(price - history[event, attributes - 1]))
            table[k, 18] = price
            table[k, 19] = price - total / known
            table[k, 20] = nearest
        for column in range(attributes - 1):
            code = candidates[k, column]
            same = 0
            if code > 0:
                for event in range(length):
                    same += history[event, column] == code
            table[k, first + column] = same / length


@_compiled
def evidence(
    table: Any,
    rows: Any,
    history: Any,
    texts: Any,
    history_texts: Any,
    images: Any,
    history_images: Any,
    attributes: Any,
    history_attributes: Any,
    counts: Any,
    starts: Any,
    others: Any,
    pair_counts: Any,
    columns: Any,
    first: Any,
) -> None:
    """Fill what compares the candidates `rows` (K,) with the `history` (L,) into `table` (K, F), which is zero there.

    Args:
        table: written.
        rows: candidates; `history`: rows of the events, at least one.
        texts, images: (K, S) of the candidates; `history_texts`, `history_images`: (L, S).
        attributes: (K, A) of the candidates; `history_attributes`: (L, A).
        counts: (N,) users an item has.
        starts, others, pair_counts: pairs of items by the first.
        columns: (N,) scratch, -1 everywhere; left so.
        first: column of the first attribute.
    """
    _likeness(table, 6, texts, history_texts)
    _likeness(table, 10, images, history_images)
    for k in range(len(rows)):
        columns[rows[k]] = k
    _together(table, rows, history, counts, starts, others, pair_counts, columns)
    for k in range(len(rows)):
        columns[rows[k]] = -1
    _shares(table, first, attributes, history_attributes)
