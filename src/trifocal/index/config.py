"""What an index may be told. Imports nothing from this package."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["IndexConfig", "IndexKind"]

IndexKind = Literal["exact", "flat8", "flat4", "hnsw", "ivf_pq"]


class IndexConfig(BaseModel):
    """Which index stands over the item vectors, and how good it must be. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["auto", IndexKind] = "auto"
    """`auto` chooses by the number of items; a named kind too gives way to a more exact one below the recall target."""

    recall_target: float = Field(default=0.99, gt=0, le=1)
    """Least share of the exact answers that must be found, measured when the index is built."""

    recall_k: int = Field(default=200, ge=1, le=10_000)
    """Length of the lists that the recall is measured on: the candidates that are ranked."""

    recall_queries: int = Field(default=256, ge=1, le=100_000)
    """Query vectors drawn to measure the recall."""

    exact_up_to: int = Field(default=20_000, ge=0)
    """Items up to which every vector is compared, also where a filter leaves no more than that."""

    flat_up_to: int = Field(default=2_000_000, ge=0)
    """Items up to which `auto` reads every code, of 4 bits if that reaches the recall; above, a graph or lists."""

    max_bytes: int = Field(default=2 * 1024**3, ge=1)
    """Greatest memory of codes and graph, beside the float vectors; a kind that needs more is passed over."""

    graph_links: int = Field(default=32, ge=4, le=128)
    """Links an item in the HNSW graph; the lowest layer has twice as many."""

    graph_breadth: int = Field(default=100, ge=8, le=2000)
    """Candidates in view while an item joins the HNSW graph; more = slower to build, better found."""

    build_threads: int = Field(default=1, ge=1, le=256)
    """Threads that build; an HNSW graph is the same each time with 1 only."""

    search_threads: int = Field(default=1, ge=1, le=256)
    """Threads of one search; a server that answers many at once wants 1."""
