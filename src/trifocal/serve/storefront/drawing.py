"""Templates -> pages: one environment, one set of headers, the values that every page has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trifocal.serve.current import Current
from trifocal.serve.pictures import image_address
from trifocal.serve.storefront.visitors import Visitor, address

__all__ = ["Drawing"]

# Scripts and styles come from this server alone, and nothing may frame the pages.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_SECTIONS_MOST = 8


class Drawing:
    """Draws pages of the service in force. Stability: internal."""

    def __init__(self, current: Current, templates: Path) -> None:
        self._current = current
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"image": image_address, "price": _price, "json": _json, "leaf": _leaf}
        self._environment.globals["address"] = address

    def page(
        self,
        template: str,
        visitor: Visitor | None,
        values: Mapping[str, object],
        *,
        here: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        """Return the page that `template` makes of `values`.

        Args:
            template: its file.
            visitor: who looks; None = a page that is no part of the shop.
            values: what the template names beside those of every page.
            here: which part of the shop it is.
            status: of the answer.
        """
        service = self._current.service
        sections = [] if visitor is None else service.catalogue.sections()[:_SECTIONS_MOST]
        base = {
            "visitor": visitor,
            "query": "",
            "section": None,
            "here": here,
            "status": status,
            "sections": sections,
            "model_version": service.manifest.model_version,
        }
        text = self._environment.get_template(template).render({**base, **values})
        answer = HTMLResponse(text, status, headers=_HEADERS)
        if visitor is not None:
            visitor.remember(answer)
        return answer


def _leaf(category: str) -> str:
    """Return the last level of a category path."""
    return category.split(" > ")[-1]


def _price(value: float) -> str:
    return f"{value:,.2f}"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
