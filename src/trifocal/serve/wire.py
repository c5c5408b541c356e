"""The bodies of HTTP requests and answers. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from trifocal.serve.asks import Answer, Ask, Filters, ItemCard, ScoredItem, SessionEvent
from trifocal.serve.explain_wire import ExplanationAnswer
from trifocal.serve.gateway import K_MAX
from trifocal.serve.pictures import image_address
from trifocal.types import EventType

__all__ = [
    "Failure",
    "FiltersBody",
    "ItemAnswer",
    "ItemsAnswer",
    "RecommendBody",
    "image_address",
    "new_answer_id",
    "seconds",
]

_ID = Annotated[str, Field(min_length=1, max_length=200)]
_SESSION_MAX = 500


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ContextBody(_Body):
    """The circumstances of a request."""

    device: str | None = None
    """As in the training data, such as `mobile`."""
    country: str | None = None
    """As in the training data, such as `NL`."""
    timestamp: datetime | None = None
    """ISO 8601, or seconds since 1970; without a zone it counts as UTC; default is now."""


class FiltersBody(_Body):
    """Which items may be answered."""

    category: str | None = None
    """The start of the category path, in whole levels: `Fashion` holds `Fashion > Dresses`."""
    price_min: float | None = Field(default=None, ge=0)
    """Least price."""
    price_max: float | None = Field(default=None, ge=0)
    """Greatest price."""
    attributes: dict[_ID, Annotated[tuple[_ID, ...], Field(min_length=1, max_length=100)]] = Field(
        default={}, max_length=20
    )
    """Attribute -> the values of which an item must have one, as `{"colour": ["red", "pink"]}`."""

    def filters(self) -> Filters:
        """Return the filters in the gateway's terms."""
        return Filters(self.category, self.price_min, self.price_max, tuple(sorted(self.attributes.items())))


class SessionEventBody(_Body):
    """An event of a visitor's running session."""

    item_id: _ID
    """Whose item; unknown ones are ignored and named in the notes."""
    event: EventType = EventType.CLICK
    """What was done."""
    timestamp: datetime | None = None
    """When; default is now."""
    value: float | None = None
    """The rating, where the event is one."""


class RecommendBody(_Body):
    """Who asks for what."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "u1", "k": 10, "context": {"device": "mobile"}}]}
    )

    user_id: _ID | None = None
    """Whose history counts; an unknown one gets a cold answer."""
    events: tuple[SessionEventBody, ...] = Field(default=(), max_length=_SESSION_MAX)
    """A session, oldest first, that follows what is known of the user; enough by itself for a nameless visitor."""
    k: int = Field(default=10, ge=1, le=K_MAX)
    """How many items."""
    context: ContextBody = ContextBody()
    """The circumstances."""
    query: str | None = Field(default=None, max_length=500)
    """What the visitor typed."""
    exclude: tuple[_ID, ...] = Field(default=(), max_length=10_000)
    """Items that must not be answered."""
    exclude_seen: bool = True
    """Leave out the items of the history as well."""
    filters: FiltersBody = FiltersBody()
    """Limits on category, price and attributes."""
    diversity: float = Field(default=0.0, ge=0, le=1)
    """0 = the model's order; the greater, the less alike the items are to one another."""
    timings: bool = False
    """Answer with the milliseconds of each stage."""
    explain: bool = False
    """Say of each item why it is answered."""
    session_id: _ID | None = None
    """Of a nameless visitor in an experiment: the same one gets the same variant; the `user_id` of the events."""
    variant: str | None = Field(default=None, max_length=40)
    """The experiment's variant that must answer, to show it: counts nowhere, and needs the key of an administrator."""

    def ask(self) -> Ask:
        """Return the question in the gateway's terms."""
        return Ask(
            user_id=self.user_id,
            session=tuple(SessionEvent(e.item_id, e.event, seconds(e.timestamp), e.value) for e in self.events),
            k=self.k,
            timestamp_s=seconds(self.context.timestamp),
            device=self.context.device,
            country=self.context.country,
            query=self.query,
            exclude=self.exclude,
            exclude_seen=self.exclude_seen,
            filters=self.filters.filters(),
            diversity=self.diversity,
        )


class ItemAnswer(_Body):
    """An item as a visitor sees it."""

    item_id: str
    title: str
    description: str | None
    category: str | None
    price: float | None
    available: bool
    image: str
    """Address of the picture on this server; a drawn placeholder where there is none."""

    @classmethod
    def of(cls, card: ItemCard) -> ItemAnswer:
        """Return the wire form of `card`."""
        return cls(
            item_id=card.item_id,
            title=card.title,
            description=card.description,
            category=card.category,
            price=card.price,
            available=card.available,
            image=image_address(card.item_id),
        )


class ReasonAnswer(_Body):
    """Why an item is answered."""

    kind: Literal["history", "query", "popular"]
    """`history` = like something the user took; `query` = for what was typed; `popular` = taken by many."""
    item_id: str | None = None
    """The item of the history that is most alike."""
    title: str | None = None
    """Its title."""


class ScoredItemAnswer(_Body):
    """An item in a ranking."""

    item_id: str
    score: float
    """The greater, the better; the scale is the rung's own."""
    title: str
    category: str | None
    price: float | None
    image: str
    reason: ReasonAnswer | None = None
    """Why it is answered, for recommendations."""
    propensity: float = 1.0
    """Chance that the item stands at this place; goes back with the impression."""
    explanation: ExplanationAnswer | None = None
    """Why in full, where it was asked for; null where it could not be given, which `notes` tells."""

    @classmethod
    def of(cls, item: ScoredItem) -> ScoredItemAnswer:
        """Return the wire form of `item`."""
        card, why = item.card, item.reason
        # `model_construct`: these values come from our own code, and an answer holds a hundred of them.
        return cls.model_construct(
            item_id=card.item_id,
            score=item.score,
            title=card.title,
            category=card.category,
            price=card.price,
            image=image_address(card.item_id),
            reason=None
            if why is None
            else ReasonAnswer.model_construct(kind=why.kind, item_id=why.item_id, title=why.title),
            propensity=item.propensity,
            explanation=None if item.explanation is None else ExplanationAnswer.of(item.explanation),
        )


class ItemsAnswer(_Body):
    """A ranking, best first."""

    items: tuple[ScoredItemAnswer, ...]
    answer_id: str
    """Names this answer; events that come of it carry it."""
    model_version: str
    variant: str
    """Which of the served variants answered."""
    rung: str
    """What answered: `full`, `retrieval`, `memory`, `last` or `popular`; `vectors` for similar items; `hybrid`,
    `words` or `picture` for a search."""
    notes: tuple[str, ...]
    """What of the question could not be used, in words."""
    stages_ms: dict[str, float] | None
    """Milliseconds of each stage, where they were asked for."""

    @classmethod
    def of(cls, answer: Answer, *, timings: bool) -> ItemsAnswer:
        """Return the wire form of `answer`."""
        return cls.model_construct(
            items=tuple(ScoredItemAnswer.of(item) for item in answer.items),
            answer_id=new_answer_id(),
            model_version=answer.model_version,
            variant=answer.variant,
            rung=answer.rung,
            notes=answer.notes,
            stages_ms=answer.stages_ms if timings else None,
        )


class Failure(_Body):
    """Why a request could not be served."""

    error: str
    """Name of the error class."""
    message: str
    """The value that was met, the limit it broke and the repair."""


def new_answer_id() -> str:
    """Return a name that no other answer has."""
    return uuid.uuid4().hex


def seconds(moment: datetime | None) -> float | None:
    """Return seconds since 1970, UTC; a moment without a zone counts as UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
