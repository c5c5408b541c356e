"""Who looks at a page: the browser's own anonymous visitor, by a cookie, or a shopper over whose shoulder it looks."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Visitor", "address", "visitor_of"]

_COOKIE = "visitor"
# Only what this server gave: a cookie names no known shopper.
_OWN = re.compile(r"visitor-[0-9a-f]{16}")


@dataclass(frozen=True)
class Visitor:
    """Whose shop a page shows. Stability: internal.

    Attributes:
        user_id: whose events count.
        is_own: whether it is the browser's own visitor, whom no address needs to name.
        is_new: whether the browser does not know it yet.
    """

    user_id: str
    is_own: bool = True
    is_new: bool = False

    @classmethod
    def new(cls) -> Visitor:
        """Return somebody whom nobody knows."""
        return cls(f"visitor-{secrets.token_hex(8)}", is_new=True)

    @property
    def named(self) -> str | None:
        """What addresses say: the shopper, or nothing for the browser's own visitor."""
        return None if self.is_own else self.user_id

    def feed(self, section: str | None = None, page: int | None = None, part: str | None = None) -> str:
        """Return the address of the feed."""
        path, shown = ("/", None) if self.is_own else ("/shopper", self.user_id)
        return address(path, id=shown, section=section, page=page, part=part)

    def remember(self, answer: Response) -> None:
        """Let the browser know who it is, until it is closed."""
        if self.is_own and self.is_new:
            answer.set_cookie(_COOKIE, self.user_id, httponly=True, samesite="lax", path="/")


def visitor_of(request: Request, shopper: str | None = None) -> Visitor:
    """Return whose shop is shown: that of `shopper` where one is named, else the browser's own."""
    found = request.cookies.get(_COOKIE, "")
    own = Visitor(found) if _OWN.fullmatch(found) else Visitor.new()
    return own if not shopper or shopper == own.user_id else Visitor(shopper, is_own=False)


def address(path: str, **parameters: str | int | None) -> str:
    """Return `path` with the parameters that are not empty.

    >>> address("/item", id="red 1", shopper=None)
    '/item?id=red+1'
    """
    given = {name: value for name, value in parameters.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
