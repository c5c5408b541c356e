"""Refuses a question at the door while there is no room: before its body is read, its route looked up, anything built.

Under overload most requests are refused, and what each refusal takes is missing to the answers. ASGI middleware.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from trifocal.serve.statuses import OverloadedError

__all__ = ["TurnAway"]


class TurnAway:
    """ASGI middleware in front of one path. Stability: internal."""

    def __init__(
        self, app: ASGIApp, path: str, check: Callable[[], None], refused: Callable[[str, OverloadedError], None]
    ) -> None:
        """Take who decides.

        Args:
            app: what comes behind.
            path: POSTs to it are questions.
            check: raises OverloadedError where there is no room.
            refused: told path and reason of each refusal.
        """
        self._app, self._path, self._check, self._refused = app, path, check, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST":
            try:
                self._check()
            except OverloadedError as error:
                self._refused(self._path, error)
                await _refuse(error, send)
                return
        await self._app(scope, receive, send)


async def _refuse(error: OverloadedError, send: Send) -> None:
    # The form of `Failure`, without the classes that other answers go through.
    body = json.dumps({"error": type(error).__name__, "message": str(error)}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(max(1, math.ceil(error.retry_after_s))).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
