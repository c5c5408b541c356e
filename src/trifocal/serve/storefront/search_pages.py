"""The search: by words, by a picture, by both; whole pages, and results alone for the script."""

from __future__ import annotations

import base64
import io
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from trifocal.errors import ConfigError
from trifocal.serve.asks import Answer
from trifocal.serve.current import Current
from trifocal.serve.metrics import Metrics
from trifocal.serve.picture_search import SearchAsk
from trifocal.serve.storefront.drawing import Drawing
from trifocal.serve.storefront.forms import check_own_form, form_fields
from trifocal.serve.storefront.lists import shelf
from trifocal.serve.storefront.visitors import visitor_of
from trifocal.serve.workers import Workers

__all__ = ["SearchPages"]

_FOUND, _WORDS_MOST, _ID_MOST = 24, 500, 200
_SHOWN_SIDE = 240

_OptionalId = Annotated[str | None, Query(max_length=_ID_MOST)]
_Words = Annotated[str, Query(max_length=_WORDS_MOST)]


class SearchPages:
    """Routes of search. Stability: internal."""

    def __init__(self, drawing: Drawing, current: Current, workers: Workers, metrics: Metrics) -> None:
        self._drawing, self._current, self._workers, self._metrics = drawing, current, workers, metrics

    async def search(self, request: Request, q: _Words = "", shopper: _OptionalId = None) -> HTMLResponse:
        """Show what fits some words."""
        return await self._found(request, shopper, SearchAsk(q.strip() or None, None, _FOUND), part=False)

    async def by_picture(self, request: Request, part: Annotated[bool, Query()] = False) -> HTMLResponse:
        """Show what looks like the picture that was sent, and fits the words beside it."""
        check_own_form(request.headers)
        fields = form_fields(request.headers.get("content-type", ""), await request.body())
        words = fields.get("q", b"").decode("utf-8", "replace").strip()[:_WORDS_MOST]
        shopper = fields.get("shopper", b"").decode("utf-8", "replace")[:_ID_MOST]
        weight = _share(fields.get("weight", b""))
        ask = SearchAsk(words or None, fields.get("picture") or None, _FOUND, picture_weight=weight)
        return await self._found(request, shopper or None, ask, part=part)

    async def _found(self, request: Request, shopper: str | None, ask: SearchAsk, *, part: bool) -> HTMLResponse:
        visitor = visitor_of(request, shopper)
        answer, note = await self._answered(ask)
        shown = None if answer is None else shelf(answer, visitor, query=ask.words)
        picture = None if ask.picture is None else await self._workers.run(small_picture, ask.picture)
        values = {"query": ask.words or "", "shelf": shown, "picture": picture, "note": note}
        template = "part_found.html" if part else "search.html"
        return self._drawing.page(template, visitor, values, here="search")

    async def _answered(self, ask: SearchAsk) -> tuple[Answer | None, str]:
        if ask.words is None and ask.picture is None:
            return None, ""
        try:
            answer = await self._workers.run(self._current.service.picture_search.search, ask)
        except ConfigError as error:
            return None, f"Pictures cannot be compared here: {error}"
        self._metrics.observe(answer)
        return answer, ""


def small_picture(picture: bytes) -> str | None:
    """Return a small copy of `picture` as the address of an image, or None where it cannot be read."""
    # Here, because only a picture needs it.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture)) as found:
            small = found.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    small.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"


def _share(text: bytes) -> float:
    """Return a share of 0..1; what is none counts as a half.

    >>> _share(b"0.7"), _share(b""), _share(b"nan")
    (0.7, 0.5, 0.5)
    """
    try:
        share = float(text)
    except ValueError:
        return 0.5
    return share if 0 <= share <= 1 else 0.5
