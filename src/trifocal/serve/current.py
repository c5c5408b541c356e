"""Which service answers now: one reference, put in place in one assignment. Whoever answers reads it once a request.

A request keeps the service that it began with, to its end: an item that is added, a bundle that is swapped, is seen by
the next one, and nobody sees half of a change.
"""

from __future__ import annotations

import time

from trifocal.serve.service import Service

__all__ = ["Current"]


class Current:
    """Holds the service in force. Safe to use from several threads. Stability: caller.

    Attributes:
        service: the one that answers; read it once a request.
        since_s: when its bundle came into force, seconds since 1970, UTC.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.since_s = time.time()
