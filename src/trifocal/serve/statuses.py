"""Error class -> HTTP status: the one table. Imports no web framework."""

from __future__ import annotations

from trifocal.errors import ArtifactError, ConfigError, DataError, NotFoundError, ServingError, TrifocalError

__all__ = [
    "ForbiddenError",
    "OverloadedError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "status_of",
]


class OverloadedError(ServingError):
    """More was asked than can be answered now; the client may try again. Stability: caller.

    Attributes:
        reason: `queue` = it is full; `wait` = the answer would come too late; `rate` = this client asks too often.
        retry_after_s: when to try again.
    """

    def __init__(self, message: str, *, reason: str = "queue", retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.reason, self.retry_after_s = reason, retry_after_s


class UnauthorizedError(ServingError):
    """The request needs an API key that is known. Stability: caller."""


class ForbiddenError(ServingError):
    """The API key opens less than the request needs. Stability: caller."""


class TooLargeError(ServingError):
    """The body of the request is larger than may be sent. Stability: caller."""


class UnavailableError(ServingError):
    """No rung could answer; the fault is the server's. Stability: caller."""


# The first class that fits decides, so the narrow ones stand first.
_STATUSES: tuple[tuple[type[TrifocalError], int], ...] = (
    (NotFoundError, 404),
    (UnauthorizedError, 401),
    (ForbiddenError, 403),
    (TooLargeError, 413),
    (OverloadedError, 429),
    (UnavailableError, 503),
    (ServingError, 400),
    (DataError, 422),
    (ConfigError, 501),
    (ArtifactError, 503),
)


def status_of(error: TrifocalError) -> int:
    """Return the HTTP status of `error`.

    >>> status_of(NotFoundError("item 'x' is unknown")), status_of(ServingError("k is 0"))
    (404, 400)
    """
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
