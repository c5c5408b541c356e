"""Answers as pages show them: cards with what their events carry back, and the newest events of a shopper in words."""

from __future__ import annotations

from dataclasses import dataclass

from trifocal.serve.asks import Answer, ItemCard, ScoredItem
from trifocal.serve.service import Service
from trifocal.serve.storefront.visitors import Visitor, address
from trifocal.serve.wire import new_answer_id
from trifocal.types import EVENT_CODES, History

__all__ = ["Shelf", "shelf", "taken"]

_EVENT_NAMES = {code: name for name, code in EVENT_CODES.items()}
_EVENT_WORDS = {"click": "Viewed", "cart": "In bag", "purchase": "Bought", "rating": "Rated"}


@dataclass(frozen=True)
class Shelf:
    """An answer, or a stretch of one, on a page.

    Attributes:
        answer: what was answered.
        answer_id: names it in events.
        items: that are shown.
        first: place of the first of them in the answer, 1 = first.
        visitor: who sees it.
        query: what was typed.
        like: the item that they are alike to.
    """

    answer: Answer
    answer_id: str
    items: tuple[ScoredItem, ...]
    visitor: Visitor
    first: int = 1
    query: str | None = None
    like: str | None = None

    def item(self, card: ItemCard) -> str:
        """Return the address of an item's page."""
        return address("/item", id=card.item_id, shopper=self.visitor.named)

    def why(self, card: ItemCard) -> str:
        """Return the address that says why the item stands here."""
        rung = self.answer.rung
        asked = {"q": self.query, "like": self.like, "rung": None if rung == "full" else rung}
        return address("/why", item=card.item_id, shopper=self.visitor.named, **asked)


def shelf(
    answer: Answer, visitor: Visitor, *, first: int = 1, query: str | None = None, like: str | None = None
) -> Shelf:
    """Return the items of `answer` from place `first` on, to be shown to `visitor`."""
    return Shelf(answer, new_answer_id(), answer.items[first - 1 :], visitor, first, query, like)


def taken(service: Service, history: History, count: int) -> list[tuple[ItemCard, str]]:
    """Return the newest events first: the item and what was done with it, in a word."""
    newest = service.catalogue.shown(history).last(count)
    cards = [service.catalogue.card(row) for row in newest.item_rows.tolist()]
    words = [_EVENT_WORDS[_EVENT_NAMES[code]] for code in newest.event_codes.tolist()]
    return list(zip(cards, words, strict=True))[::-1]
