"""A message of another program -> an event to store: the body of `POST /v1/events`, one event, as JSON.

What is wrong with a message is said in one line, for whoever wrote it. Reads and writes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trifocal.errors import DataError
from trifocal.ports import StoredEvent
from trifocal.types import EventType

__all__ = ["EventMessage", "event_of"]

# PostgreSQL cannot keep the character NUL.
_NO_NUL = r"^[^\x00]*$"
_ID = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]
_Short = Annotated[str, Field(max_length=100, pattern=_NO_NUL)]
# Whole numbers that a float holds exactly, as JSON's readers may use one.
_Count = Annotated[int, Field(le=2**53)]


class EventMessage(BaseModel):
    """One event as other programs write it. Fields and bounds are those of the HTTP body; a test compares both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: _ID
    item_id: _ID
    event: EventType
    event_id: _ID | None = None
    timestamp: datetime | None = None
    session_id: Annotated[str, Field(max_length=200, pattern=_NO_NUL)] | None = None
    device: _Short | None = None
    country: _Short | None = None
    dwell_ms: _Count | None = Field(default=None, ge=0)
    position: _Count | None = Field(default=None, ge=1)
    query: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] | None = None
    value: float | None = Field(default=None, allow_inf_nan=False)
    answer_id: Annotated[str, Field(max_length=200, pattern=_NO_NUL)] | None = None
    propensity: float | None = Field(default=None, gt=0, le=1)
    model_version: _Short | None = None
    variant: Annotated[str, Field(max_length=50, pattern=_NO_NUL)] | None = None
    rung: Annotated[str, Field(max_length=50, pattern=_NO_NUL)] | None = None


def event_of(text: bytes, *, event_id: str, timestamp_s: float) -> StoredEvent:
    """Return the event that the JSON `text` tells.

    Args:
        text: a JSON object in UTF-8.
        event_id: where the message gives none; the same message must get the same one again.
        timestamp_s: likewise, seconds since 1970, UTC.

    Raises:
        DataError: when the message cannot be used; says every field that is at fault.
    """
    try:
        message = EventMessage.model_validate_json(text)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'message'}: {fault['msg']}" for fault in error.errors()]
        raise DataError(f"{'; '.join(faults)}; send it as one event of POST /v1/events") from None
    fields = message.model_dump(exclude={"timestamp", "event", "event_id"})
    seconds = timestamp_s if message.timestamp is None else _seconds(message.timestamp)
    return StoredEvent(**fields, event_id=message.event_id or event_id, event=message.event.value, timestamp_s=seconds)


def _seconds(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
