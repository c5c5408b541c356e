"""Error class -> HTTP status: the one table. Imports no web framework."""

from __future__ import annotations

from trifocal.errors import ArtifactError, ConfigError, DataError, NotFoundError, ServingError, TrifocalError

__all__ = ["OverloadedError", "UnavailableError", "status_of"]


class OverloadedError(ServingError):
    """Every worker is busy and the queue is full; the client may try again. Stability: caller."""


class UnavailableError(ServingError):
    """No rung could answer; the fault is the server's. Stability: caller."""


# The first class that fits decides, so the narrow ones stand first.
_STATUSES: tuple[tuple[type[TrifocalError], int], ...] = (
    (NotFoundError, 404),
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
