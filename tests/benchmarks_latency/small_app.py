"""A service of a few lines that the load generator is tried on; its address is the first thing that it prints."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, Response

from trifocal.cli.serve import listening_socket

app = FastAPI()


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/echo")
async def echo(body: dict[str, str]) -> dict[str, str]:
    return body


@app.post("/busy")
async def busy(response: Response) -> dict[str, str]:
    response.status_code = 429
    return {"error": "busy"}


@app.post("/closes")
async def closes() -> Response:
    return Response(b"bye", headers={"connection": "close"})


if __name__ == "__main__":
    with listening_socket("127.0.0.1", 0) as listener:
        sys.stdout.write(f"at http://127.0.0.1:{listener.getsockname()[1]}\n")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
