"""The service that one would write instead: matrix factorisation by `implicit` behind FastAPI and uvicorn.

    python -m benchmarks.latency.als_service runs/latency/catalogue/als

It is given every advantage. The user's factors are looked up (`recalculate_user=False`): that is cheaper than solving
them from the history, and blind to what the user did since the last fit, which Trifocal's answer is not. The factors
are drawn at random, which takes as long as fitted ones. The endpoint is a plain `def`, as FastAPI's documentation has
it; `--threads` limits how many requests are computed at a time, as Trifocal's worker threads do (0 = FastAPI's
default of 40). uvicorn takes uvloop and httptools by itself, here as for Trifocal. It answers ids and scores alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import numpy as np
import uvicorn
from anyio import to_thread
from fastapi import FastAPI, HTTPException
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import BaseModel
from scipy.sparse import csr_matrix, load_npz

from trifocal.cli.serve import listening_socket

__all__ = ["create_app", "main"]


class Ask(BaseModel):
    """Who asks, and for how many items."""

    user_id: str
    k: int = 10


class Scored(BaseModel):
    """An item and its score."""

    item_id: str
    score: float


class Recommended(BaseModel):
    """Items, best first."""

    items: list[Scored]


def create_app(folder: Path, *, threads: int = 0) -> FastAPI:
    """Return the service over the matrices in `folder`."""
    ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
    item_ids: list[str] = ids["items"]
    rows = {user_id: row for row, user_id in enumerate(ids["users"])}
    user_items = csr_matrix(load_npz(folder / "user_items.npz"))
    model = _model(folder)
    app = FastAPI(title="ALS", lifespan=_limited(threads))

    @app.post("/recommend")
    def recommend(ask: Ask) -> Recommended:
        """Recommend items that the user has not taken yet."""
        row = rows.get(ask.user_id)
        if row is None:
            raise HTTPException(404, f"user {ask.user_id!r} is not known")
        found, scores = model.recommend(row, user_items[row], N=ask.k, filter_already_liked_items=True)
        pairs = zip(found.tolist(), scores.tolist(), strict=True)
        return Recommended(items=[Scored(item_id=item_ids[item], score=score) for item, score in pairs])

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        """Say that requests can be sent."""
        return {"status": "ready"}

    return app


def main() -> None:
    """Serve until stopped; the address is the first line that is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    app = create_app(options.folder, threads=options.threads)
    with listening_socket("127.0.0.1", options.port) as listener:
        print(f"Serving ALS at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def _model(folder: Path) -> AlternatingLeastSquares:
    item_factors = np.load(folder / "item_factors.npy")
    model = AlternatingLeastSquares(factors=item_factors.shape[1], num_threads=1)
    model.user_factors, model.item_factors = np.load(folder / "user_factors.npy"), item_factors
    return model


def _limited(threads: int) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if threads:
            to_thread.current_default_thread_limiter().total_tokens = threads
        yield

    return lifespan


if __name__ == "__main__":
    main()
