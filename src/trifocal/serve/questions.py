"""A question on its way through the gateway, and what it says of history and context. Knows no model."""

from __future__ import annotations

from dataclasses import dataclass, field

from trifocal.errors import ConfigError, ServingError
from trifocal.features.context import ContextVocabulary
from trifocal.ports import StoredEvent
from trifocal.serve.asks import Ask, Filters, SessionEvent
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.histories import HistoryCoder, followed_by
from trifocal.serve.online import Candidates
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.stages import Stopwatch
from trifocal.types import Context, FloatArray, History, Request

__all__ = ["K_MAX", "Kept", "Question", "check_k", "context_of", "stored_event", "with_session"]

K_MAX = 100


@dataclass(frozen=True)
class Kept:
    """What an answer is kept under: what was known of the shopper, when that was, and what chance said.

    Attributes:
        drawn: 0..1, uniform; below the share of answers that are explored, the answer is no other question's. 1 where
            nothing is left to chance.
    """

    known: History
    now_s: float
    drawn: float = 1.0


@dataclass
class Question:
    """One question: what was asked, what was made of it so far, how long it took; `first` = the rung it begins at."""

    ask: Ask
    request: Request
    watch: Stopwatch
    notes: tuple[str, ...]
    kept: Kept
    first: int = 0
    user: FloatArray | None = None
    candidates: Candidates | None = field(default=None, repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether history and context alone say what is wanted: no query, no filters."""
        return not self.ask.query and self.ask.filters == Filters()


def stored_event(ask: Ask, event: SessionEvent, now_s: float) -> StoredEvent:
    """Return an event that came with the question as a store would give it; without a time it is of now."""
    timestamp_s = now_s if event.timestamp_s is None else event.timestamp_s
    return StoredEvent(
        "", ask.user_id or "", event.item_id, event.event, timestamp_s,
        device=ask.device, country=ask.country, value=event.value,
    )  # fmt: skip


def check_k(k: int) -> None:
    """Check the length of a list.

    Raises:
        ServingError: when it is out of range.
    """
    if not 1 <= k <= K_MAX:
        raise ServingError(f"k is {k}, it must be between 1 and {K_MAX}")


def with_session(
    ask: Ask, known: History, coder: HistoryCoder, catalogue: Catalogue, now_s: float, notes: list[str]
) -> History:
    """Return `known` and the session of the question behind it; items that are not here are named in `notes`."""
    if not ask.session:
        return known
    unknown = [event.item_id for event in ask.session if catalogue.vocabulary.row(event.item_id) is None]
    if unknown:
        notes.append(f"items of the session that this bundle does not know were ignored: {', '.join(unknown)}")
    session = coder.history([stored_event(ask, event, now_s) for event in ask.session])
    return followed_by(known, catalogue.shown(session))


def context_of(
    ask: Ask, vocabulary: ContextVocabulary, queries: QueryEncoder, now_s: float, notes: list[str]
) -> Context:
    """Return the circumstances of the question; a query that cannot be read is named in `notes`."""
    query_vector = None
    if ask.query:
        try:
            query_vector = queries.vector(ask.query)
        except ConfigError as error:
            notes.append(f"the query was ignored: {error}")
    return Context(
        timestamp_s=int(now_s if ask.timestamp_s is None else ask.timestamp_s),
        device_code=vocabulary.device_code(ask.device),
        country_code=vocabulary.country_code(ask.country),
        query_vector=query_vector,
    )
