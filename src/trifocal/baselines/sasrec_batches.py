"""Histories -> windows -> padded batches of the sequence baseline. Pure functions on arrays.

Letters: B windows, L positions, P real positions of a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trifocal.types import IntArray

__all__ = ["WindowBatch", "left_aligned", "moments", "shuffled_within", "window_batches", "windows"]

# Lengths are shaken by so much before they are sorted, so that windows meet others in each epoch.
_SHAKE = 0.1


@dataclass(frozen=True)
class WindowBatch:
    """Windows of similar length; the target of a position is the event after it.

    Attributes:
        item_rows: (B, L) int64, left-aligned, 0 behind the end.
        lengths: (B,) int64, real positions of each line.
        real: (B, L) bool, True at the P real positions.
        targets: (P,) int64, what came next, line by line.
    """

    item_rows: Tensor
    lengths: Tensor
    real: Tensor
    targets: Tensor


def windows(histories: Iterable[IntArray], length: int) -> list[IntArray]:
    """Return histories cut into parts of at most `length` + 1 events, from the newest back; neighbours share one event.

    Every event but the first of a history so is a target exactly once. Histories of less than two events teach nothing.

    >>> [part.tolist() for part in windows([np.arange(6), np.arange(1)], 2)]
    [[3, 4, 5], [1, 2, 3], [0, 1]]
    """
    return [rows[max(end - length - 1, 0) : end] for rows in histories for end in range(len(rows), 1, -length)]


def moments(timestamps_s: IntArray) -> IntArray:
    """Return the number of each event's moment; events of one known time share it, an unknown time (0) is its own.

    >>> moments(np.array([0, 0, 7, 7, 9])).tolist()
    [0, 1, 2, 2, 3]
    """
    new = np.ones(len(timestamps_s), dtype=np.int64)
    new[1:] = (timestamps_s[1:] != timestamps_s[:-1]) | (timestamps_s[1:] == 0)
    return np.cumsum(new) - 1


def shuffled_within(parts: Sequence[IntArray], moments: Sequence[IntArray], rng: np.random.Generator) -> list[IntArray]:
    """Return `parts` in which events of one moment have a random order; moments keep theirs."""
    return [part[np.lexsort((rng.random(len(part)), when))] for part, when in zip(parts, moments, strict=True)]


def left_aligned(rows: Sequence[IntArray]) -> tuple[Tensor, Tensor]:
    """Return `rows` as lines (B, L) with 0 behind the end, and their lengths (B,).

    >>> [part.tolist() for part in left_aligned([np.array([5]), np.array([7, 8])])]
    [[[5, 0], [7, 8]], [1, 2]]
    """
    lengths = np.array([len(line) for line in rows], dtype=np.int64)
    padded = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return torch.from_numpy(padded), torch.from_numpy(lengths)


def window_batches(parts: Sequence[IntArray], positions: int, generator: np.random.Generator) -> Iterator[WindowBatch]:
    """Yield all windows once, those of similar length together, about `positions` padded positions a batch."""
    lengths = np.array([len(part) - 1 for part in parts])
    shaken = lengths * generator.uniform(1 - _SHAKE, 1 + _SHAKE, len(parts))
    groups = _groups(np.argsort(shaken, kind="stable"), lengths, positions)
    for group in generator.permutation(len(groups)):
        yield _window_batch([parts[row] for row in groups[group]])


def _groups(order: IntArray, lengths: IntArray, positions: int) -> list[list[int]]:
    """Cut `order` into runs whose padded size, count times greatest length, is at most `positions`."""
    groups: list[list[int]] = []
    longest = 0
    for row in order.tolist():
        longest = max(longest, int(lengths[row]))
        if not groups or (len(groups[-1]) + 1) * longest > positions:
            groups.append([])
            longest = int(lengths[row])
        groups[-1].append(row)
    return groups


def _window_batch(parts: Sequence[IntArray]) -> WindowBatch:
    item_rows, lengths = left_aligned([part[:-1] for part in parts])
    real = torch.arange(item_rows.shape[1]) < lengths[:, None]
    return WindowBatch(item_rows, lengths, real, torch.from_numpy(np.concatenate([part[1:] for part in parts])))
