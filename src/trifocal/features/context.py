"""Context -> codes: device, country, hour, weekday, time gap. Fitted once, used identically offline and online."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from trifocal.types import BoolArray, IntArray, Vocabulary

__all__ = [
    "GAP_CODES",
    "HOUR_CODES",
    "WEEKDAY_CODES",
    "ContextVocabulary",
    "gap_codes",
    "hour_codes",
    "weekday_codes",
]

# Upper edges of the time-gap buckets, from "same moment" over a session (30 min) to 90 days. Code 0 = unknown.
_GAP_EDGES_S = np.array([0, 10, 60, 300, 1800, 7200, 21600, 86400, 3 * 86400, 7 * 86400, 30 * 86400, 90 * 86400])
GAP_CODES = len(_GAP_EDGES_S) + 2
HOUR_CODES = 25
WEEKDAY_CODES = 8
_DAY_S = 86_400


def gap_codes(gaps_s: IntArray, known: BoolArray) -> IntArray:
    """Return the bucket of each gap in seconds, from 1; 0 where `known` is false."""
    return np.where(known, np.searchsorted(_GAP_EDGES_S, gaps_s, side="left") + 1, 0).astype(np.int64)


def hour_codes(timestamps_s: IntArray) -> IntArray:
    """Return the hour of day (UTC) plus 1; 0 where the time is unknown.

    >>> hour_codes(np.array([0, 3600 * 25])).tolist()
    [0, 2]
    """
    return np.where(timestamps_s > 0, timestamps_s // 3600 % 24 + 1, 0).astype(np.int64)


def weekday_codes(timestamps_s: IntArray) -> IntArray:
    """Return the weekday (UTC), Monday = 1; 0 where the time is unknown. 1970-01-01 was a Thursday."""
    return np.where(timestamps_s > 0, (timestamps_s // _DAY_S + 3) % 7 + 1, 0).astype(np.int64)


@dataclass(frozen=True)
class ContextVocabulary:
    """The devices and countries seen in training; code = row + 1, 0 = unknown."""

    devices: Vocabulary
    countries: Vocabulary

    @classmethod
    def fit(cls, devices: Iterable[str | None], countries: Iterable[str | None]) -> ContextVocabulary:
        """Return the sorted values met; None is no value."""
        return cls(
            Vocabulary.of(sorted({d for d in devices if d is not None})),
            Vocabulary.of(sorted({d for d in countries if d is not None})),
        )

    def device_code(self, device: str | None) -> int:
        """Return the code of `device`, 0 where it is None or was never seen in training."""
        return _code(self.devices, device)

    def country_code(self, country: str | None) -> int:
        """Return the code of `country`, 0 where it is None or was never seen in training."""
        return _code(self.countries, country)

    def to_json(self) -> dict[str, list[str]]:
        """Return what `from_json` reads."""
        return {"devices": list(self.devices.ids), "countries": list(self.countries.ids)}

    @classmethod
    def from_json(cls, state: dict[str, list[str]]) -> ContextVocabulary:
        """Return the vocabulary that `to_json` wrote."""
        return cls(Vocabulary.of(state["devices"]), Vocabulary.of(state["countries"]))


def _code(vocabulary: Vocabulary, value: str | None) -> int:
    row = None if value is None else vocabulary.row(value)
    return 0 if row is None else row + 1
