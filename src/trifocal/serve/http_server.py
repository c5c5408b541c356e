"""uvicorn with two things it lacks: a bound on the head of a request, and a while between "not ready" and the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedHttp", "DrainingServer"]

# Address and headers together; nginx and others have 32 KiB.
_HEAD_BYTES = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """One connection, closed when the head of a request does not end in time to be held in memory."""

    _in_head, _head_bytes = True, 0

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head is too long."""
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is longer than {_HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        """Note that a body comes."""
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the next thing is a head."""
        self._in_head = True
        super().on_message_complete()


class DrainingServer(uvicorn.Server):
    """On SIGTERM says "not ready", answers on for a while, then ends as uvicorn does; Ctrl-C ends at once."""

    def __init__(self, config: uvicorn.Config, *, drain: Callable[[], None], drain_s: float) -> None:
        """Take what says "not ready", and how long whoever sends requests may take to hear it."""
        super().__init__(config)
        self._drain, self._drain_s, self._drains = drain, drain_s, False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second signal does not wait."""
        self._drain()
        if sig != signal.SIGTERM or self._drains or self._drain_s <= 0:
            super().handle_exit(sig, frame)
            return
        self._drains = True
        timer = threading.Timer(self._drain_s, super().handle_exit, (sig, frame))
        timer.daemon = True
        timer.start()
