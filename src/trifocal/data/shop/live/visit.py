"""One visit: ask for a page, look at it, act, tell the server, go on. Knows the client, no thread and no file.

```
search, now and then -> page 1 -> page 2 ... up to 4 pages, none with what was seen before in the visit
each page: impressions, clicks with dwell, carts, purchases, in one batch of events
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trifocal.data.shop.behaviour import CART_AT, PURCHASE_AT, Reactions, clock, react, satisfaction
from trifocal.data.shop.live.client import ShopClient, ShownList
from trifocal.data.shop.live.plan import LivePlan
from trifocal.data.shop.live.world import World
from trifocal.data.shop.numbers import Numbers
from trifocal.data.shop.products import TEXT_PROPERTIES
from trifocal.data.shop.shoppers import COUNTRIES, DEVICES
from trifocal.data.shop.visits import PAGE_SIZES
from trifocal.data.shop.writing import query_text
from trifocal.errors import ServingError
from trifocal.types import EventType, IntArray

__all__ = ["Page", "VisitDone", "visit_server"]


@dataclass(frozen=True)
class Page:
    """A page that was seen, and what came of it.

    Attributes:
        is_search: whether it was the answer to words.
        content: sum of the true satisfaction with the clicked products.
        latency_ms: of the list.
    """

    is_search: bool
    variant: str
    rung: str
    model_version: str
    impressions: int
    clicks: int
    carts: int
    purchases: int
    content: float
    latency_ms: float


@dataclass(frozen=True)
class VisitDone:
    """A visit that is over.

    Attributes:
        row: in the plan.
        shopper_number: 0 = the shopper who arrived first.
        visit_number: 0 = the shopper's first one here.
        pages: what was seen, in order; those before a fault only.
        stored: events that were new to the server.
        told: events that were sent.
        fault: why it ended before its time; None = it did not.
    """

    row: int
    user_id: str
    shopper_number: int
    visit_number: int
    pages: tuple[Page, ...]
    stored: int
    told: int
    fault: str | None = None

    @property
    def clicks(self) -> int:
        """Clicks on all pages."""
        return sum(page.clicks for page in self.pages)

    @property
    def impressions(self) -> int:
        """Products seen on all pages."""
        return sum(page.impressions for page in self.pages)

    @property
    def purchases(self) -> int:
        """Products bought on all pages."""
        return sum(page.purchases for page in self.pages)

    @property
    def variant(self) -> str:
        """What answered the first recommendation; empty where nothing was recommended."""
        return next((page.variant for page in self.pages if not page.is_search), "")

    @property
    def satisfaction(self) -> float:
        """True satisfaction, 0..1: the mean over clicked products; 0 where nothing was clicked."""
        return sum(page.content for page in self.pages) / self.clicks if self.clicks else 0.0


class _Visitor:
    """A shopper in front of the server: what stays the same over the pages of a visit."""

    def __init__(self, world: World, plan: LivePlan, row: int) -> None:
        self.world, self.plan, self.row, visits = world, plan, row, plan.visits
        self.shopper, self.device = int(visits.shopper[row]), int(visits.device[row])
        self.user_id, self.day = world.user_ids[self.shopper], float(visits.day[row])
        self.page_size = int(PAGE_SIZES[self.device])
        self.session_id = f"live-{plan.seed}-{plan.shopper_number[row]}-{plan.visit_number[row]}"
        wanted = int(visits.query_property[row])
        self.query = None if wanted < 0 else query_text(int(visits.intent[row]), TEXT_PROPERTIES[wanted])
        self.country = COUNTRIES[world.utility.shoppers.country[self.shopper]]
        self.rng = plan.generator(row)
        # Moves as the visit goes on.
        self.seconds, self.seen, self.told = 0.0, list[str](), 0

    def ask(self, client: ShopClient, *, words: str | None) -> ShownList:
        """Return the next page."""
        if words is not None:
            return client.search(words, self.page_size)
        context = {
            "device": DEVICES[self.device],
            "country": self.country,
            "timestamp": self.world.moment(self.day, self.seconds).isoformat(),
        }
        body = {"user_id": self.user_id, "k": self.page_size, "context": context, "exclude": self.seen}
        return client.recommend(body)

    def look(self, shown: ShownList, *, words: str | None) -> tuple[Page, list[dict[str, object]]]:
        """Return what comes of a page, and the events that say so."""
        items = self.world.item_rows([item.item_id for item in shown.items])
        size = len(items)
        position, device = np.arange(1, size + 1, dtype=np.int64), np.full(size, self.device)
        value = self.world.utility.pairs(np.full(size, self.shopper), np.full(size, self.day), items)
        threshold = self.world.utility.weights.click_threshold
        done = react(value, position, device, threshold, self.rng)
        shown_s, click_s = clock(np.zeros(size, dtype=np.int64), position, done.dwell_s, self.rng)
        events = self._events(shown, words, items, done, shown_s + self.seconds, click_s + self.seconds)
        self.seconds += float((click_s + done.dwell_s).max(initial=0.0))
        self.seen += [item.item_id for item in shown.items]
        content = float(satisfaction(value[done.clicked], threshold).sum())
        return _page(shown, done, content, is_search=words is not None), events

    def _events(
        self,
        shown: ShownList,
        words: str | None,
        items: IntArray,
        done: Reactions,
        shown_s: Numbers,
        click_s: Numbers,
    ) -> list[dict[str, object]]:
        price = self.world.utility.products.price[items].astype(np.float64).round(2)
        events: list[tuple[float, int, EventType, dict[str, object]]] = []
        for place in range(len(items)):
            events.append((shown_s[place], place, EventType.IMPRESSION, {}))
            if not done.clicked[place]:
                continue
            dwell_s = float(done.dwell_s[place])
            events.append((click_s[place], place, EventType.CLICK, {"dwell_ms": int(1000 * dwell_s)}))
            if done.carted[place]:
                events.append((click_s[place] + CART_AT * dwell_s, place, EventType.CART, {}))
            if done.bought[place]:
                paid: dict[str, object] = {"value": float(price[place])}
                events.append((click_s[place] + PURCHASE_AT * dwell_s, place, EventType.PURCHASE, paid))
        return [self._event(shown, words, *event) for event in sorted(events, key=lambda event: event[0])]

    def _event(
        self,
        shown: ShownList,
        words: str | None,
        seconds: float,
        place: int,
        event: EventType,
        more: Mapping[str, object],
    ) -> dict[str, object]:
        self.told += 1
        return {
            "event_id": f"{self.session_id}-{self.told}",
            "user_id": self.user_id,
            "item_id": shown.items[place].item_id,
            "event": event.value,
            "timestamp": self.world.moment(self.day, float(seconds)).isoformat(),
            "session_id": self.session_id,
            "device": DEVICES[self.device],
            "country": self.country,
            "position": place + 1,
            "query": words,
            "answer_id": shown.answer_id,
            "propensity": shown.items[place].propensity,
            "model_version": shown.model_version,
            "variant": shown.variant,
            "rung": shown.rung,
            **more,
        }


def visit_server(world: World, plan: LivePlan, row: int, client: ShopClient) -> VisitDone:
    """Return visit `row` of `plan`, paid to the server of `client`; where the server fails, the visit ends and says so.

    Raises:
        DataError: when the server shows a product that the shop does not have.
    """
    visitor = _Visitor(world, plan, row)
    pages: list[Page] = []
    stored, fault = 0, None
    try:
        for number in range(int(plan.visits.slots[row]) // visitor.page_size):
            words = visitor.query if number == 0 else None
            shown = visitor.ask(client, words=words)
            page, events = visitor.look(shown, words=words)
            # Without events the server has nothing left to show.
            stored += client.tell(events) if events else 0
            pages.append(page)
    except ServingError as error:
        fault = str(error)
    return VisitDone(
        row=row,
        user_id=visitor.user_id,
        shopper_number=int(plan.shopper_number[row]),
        visit_number=int(plan.visit_number[row]),
        pages=tuple(pages),
        stored=stored,
        told=visitor.told,
        fault=fault,
    )


def _page(shown: ShownList, done: Reactions, content: float, *, is_search: bool) -> Page:
    return Page(
        is_search=is_search,
        variant=shown.variant or "",
        rung=shown.rung or "",
        model_version=shown.model_version or "",
        impressions=len(shown.items),
        clicks=int(done.clicked.sum()),
        carts=int(done.carted.sum()),
        purchases=int(done.bought.sum()),
        content=content,
        latency_ms=shown.latency_ms,
    )
