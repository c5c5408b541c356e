"""The bodies of the events that come in. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from trifocal.ports import StoredEvent
from trifocal.serve.wire import seconds
from trifocal.types import EventType

__all__ = ["EventBody", "EventsAnswer", "EventsBody"]

_ID = Annotated[str, Field(min_length=1, max_length=200)]
_EVENTS_MAX = 1000


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class EventBody(_Body):
    """Something that a user did."""

    event_id: _ID = Field(default_factory=lambda: uuid.uuid4().hex)
    """The client's own id; the same id again is ignored, so that a batch can be sent twice."""
    user_id: _ID
    """Who."""
    item_id: _ID
    """With which item; one that the bundle does not know is stored and does not count yet."""
    event: EventType
    """What."""
    timestamp: datetime | None = None
    """When; default is now."""
    session_id: str | None = Field(default=None, max_length=200)
    """The session that it belongs to."""
    device: str | None = Field(default=None, max_length=100)
    """As in the training data."""
    country: str | None = Field(default=None, max_length=100)
    """As in the training data."""
    dwell_ms: int | None = Field(default=None, ge=0, le=2**53)
    """How long the item was looked at, in milliseconds."""
    position: int | None = Field(default=None, ge=1, le=2**53)
    """Place in the list that was shown, 1 = first."""
    query: str | None = Field(default=None, max_length=500)
    """What was searched for."""
    value: float | None = None
    """Rating or quantity."""
    answer_id: str | None = Field(default=None, max_length=200)
    """Of the answer that showed the item; this and the next four are sent back as that answer said."""
    propensity: float | None = Field(default=None, gt=0, le=1)
    """The item's, in that answer."""
    model_version: str | None = Field(default=None, max_length=100)
    """Of that answer."""
    variant: str | None = Field(default=None, max_length=50)
    """Of that answer."""
    rung: str | None = Field(default=None, max_length=50)
    """Of that answer."""

    def stored(self, now_s: float) -> StoredEvent:
        """Return the event in the store's terms."""
        fields = self.model_dump(exclude={"timestamp", "event"})
        given_s = seconds(self.timestamp)
        return StoredEvent(**fields, event=self.event.value, timestamp_s=now_s if given_s is None else given_s)


class EventsBody(_Body):
    """A batch of events, stored whole or not at all."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"events": [{"user_id": "u1", "item_id": "i1", "event": "click"}]}]}
    )

    events: tuple[EventBody, ...] = Field(min_length=1, max_length=_EVENTS_MAX)
    """One to a thousand events."""


class EventsAnswer(_Body):
    """What became of a batch; it is on the disk when this is sent."""

    stored: int
    """New events."""
    ignored: int
    """Events whose id was known already."""
