"""Requests -> the user tower's input, the same way in training, evaluation and serving. Drawing: see `batch.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from trifocal.batch import CONTEXT_FIELDS, UserBatch
from trifocal.features.context import gap_codes, hour_codes, weekday_codes
from trifocal.types import BoolArray, Context, FloatArray, History, IntArray, Request

__all__ = ["UserArrays", "user_arrays", "user_batch"]


@dataclass(frozen=True)
class UserArrays:
    """The fields of a `UserBatch`, as arrays; see there."""

    item_rows: IntArray
    mask: BoolArray
    event_codes: IntArray
    context: IntArray
    query_rows: IntArray
    query_vectors: FloatArray


def user_batch(requests: Sequence[Request], history_length: int, text_width: int) -> UserBatch:
    """Return the newest `history_length` events of each request as tensors, with the context of what comes next."""
    arrays = user_arrays(requests, history_length, text_width)
    return UserBatch(**{field.name: torch.from_numpy(getattr(arrays, field.name)) for field in fields(arrays)})


def user_arrays(
    requests: Sequence[Request], history_length: int, text_width: int, *, least_length: int = 0
) -> UserArrays:
    """Return what `user_batch` returns, as arrays; histories are padded to `least_length` places at least."""
    histories = [request.history.last(history_length) for request in requests]
    size = len(requests)
    length = max([least_length, *(len(history) for history in histories)])
    item_rows = np.zeros((size, length), dtype=np.int64)
    event_codes = np.zeros((size, length), dtype=np.int64)
    mask = np.zeros((size, length), dtype=np.bool_)
    context = np.zeros((size, length + 1, len(CONTEXT_FIELDS)), dtype=np.int64)
    for row, (request, history) in enumerate(zip(requests, histories, strict=True)):
        end = len(history)
        item_rows[row, :end], event_codes[row, :end], mask[row, :end] = history.item_rows, history.event_codes, True
        context[row, : end + 1] = _context_codes(history, request.context)
    query_rows, query_vectors = _queries(requests, [len(h) for h in histories], length, text_width)
    return UserArrays(item_rows, mask, event_codes, context, query_rows, query_vectors)


def _context_codes(history: History, context: Context) -> IntArray:
    """Position j: the circumstances of event j + 1, the last those of the request; (L + 1, fields)."""
    times = np.append(history.timestamps_s, context.timestamp_s)
    known = (times[1:] > 0) & (times[:-1] > 0)
    gaps = np.append(0, gap_codes(np.maximum(np.diff(times), 0), known))
    devices = np.append(history.device_codes, context.device_code)
    countries = np.append(history.country_codes, context.country_code)
    return np.stack([gaps, devices, countries, hour_codes(times), weekday_codes(times)], axis=1)


def _queries(
    requests: Sequence[Request], lengths: Sequence[int], length: int, text_width: int
) -> tuple[IntArray, FloatArray]:
    rows = np.zeros((len(requests), length + 1), dtype=np.int64)
    vectors = [np.zeros(text_width, dtype=np.float32)]
    for row, (request, end) in enumerate(zip(requests, lengths, strict=True)):
        if request.context.query_vector is not None:
            rows[row, end] = len(vectors)
            vectors.append(request.context.query_vector)
    return rows, np.stack(vectors).astype(np.float32)
