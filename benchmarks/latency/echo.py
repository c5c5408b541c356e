"""A server that answers every request with the same bytes at once: what the load generator costs by itself.

python -m benchmarks.latency.echo
"""

from __future__ import annotations

import asyncio
from typing import cast

import uvloop

__all__ = ["main"]

# About as long as an answer with ten items.
_BODY = b'{"items":[' + b'{"item_id":"item-0000001","score":0.123456},' * 30 + b"{}]}"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_BODY) + _BODY


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        # Requests here are small: each comes in one piece.
        self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Echo, "127.0.0.1", 0)
    print(f"at http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Answer until stopped."""
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
