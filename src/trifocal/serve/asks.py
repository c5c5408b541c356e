"""What the gateway is asked and what it answers, in ids of the outside world. Plain values; knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trifocal.explain.explanation import Shares, Word
from trifocal.types import EventType

__all__ = [
    "Answer",
    "Ask",
    "Filters",
    "ItemCard",
    "ItemExplanation",
    "NearestItem",
    "Reason",
    "ScoredItem",
    "SessionEvent",
]


@dataclass(frozen=True)
class Filters:
    """Which items may be answered at all; None = no limit.

    Attributes:
        category: the start of the category path, in whole levels: "Fashion" holds "Fashion > Dresses".
        price_min: least price; an item without a price fails any price limit.
        price_max: greatest price.
        attributes: name -> the values of which an item must have one.
    """

    category: str | None = None
    price_min: float | None = None
    price_max: float | None = None
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class SessionEvent:
    """One event that comes with the question, of a visitor whom the store may not know.

    Attributes:
        timestamp_s: seconds since 1970, UTC, or None = now.
    """

    item_id: str
    event: EventType = EventType.CLICK
    timestamp_s: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Ask:
    """One request for recommendations. Stability: caller.

    Attributes:
        user_id: whose history counts; None or unknown = a new visitor, who gets a cold answer.
        session: events after the history that is known, oldest first.
        k: how many items.
        timestamp_s: seconds since 1970, UTC, or None = now.
        query: what the visitor typed, in words.
        exclude: items that must not be answered.
        exclude_seen: leave out the items of the history as well.
        diversity: 0 = the model's order, to 1 = as unlike one another as the candidates are.
        variant: which of the experiment's variants answers; None = there is no experiment.
        answered_as: what the answer names instead of its variant, so that it counts nowhere; None = its variant.
    """

    user_id: str | None = None
    session: tuple[SessionEvent, ...] = ()
    k: int = 10
    timestamp_s: float | None = None
    device: str | None = None
    country: str | None = None
    query: str | None = None
    exclude: tuple[str, ...] = ()
    exclude_seen: bool = True
    filters: Filters = field(default_factory=Filters)
    diversity: float = 0.0
    variant: str | None = None
    answered_as: str | None = None


@dataclass(frozen=True)
class ItemCard:
    """What a visitor sees of an item. `has_image` says whether the catalogue names a picture."""

    item_id: str
    title: str
    description: str | None
    category: str | None
    price: float | None
    available: bool
    has_image: bool


@dataclass(frozen=True)
class Reason:
    """Why an item is answered.

    Attributes:
        kind: `history` = like something the user took; `query` = for what was typed; `popular` = taken by many.
        item_id: the item of the history that is most alike, where there is one.
        title: of that item.
    """

    kind: Literal["history", "query", "popular"]
    item_id: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class NearestItem:
    """The item of the history that is most alike; fields as in `trifocal.explain.Nearest`, the item by its id."""

    item_id: str
    title: str
    similarity: float
    words: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    category: str | None = None


@dataclass(frozen=True)
class ItemExplanation:
    """Why an item is answered, in full; fields as in `trifocal.explain.Explanation`, items by their ids."""

    score: float
    words: tuple[Word, ...]
    cells: tuple[tuple[float, ...], ...]
    shares: Shares
    nearest: NearestItem | None
    sentence: str
    completeness_error: float


@dataclass(frozen=True)
class ScoredItem:
    """An item and how well it fits; the scale of the score is the rung's own.

    Attributes:
        propensity: chance that the item stands at this place, 0..1; 1 = nothing was left to chance.
        explanation: where it was asked for, and could be given.
    """

    card: ItemCard
    score: float
    reason: Reason | None = None
    propensity: float = 1.0
    explanation: ItemExplanation | None = None


@dataclass(frozen=True)
class Answer:
    """Items, best first, and how they came about.

    Attributes:
        rung: which rung of the ladder answered: `full`, `retrieval`, `memory`, `last`, `popular`; `hybrid`, `words`,
            `picture`; `vectors`.
        stages_ms: milliseconds of each stage, in order.
        notes: what of the question could not be used, in words.
        variant: which of the served variants answered.
    """

    items: tuple[ScoredItem, ...]
    rung: str
    model_version: str
    stages_ms: dict[str, float]
    notes: tuple[str, ...] = ()
    variant: str = "main"
