"""HTTP/1.1 by hand over one kept-alive connection: the least that a client can cost. Loopback only.

No redirects, no compression, no chunks: what the two services send is `Content-Length` and a body.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from trifocal.errors import ConfigError, ServingError

__all__ = ["Connection", "HttpAnswer", "Target", "loopback_target", "request_bytes"]

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Target:
    """Host and port of a server on this machine."""

    host: str
    port: int


@dataclass(frozen=True)
class HttpAnswer:
    """Status and body."""

    status: int
    body: bytes


def loopback_target(address: str) -> Target:
    """Return host and port of `address`, such as `http://127.0.0.1:8000`.

    >>> loopback_target("http://127.0.0.1:8000")
    Target(host='127.0.0.1', port=8000)

    Raises:
        ConfigError: when it is not plain HTTP to this machine: load is never sent to anybody else's.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme != "http" or not _is_loopback(host):
        raise ConfigError(
            f"load would go to {address!r}; it is sent to this machine alone, "
            "give an http address of 127.0.0.1, ::1 or localhost"
        )
    return Target("127.0.0.1" if host == "localhost" else host, parts.port or 80)


def request_bytes(target: Target, method: str, path: str, body: str = "") -> bytes:
    """Return the whole request as it goes over the wire."""
    content = body.encode()
    host = f"[{target.host}]" if ":" in target.host else target.host
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}:{target.port}\r\ncontent-length: {len(content)}\r\n"
    kind = "content-type: application/json\r\n" if content else ""
    return f"{head}{kind}\r\n".encode() + content


class Connection:
    """One connection, opened when it is first needed and kept alive; one request at a time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> HttpAnswer:
        """Send `request` and return the answer.

        A connection that the server closed while it was idle is opened anew, once.

        Raises:
            OSError: when the server cannot be reached, or closes before it has answered.
        """
        kept = self._streams is not None
        try:
            return await self._ask(request)
        except OSError:
            self.close()
            if not kept:
                raise
            return await self._ask(request)

    async def _ask(self, request: bytes) -> HttpAnswer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._target.host, self._target.port)
        reader, writer = self._streams
        writer.write(request)
        try:
            head = await reader.readuntil(_HEAD_END)
            status, length, stays = parse_head(head)
            body = await reader.readexactly(length) if length else b""
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(f"{self._target} closed after {len(error.partial)} bytes") from error
        if not stays:
            self.close()
        return HttpAnswer(status, body)

    def close(self) -> None:
        """Close; the next request opens it again."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


def parse_head(head: bytes) -> tuple[int, int, bool]:
    r"""Return status, length of the body, and whether the connection stays open.

    >>> parse_head(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 7\r\nconnection: close\r\n\r\n")
    (429, 7, False)

    Raises:
        ServingError: when the body comes in chunks.
    """
    lines = head.lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
    if b"transfer-encoding" in fields:
        raise ServingError("the answer comes in chunks, this client reads a content-length; measure another endpoint")
    return int(lines[0][9:12]), int(fields.get(b"content-length", b"0")), fields.get(b"connection") != b"close"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
