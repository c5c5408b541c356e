"""What "why this?" is asked by, and its answer. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from trifocal.serve.asks import ItemCard, ItemExplanation
from trifocal.serve.explain_wire import ExplanationAnswer
from trifocal.serve.pictures import image_address
from trifocal.serve.wire import ContextBody, RecommendBody, SessionEventBody

__all__ = ["ExplainAnswer", "ExplainBody", "ExplainedItemAnswer"]

_ID = Annotated[str, Field(min_length=1, max_length=200)]
_MOST_ITEMS, _MOST_EVENTS = 20, 500


class ExplainBody(BaseModel):
    """Which items were answered to whom, and why?"""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"user_id": "u1", "item_ids": ["i1"]}]},
    )

    item_ids: tuple[_ID, ...] = Field(min_length=1, max_length=_MOST_ITEMS)
    """The items."""
    user_id: _ID | None = None
    """Whose history counts; an unknown one is a stranger."""
    events: tuple[SessionEventBody, ...] = Field(default=(), max_length=_MOST_EVENTS)
    """A session, oldest first, that follows what is known of the user. For items like another one: that one alone."""
    context: ContextBody = ContextBody()
    """The circumstances."""
    query: str | None = Field(default=None, max_length=500)
    """What was typed. For items of a search: this alone."""
    session_id: _ID | None = None
    """Of a nameless visitor in an experiment."""
    variant: str | None = Field(default=None, max_length=40)
    """The experiment's variant that answered, to show it; needs the key of an administrator."""

    def question(self) -> RecommendBody:
        """Return the question that such items are an answer to."""
        return RecommendBody(
            user_id=self.user_id,
            events=self.events,
            context=self.context,
            query=self.query,
            session_id=self.session_id,
            variant=self.variant,
        )


class ExplainedItemAnswer(BaseModel):
    """An item and why it is answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    item_id: str
    title: str
    category: str | None
    price: float | None
    image: str
    explanation: ExplanationAnswer | None
    """Null where it could not be given, which `notes` tells."""

    @classmethod
    def of(cls, card: ItemCard, told: ItemExplanation | None) -> ExplainedItemAnswer:
        """Return the wire form of `card` and why it is answered."""
        return cls(
            item_id=card.item_id,
            title=card.title,
            category=card.category,
            price=card.price,
            image=image_address(card.item_id),
            explanation=None if told is None else ExplanationAnswer.of(told),
        )


class ExplainAnswer(BaseModel):
    """Explanations, in the order of the items that were asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    items: tuple[ExplainedItemAnswer, ...]
    model_version: str
    notes: tuple[str, ...]
    """What of the question could not be used, in words."""
    stages_ms: dict[str, float]
    """Milliseconds of each stage."""
