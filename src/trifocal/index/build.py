"""The right index for these vectors: the kind by size and memory, its effort by the recall that is measured.

```
kinds to try, each more exact than the one before:   ivf_pq ─► hnsw ─► flat4 ─► flat8 ─► exact
plans of a kind, each slower than the one before:    the first that reaches the recall target is kept
```

Nothing is written here; see `trifocal.index.stored`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trifocal.errors import ConfigError
from trifocal.index.best import check_table
from trifocal.index.coded import CodedIndex, SearchPlan
from trifocal.index.config import IndexConfig, IndexKind
from trifocal.index.exact import ExactIndex
from trifocal.index.flat4 import Flat4Index, can_be_flat4
from trifocal.index.flat8 import Flat8Index
from trifocal.index.hnsw import HnswIndex, graph_bytes
from trifocal.index.ivf_pq import IvfPqIndex, list_bytes
from trifocal.index.live import LiveIndex
from trifocal.index.recall import recall_at_k
from trifocal.index.stored import save_index
from trifocal.ports import Index
from trifocal.types import FloatArray

__all__ = ["BuiltIndex", "Trial", "build_index", "kinds_to_try"]

# (breadth, rescoring), cheapest first.
_EFFORTS: dict[IndexKind, tuple[tuple[int, int], ...]] = {
    "flat8": ((1, 1), (1, 2), (1, 4)),
    "flat4": ((1, 3), (1, 5), (1, 10)),
    "hnsw": ((256, 2), (512, 2), (1024, 3), (2048, 4)),
    "ivf_pq": ((16, 4), (32, 8), (64, 8), (128, 16), (256, 16)),
}
_FROM_SMALLEST: tuple[IndexKind, ...] = ("ivf_pq", "hnsw", "flat4", "flat8", "exact")


@dataclass(frozen=True)
class Trial:
    """What one effort of one kind reached: `recall` in 0..1."""

    kind: IndexKind
    breadth: int
    rescoring: int
    recall: float


@dataclass(frozen=True)
class BuiltIndex:
    """An index with what is known of it. Stability: caller.

    Attributes:
        index: ready to be searched and changed.
        kind: of what was built.
        recall: share of the exact answers found, 0..1.
        recall_k: length of the lists that `recall` was measured on.
        build_seconds: for all that was tried.
        bytes: memory of codes and graph, beside the float vectors; 0 of the exact index.
        tried: every effort in order; the last one was kept, unless the exact index was.
    """

    index: LiveIndex
    kind: IndexKind
    recall: float
    recall_k: int
    build_seconds: float
    bytes: int
    tried: tuple[Trial, ...]

    def facts(self) -> dict[str, Any]:
        """Return what a manifest keeps: plain values, the same for the same vectors; so without the seconds."""
        kept = self.tried[-1] if self.kind != "exact" else None
        return {
            "kind": self.kind,
            "recall": self.recall,
            "recall_k": self.recall_k,
            "bytes": self.bytes,
            "breadth": kept.breadth if kept else 0,
            "rescoring": kept.rescoring if kept else 0,
            "tried": [asdict(trial) for trial in self.tried],
        }

    def save(self, folder: Path) -> tuple[str, ...]:
        """Write the index to `folder`, which exists; return the names of its files. See `save_index`."""
        return save_index(self.index, folder)


def build_index(
    vectors: FloatArray, *, config: IndexConfig, queries: FloatArray | None = None, seed: int = 0
) -> BuiltIndex:
    """Return the index that `config` asks for, or a more exact one where the recall target is not reached.

    Args:
        vectors: (N, D) float32 item vectors, may be memory-mapped; not copied.
        config: kind, recall target, limits.
        queries: (Q, D) vectors like those it will be asked with, best those of users; some are drawn to measure the
            recall. Without them, item vectors are drawn.
        seed: of that draw, of what is learned, and of the order among equal scores.

    Raises:
        ConfigError: when `vectors` is no table, `queries` have another width, or faiss is needed and missing.
        DataError: when a vector holds a value that is no number.
    """
    started_s = time.perf_counter()
    check_table(vectors)
    drawn = _drawn(vectors if queries is None or not len(queries) else queries, vectors, config, seed)
    exact = ExactIndex(vectors, seed=seed)
    kinds = kinds_to_try(config, *vectors.shape)
    tried: list[Trial] = []
    base: Index = exact
    kind: IndexKind = "exact"
    recall, n_bytes = 1.0, 0
    for index, trial in _trials(kinds, vectors, drawn, exact, config, seed):
        tried.append(trial)
        if trial.recall >= config.recall_target:
            base, kind, recall, n_bytes = index, trial.kind, trial.recall, index.code_bytes
            break
    return BuiltIndex(
        index=LiveIndex(base, width=vectors.shape[1], seed=seed),
        kind=kind,
        recall=recall,
        recall_k=config.recall_k,
        build_seconds=time.perf_counter() - started_s,
        bytes=n_bytes,
        tried=tuple(tried),
    )


def kinds_to_try(config: IndexConfig, n_items: int, width: int) -> tuple[IndexKind, ...]:
    """Return the kinds to build in turn, each more exact than the one before; the last is always `exact`.

    >>> kinds_to_try(IndexConfig(), 20_000, 128), kinds_to_try(IndexConfig(), 20_001, 128)
    (('exact',), ('flat4', 'flat8', 'exact'))
    >>> kinds_to_try(IndexConfig(), 2_000_001, 128)
    ('hnsw', 'flat4', 'flat8', 'exact')
    """
    first = config.kind if config.kind != "auto" else _by_size(config, n_items, width)
    if not n_items:
        return ("exact",)
    no_less_exact = _FROM_SMALLEST[_FROM_SMALLEST.index(first) :]
    fitting = [kind for kind in no_less_exact if _bytes(kind, config, n_items, width) <= config.max_bytes]
    return tuple(kind for kind in fitting if kind != "flat4" or can_be_flat4(n_items, width))


def _by_size(config: IndexConfig, n_items: int, width: int) -> IndexKind:
    if n_items <= config.exact_up_to:
        return "exact"
    wanted: IndexKind = "flat4" if n_items <= config.flat_up_to else "hnsw"
    # The smallest kind stands in for one that is too large.
    return wanted if _bytes(wanted, config, n_items, width) <= config.max_bytes else "ivf_pq"


def _bytes(kind: IndexKind, config: IndexConfig, n_items: int, width: int) -> int:
    match kind:
        case "exact":
            return 0
        case "flat8":
            return n_items * width
        case "flat4":
            return n_items * width // 4
        case "hnsw":
            return graph_bytes(n_items, width, config.graph_links)
        case "ivf_pq":
            return list_bytes(n_items, width)


def _trials(
    kinds: tuple[IndexKind, ...],
    vectors: FloatArray,
    queries: FloatArray,
    exact: ExactIndex,
    config: IndexConfig,
    seed: int,
) -> Iterator[tuple[CodedIndex, Trial]]:
    """Return every kind but the exact one with every effort, each with the recall that it reaches."""
    coded = [kind for kind in kinds if kind != "exact"]
    # Without a kind to measure, the exact answers are not worth their time.
    truth = exact.search(queries if coded else queries[:0], config.recall_k)
    for kind in coded:
        plans = [
            SearchPlan(breadth, rescoring, config.exact_up_to, config.build_threads, seed)
            for breadth, rescoring in _EFFORTS[kind]
        ]
        built = _built(kind, vectors, plans[0], config)
        for plan in plans:
            recall = recall_at_k(built.with_plan(plan), vectors, queries, truth)
            trial = Trial(kind, plan.breadth, plan.rescoring, recall)
            yield built.with_plan(_for_search(plan, config)), trial


def _for_search(plan: SearchPlan, config: IndexConfig) -> SearchPlan:
    return SearchPlan(plan.breadth, plan.rescoring, plan.exact_up_to, config.search_threads, plan.seed)


def _built(kind: IndexKind, vectors: FloatArray, plan: SearchPlan, config: IndexConfig) -> CodedIndex:
    match kind:
        case "flat8":
            return Flat8Index(vectors, plan)
        case "flat4":
            return Flat4Index(vectors, plan)
        case "hnsw":
            return HnswIndex(vectors, plan, links=config.graph_links, graph_breadth=config.graph_breadth)
        case "ivf_pq":
            return IvfPqIndex(vectors, plan)
        case "exact":
            raise ConfigError("the index kind 'exact' has no codes; use ExactIndex")


def _drawn(queries: FloatArray, vectors: FloatArray, config: IndexConfig, seed: int) -> FloatArray:
    if queries.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise ConfigError(
            f"queries to measure the recall with have shape {queries.shape}, (queries, {vectors.shape[1]}) is needed"
        )
    size = min(len(queries), config.recall_queries)
    rows = np.sort(np.random.default_rng(seed).choice(len(queries), size, replace=False))
    return np.asarray(queries[rows], dtype=np.float32)
