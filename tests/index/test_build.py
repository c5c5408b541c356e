from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from trifocal.errors import ConfigError, DataError
from trifocal.index import ExactIndex, IndexConfig, IndexKind, build_index, recall_at_k
from trifocal.index.build import kinds_to_try
from trifocal.index.hnsw import graph_bytes
from trifocal.index.ivf_pq import list_bytes
from trifocal.types import FloatArray

MILLION = 1_000_000


def vectors_of(n_items: int, width: int = 16) -> FloatArray:
    return np.random.default_rng(0).normal(size=(n_items, width)).astype(np.float32)


@pytest.mark.parametrize("kind", ["flat8", "hnsw", "ivf_pq"])
def test_the_target_is_reached_and_what_was_tried_is_kept(kind: IndexKind) -> None:
    vectors = vectors_of(1500)
    config = IndexConfig(kind=kind, exact_up_to=0, recall_k=50, recall_queries=40, graph_links=16, recall_target=0.95)
    built = build_index(vectors, config=config, queries=vectors_of(60), seed=3)
    truth = ExactIndex(vectors).search(vectors[:40], 50)
    assert built.kind == kind
    assert built.recall == built.tried[-1].recall >= 0.95
    assert recall_at_k(built.index, vectors, vectors[:40], truth) > 0.9
    assert built.bytes > 0
    assert built.build_seconds > 0


def test_effort_rises_until_the_target_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter([0.5, 0.9899, 0.99, 1.0])
    monkeypatch.setattr("trifocal.index.build.recall_at_k", lambda *_: next(measured))
    built = build_index(vectors_of(300), config=IndexConfig(kind="hnsw", exact_up_to=0))
    assert [(trial.breadth, trial.recall) for trial in built.tried] == [(256, 0.5), (512, 0.9899), (1024, 0.99)]
    assert (built.kind, built.recall, built.facts()["breadth"], built.facts()["rescoring"]) == ("hnsw", 0.99, 1024, 3)


def test_a_kind_that_stays_below_the_target_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trifocal.index.build.recall_at_k", lambda *_: 0.5)
    built = build_index(vectors_of(300), config=IndexConfig(kind="hnsw", exact_up_to=0))
    assert [trial.kind for trial in built.tried] == ["hnsw"] * 4 + ["flat8"] * 3
    assert (built.kind, built.recall, built.bytes) == ("exact", 1.0, 0)
    assert isinstance(built.index.base, ExactIndex)


@pytest.mark.parametrize(
    ("config", "n_items", "kinds"),
    [
        (IndexConfig(), 20_000, ("exact",)),
        (IndexConfig(), 2 * MILLION, ("flat4", "flat8", "exact")),
        (IndexConfig(), 2 * MILLION + 1, ("hnsw", "flat4", "flat8", "exact")),
        (IndexConfig(kind="ivf_pq"), 10, ("ivf_pq", "hnsw", "flat8", "exact")),
        (IndexConfig(kind="exact"), 9 * MILLION, ("exact",)),
        (IndexConfig(kind="hnsw"), 0, ("exact",)),
        # A graph of two million items that is a byte too large: lists stand in, then what else has room.
        (
            IndexConfig(flat_up_to=MILLION, max_bytes=graph_bytes(2 * MILLION, 128, 32) - 1),
            2 * MILLION,
            ("ivf_pq", "flat4", "flat8", "exact"),
        ),
        (
            IndexConfig(flat_up_to=MILLION, max_bytes=list_bytes(2 * MILLION, 128)),
            2 * MILLION,
            ("ivf_pq", "flat4", "exact"),
        ),
        (IndexConfig(max_bytes=1), 2 * MILLION, ("exact",)),
    ],
)
def test_size_and_memory_choose_the_kind(config: IndexConfig, n_items: int, kinds: tuple[str, ...]) -> None:
    assert kinds_to_try(config, n_items, 128) == kinds


def test_a_small_catalogue_needs_no_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert build_index(vectors_of(100), config=IndexConfig()).kind == "exact"
    with pytest.raises(ConfigError, match=r"pip install 'trifocal\[serve\]'"):
        build_index(vectors_of(100), config=IndexConfig(kind="flat8"))


def test_facts_are_plain_and_the_same_twice() -> None:
    config = IndexConfig(kind="flat8", exact_up_to=0, recall_k=10)
    one, two = (build_index(vectors_of(400), config=config, seed=5).facts() for _ in range(2))
    assert one == two == json.loads(json.dumps(one))
    assert (one["kind"], one["recall_k"], one["bytes"]) == ("flat8", 10, 400 * 16)
    assert one["rescoring"] == one["tried"][-1]["rescoring"] > 0


def test_the_exact_index_has_facts_too() -> None:
    facts = build_index(vectors_of(5), config=IndexConfig()).facts()
    assert facts == {
        "kind": "exact", "recall": 1.0, "recall_k": 200, "bytes": 0, "breadth": 0, "rescoring": 0, "tried": [],
    }  # fmt: skip


def test_an_empty_catalogue_is_exact() -> None:
    built = build_index(np.zeros((0, 4), np.float32), config=IndexConfig(kind="flat8"))
    assert built.kind == "exact"
    assert built.index.add(np.ones((1, 4), np.float32)).tolist() == [0]


def test_vectors_and_queries_are_checked() -> None:
    broken = vectors_of(100)
    broken[17, 3] = np.nan
    with pytest.raises(DataError, match="item vector of row 17 holds NaN"):
        build_index(broken, config=IndexConfig(kind="flat8"), queries=vectors_of(4))
    with pytest.raises(ConfigError, match=r"queries .* have shape \(4, 8\), \(queries, 16\)"):
        build_index(vectors_of(100), config=IndexConfig(), queries=vectors_of(4, 8))
    with pytest.raises(ConfigError, match=r"item vectors have shape \(3,\)"):
        build_index(np.zeros(3, np.float32), config=IndexConfig())


def test_settings_are_bounded() -> None:
    with pytest.raises(ValidationError, match="recall_target"):
        IndexConfig(recall_target=1.1)
    with pytest.raises(ValidationError, match="kind"):
        IndexConfig.model_validate({"kind": "annoy"})
