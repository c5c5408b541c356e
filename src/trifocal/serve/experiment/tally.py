"""Events of the store -> what each shopper did under the variant that was seen first. Bounded; reads on where it left.

By first exposure: a shopper counts for the variant of the first impression, whatever comes later, so that nobody drops
out for a reason that the variant may have had a part in. A click counts where it names the answer that it came from.
Shoppers are known by a hash alone.

Letters: S shoppers of a variant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from trifocal.feedback.experiments import MeanEstimate, mean_estimate, ratio_estimate
from trifocal.feedback.experiments.estimates import Numbers
from trifocal.ports import EventStore, StoredEvent
from trifocal.types import EventType

__all__ = ["Tally", "newest_number"]

# Some 300 bytes each. Whoever comes later is left out, whichever the variant: the figures are sure by then.
_SHOPPERS_MOST = 500_000
_BATCH = 5_000
_VARIANT, _IMPRESSIONS, _CLICKS, _BOUGHT = range(4)


class Tally:
    """Counts of an experiment. Not for several threads at once. Stability: internal."""

    def __init__(self, variants: Sequence[str], after: int = 0, *, most: int = _SHOPPERS_MOST) -> None:
        """Begin with nobody.

        Args:
            variants: of the experiment; events of others count nowhere.
            after: number of the newest event that does not count.
            most: shoppers that are counted.
        """
        self._numbers = {name: number for number, name in enumerate(variants)}
        self._shoppers: dict[bytes, list[int]] = {}
        self._after, self._most = after, most

    def read(self, store: EventStore) -> int:
        """Count what is new in `store`; return how many events that were."""
        count = 0
        while found := store.after(self._after, _BATCH):
            self.add(event for _, event in found)
            self._after = found[-1][0]
            count += len(found)
        return count

    def add(self, events: Iterable[StoredEvent]) -> None:
        """Count `events`, in the order of arrival."""
        for event in events:
            counts = self._counts(event)
            if counts is None:
                continue
            if event.event == EventType.IMPRESSION.value:
                counts[_IMPRESSIONS] += 1
            elif event.event == EventType.CLICK.value:
                counts[_CLICKS] += event.answer_id is not None or event.variant is not None
            elif event.event == EventType.PURCHASE.value:
                counts[_BOUGHT] = 1

    def estimates(self) -> dict[str, dict[str, MeanEstimate]]:
        """Return variant -> metric -> what was reached: `ctr` clicks an impression, `conversion` share who bought."""
        every = np.array(list(self._shoppers.values()), dtype=np.float64).reshape(-1, 4)
        found = {name: every[every[:, _VARIANT] == number] for name, number in self._numbers.items()}
        return {name: _estimates(counts) for name, counts in found.items()}

    def totals(self) -> dict[str, tuple[int, int, int]]:
        """Return variant -> impressions, clicks, shoppers who bought."""
        every = np.array(list(self._shoppers.values()), dtype=np.int64).reshape(-1, 4)
        return {
            name: tuple(every[every[:, _VARIANT] == number][:, _IMPRESSIONS:].sum(axis=0).tolist())
            for name, number in self._numbers.items()
        }

    def _counts(self, event: StoredEvent) -> list[int] | None:
        key = blake2b(event.user_id.encode("utf-8", "surrogatepass"), digest_size=12).digest()
        known = self._shoppers.get(key)
        if known is not None:
            return known
        number = self._numbers.get(event.variant or "")
        if number is None or event.event != EventType.IMPRESSION.value or len(self._shoppers) >= self._most:
            return None
        return self._shoppers.setdefault(key, [number, 0, 0, 0])


def _estimates(counts: Numbers) -> dict[str, MeanEstimate]:
    return {
        "ctr": ratio_estimate(counts[:, _CLICKS], counts[:, _IMPRESSIONS]),
        "conversion": mean_estimate(counts[:, _BOUGHT]),
    }


def newest_number(store: EventStore) -> int:
    """Return the number of the newest event of `store`, 0 = it is empty; in some 60 small questions."""
    step = 1
    while store.after(step - 1, 1):
        step *= 2
    # Events past `low` there are, past `high` there are none.
    low, high = step // 2 - 1 if step > 1 else -1, step - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if store.after(middle, 1) else (low, middle)
    return high
