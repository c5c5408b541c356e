"""Whatever goes wrong -> one form of answer: status, `Failure`, headers. The only place that writes it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from trifocal.errors import TrifocalError
from trifocal.serve.statuses import OverloadedError, UnauthorizedError, status_of
from trifocal.serve.wire import Failure

__all__ = ["FAILURES", "answer_failures", "failure"]

_LOGGER = logging.getLogger(__name__)

_MEANINGS = {
    400: "The request breaks a limit; the message names value and limit",
    401: "An API key is missing, or not known here",
    403: "The API key opens less than this needs",
    404: "There is nothing under this address or id",
    405: "The address takes another method",
    413: "The body is too large",
    422: "The request cannot be read as described here",
    429: "Too much is asked at once; see Retry-After",
    500: "A fault of the server's own",
    503: "The server cannot answer now",
}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": meaning} for status, meaning in _MEANINGS.items()
}
"""What any endpoint may answer beside what it is there for, as FastAPI declares it."""

_NAMES = {400: "BadRequestError", 404: "NotFoundError", 405: "MethodNotAllowedError", 413: "TooLargeError"}
_SHOWN_FAULTS, _SHOWN_CHARACTERS = 5, 100

_Page = Callable[[Request, str, int], Response | None]


def failure(error: TrifocalError) -> JSONResponse:
    """Return the answer that `error` is told by."""
    return _answer(type(error).__name__, str(error), status_of(error), _headers(error))


def answer_failures(app: FastAPI, page: _Page, refused: Callable[[str], None]) -> None:
    """Let `app` answer every error in one form.

    Args:
        app: gets the handlers.
        page: (request, message, status) -> the page that says so, or None where a machine asks.
        refused: told the reason whenever too much was asked.
    """

    async def expected(request: Request, error: Exception) -> Response:
        if isinstance(error, OverloadedError):
            refused(error.reason)
        found = failure(error) if isinstance(error, TrifocalError) else _unexpected()
        return page(request, str(error), found.status_code) or found

    async def invalid(request: Request, error: Exception) -> Response:
        message = _faults(error.errors()) if isinstance(error, RequestValidationError) else str(error)
        return page(request, message, 422) or _answer("InvalidRequestError", message, 422)

    async def by_framework(request: Request, error: Exception) -> Response:
        status, message = (error.status_code, str(error.detail)) if isinstance(error, HTTPException) else (500, "")
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        return page(request, message, status) or _answer(_NAMES.get(status, "HttpError"), message, status, headers)

    async def unexpected(request: Request, error: Exception) -> Response:
        # The process edge: the fault goes to the log, the answer is a fixed text that gives nothing away.
        _LOGGER.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return page(request, _FIXED, 500) or _unexpected()

    app.add_exception_handler(TrifocalError, expected)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, by_framework)
    app.add_exception_handler(Exception, unexpected)


_FIXED = "The server met a fault of its own; its log says more."


def _unexpected() -> JSONResponse:
    return _answer("InternalError", _FIXED, 500)


def _answer(name: str, message: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    # What was sent may hold half of a surrogate pair, which no answer can carry as it is.
    readable = message.encode("utf-8", "backslashreplace").decode()
    return JSONResponse(Failure(error=name, message=readable).model_dump(), status, headers)


def _headers(error: TrifocalError) -> dict[str, str]:
    if isinstance(error, OverloadedError):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthorizedError) else {}


def _faults(errors: Sequence[Any]) -> str:
    """The first faults in a line: where, what, and what was met."""
    parts = [_fault(error) for error in errors[:_SHOWN_FAULTS]]
    more = len(errors) - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")


def _fault(error: Any) -> str:
    if error["type"] == "json_invalid":
        place = error["loc"][-1]
        return f"the body is no JSON: {error['ctx']['error']}" + (
            f" at character {place}" if isinstance(place, int) else ""
        )
    met = repr(error.get("input"))
    shown = met if len(met) <= _SHOWN_CHARACTERS else f"{met[:_SHOWN_CHARACTERS]}..."
    return f"{'.'.join(str(part) for part in error['loc'])[:_SHOWN_CHARACTERS]}: {error['msg']} (got {shown})"
