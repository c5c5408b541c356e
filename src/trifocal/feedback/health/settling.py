"""Impressions and clicks -> which impressions were clicked, once that is known. Bounded; knows no detector.

An impression is settled with its whole answer: when the user's next answer is shown, or after a wait. A click that
comes later still counts: as one more impression that was clicked, so that slow readers do not look like a fall.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from trifocal.ports import StoredEvent
from trifocal.types import EventType

__all__ = ["Settled", "Settling"]


@dataclass(frozen=True)
class Settled:
    """One answer of which is known what was clicked.

    Attributes:
        variant: which of the served variants answered, None where the client did not say.
        rung: which rung answered, likewise.
        clicks: 1 = clicked, 0 = not, for each item that was shown, in its order.
    """

    variant: str | None
    rung: str | None
    clicks: tuple[int, ...]


@dataclass
class _Shown:
    user_id: str
    variant: str | None
    rung: str | None
    until_s: float
    clicks: dict[str, int] = field(default_factory=dict)

    def settled(self) -> Settled:
        return Settled(self.variant, self.rung, tuple(self.clicks.values()))


class Settling:
    """Holds impressions back until they are settled. Used from one thread. Stability: internal."""

    def __init__(self, wait_s: float, most: int = 20_000) -> None:
        """Wait `wait_s` at most, and hold at most `most` answers: an older one is settled early."""
        self._wait_s, self._most = wait_s, most
        self._shown: OrderedDict[str, _Shown] = OrderedDict()
        self._of_user: dict[str, str] = {}
        # Settled without a click, by answer: what was not clicked may be clicked later.
        self._late: OrderedDict[str, _Shown] = OrderedDict()

    def take(self, events: Sequence[StoredEvent], now_s: float) -> list[Settled]:
        """Take events in the order in which they came; return the answers that are settled by them."""
        settled: list[Settled] = []
        for event in events:
            if event.event == EventType.IMPRESSION:
                settled += self._impression(event, now_s)
            elif event.event == EventType.CLICK:
                settled += self._click(event)
        return settled

    def due(self, now_s: float) -> list[Settled]:
        """Return the answers whose wait is over."""
        settled: list[Settled] = []
        while self._shown:
            key, shown = next(iter(self._shown.items()))
            if shown.until_s > now_s:
                break
            settled.append(self._settle(key))
        return settled

    def forget(self, user_id: str) -> None:
        """Drop what a shopper who is deleted was shown."""
        self._of_user.pop(user_id, None)
        for held in (self._shown, self._late):
            for key in [key for key, shown in held.items() if shown.user_id == user_id]:
                del held[key]

    def __len__(self) -> int:
        return len(self._shown)

    def _impression(self, event: StoredEvent, now_s: float) -> list[Settled]:
        key, settled = _key(event), list[Settled]()
        before = self._of_user.get(event.user_id)
        if before is not None and before != key:
            settled.append(self._settle(before))
        shown = self._shown.get(key)
        if shown is None:
            shown = _Shown(event.user_id, event.variant, event.rung, now_s + self._wait_s)
            self._shown[key] = shown
            self._of_user[event.user_id] = key
        shown.clicks.setdefault(event.item_id, 0)
        while len(self._shown) > self._most:
            settled.append(self._settle(next(iter(self._shown))))
        return settled

    def _click(self, event: StoredEvent) -> list[Settled]:
        key = _key(event)
        shown = self._shown.get(key)
        if shown is not None:
            if event.item_id in shown.clicks:
                shown.clicks[event.item_id] = 1
            return []
        late = self._late.get(key)
        if late is None or late.clicks.get(event.item_id) != 0:
            return []
        late.clicks[event.item_id] = 1
        return [Settled(late.variant, late.rung, (1,))]

    def _settle(self, key: str) -> Settled:
        shown = self._shown.pop(key)
        if self._of_user.get(shown.user_id) == key:
            del self._of_user[shown.user_id]
        self._late[key] = shown
        if len(self._late) > self._most:
            self._late.popitem(last=False)
        return shown.settled()


def _key(event: StoredEvent) -> str:
    return event.answer_id or f"{event.user_id}\n{event.session_id}"
