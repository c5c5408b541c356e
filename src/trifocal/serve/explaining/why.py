"""What is to be explained, what explains it, and what came of it. Plain values and Protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trifocal.explain.explanation import Explanation
from trifocal.serve.asks import Ask, ItemExplanation, SessionEvent
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.engines import Engine
from trifocal.serve.picture_search import SearchAsk
from trifocal.types import IntArray, Request

__all__ = ["ExplainerSource", "Found", "QueryExplainer", "Why"]


@dataclass(frozen=True)
class Why:
    """What an answer was given to. Stability: caller.

    Attributes:
        ask: the question; of a search, a nameless visitor's with the words that were typed.
        rung: that answered: what was ranked without the model is not explained by the model.
        search: of which the items are results; None = they were recommended.
    """

    ask: Ask
    rung: str = "full"
    search: SearchAsk | None = None

    @classmethod
    def similar(cls, item_id: str, rung: str) -> Why:
        """Return what a list of items like `item_id` was given to: somebody who took it alone."""
        return cls(Ask(session=(SessionEvent(item_id),)), rung)

    @classmethod
    def found(cls, search: SearchAsk, rung: str = "hybrid") -> Why:
        """Return what the results of `search` were given to: nobody in particular."""
        return cls(Ask(query=search.words), rung, search)


@dataclass(frozen=True)
class Found:
    """Explanations in the order of the items, None where there is none; notes on what could not be used or given."""

    explanations: tuple[ItemExplanation | None, ...]
    notes: tuple[str, ...] = ()


class QueryExplainer(Protocol):
    """An `Explainer` that is told the words of a query as well. Safe to use from several threads."""

    def explain(self, request: Request, item_rows: IntArray, query: str | None = None) -> Sequence[Explanation]:
        """Return an explanation of each of `item_rows` (K,), in their order.

        Args:
            request: what the model was asked.
            item_rows: in the catalogue of the service.
            query: what was typed, where `request` has its vector; for the sentence.
        """
        ...


class ExplainerSource(Protocol):
    """Makes explainers of one model; what they share is loaded with the first. Stability: internal."""

    def over(self, engine: Engine, catalogue: Catalogue, picture: Callable[[int], Path | None]) -> QueryExplainer:
        """Return what explains answers of `engine`.

        Args:
            engine: of the model, over the items as they are now.
            catalogue: of the same items.
            picture: row -> its file, or None.

        Raises:
            ConfigError: when a package is not installed, or the model cannot be explained.
        """
        ...
