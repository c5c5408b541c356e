"""Why an item is shown: as a page, and as a part of one that the script opens over the shop."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from trifocal.errors import NotFoundError, TrifocalError
from trifocal.serve.asks import Ask
from trifocal.serve.current import Current
from trifocal.serve.experiment.api import ExperimentApi
from trifocal.serve.explaining.why import Found, Why
from trifocal.serve.picture_search import SearchAsk
from trifocal.serve.storefront.drawing import Drawing
from trifocal.serve.storefront.told_why import told_why
from trifocal.serve.storefront.visitors import visitor_of

__all__ = ["Explains", "WhyPages"]

_Id = Annotated[str, Query(min_length=1, max_length=200)]
_OptionalId = Annotated[str | None, Query(max_length=200)]
_Words = Annotated[str | None, Query(max_length=500)]
_Rung = Annotated[str, Query(max_length=20)]


class Explains(Protocol):
    """What says why; see `trifocal.serve.explaining.edge.Explaining`."""

    async def of(self, why: Why, item_ids: list[str]) -> Found:
        """Return the explanations of `item_ids`."""
        ...


class WhyPages:
    """Routes of explanations. Stability: internal."""

    def __init__(self, drawing: Drawing, current: Current, experiment: ExperimentApi, explains: Explains) -> None:
        self._drawing, self._current, self._experiment, self._explains = drawing, current, experiment, explains

    async def why(
        self,
        request: Request,
        item: _Id,
        shopper: _OptionalId = None,
        q: _Words = None,
        like: _OptionalId = None,
        rung: _Rung = "full",
        part: Annotated[bool, Query()] = False,
    ) -> HTMLResponse:
        """Say why `item` was shown: to a shopper, for the words `q`, or beside the item `like`."""
        visitor, catalogue = visitor_of(request, shopper), self._current.service.catalogue
        card = catalogue.card(catalogue.row(item))
        found = await self._found(self._asked(visitor.user_id, q, like, rung), item)
        told = found.explanations[0]
        values = {
            "card": card,
            "told": None if told is None else told_why(told),
            "notes": found.notes,
            "words": q,
            "like": catalogue.card(catalogue.row(like)) if like else None,
        }
        return self._drawing.page("part_why.html" if part else "why.html", visitor, values)

    def _asked(self, user_id: str, words: str | None, like: str | None, rung: str) -> Why:
        if like:
            return Why.similar(like, rung)
        if words or rung == "picture":
            return Why.found(SearchAsk(words), "hybrid" if rung == "full" else rung)
        return Why(self._experiment.assigned(Ask(user_id=user_id)), rung)

    async def _found(self, why: Why, item_id: str) -> Found:
        try:
            return await self._explains.of(why, [item_id])
        except NotFoundError:
            raise
        except TrifocalError as error:
            # The shop goes on without it, and says what is missing.
            return Found((None,), (str(error),))
