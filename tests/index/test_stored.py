from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from trifocal.errors import ArtifactError
from trifocal.index import IndexConfig, IndexKind, build_index, load_index
from trifocal.types import FloatArray

KINDS: tuple[IndexKind, ...] = ("exact", "flat8", "hnsw", "ivf_pq")


def vectors_of(seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(500, 8)).astype(np.float32)


def write(folder: Path, kind: IndexKind, seed: int = 0) -> tuple[str, ...]:
    config = IndexConfig(kind=kind, exact_up_to=0, recall_k=10, recall_target=0.5, graph_links=8)
    return build_index(vectors_of(seed), config=config, seed=7).save(folder)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> IndexKind:
    chosen: IndexKind = request.param
    return chosen


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, kind: IndexKind) -> Path:
    folder = tmp_path_factory.mktemp("index")
    write(folder, kind)
    return folder


def test_what_comes_back_answers_the_same(tmp_path: Path, kind: IndexKind) -> None:
    config = IndexConfig(kind=kind, exact_up_to=0, recall_k=10, recall_target=0.5, graph_links=8)
    built = build_index(vectors_of(0), config=config, seed=7)
    names = built.save(tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    exclude = [np.arange(line, 500, 3) for line in range(4)]
    before, after = (
        index.search(vectors_of(1)[:4], 20, exclude=exclude)
        for index in (built.index, load_index(tmp_path, vectors_of(0)))
    )
    assert np.array_equal(before.item_rows, after.item_rows)
    assert np.array_equal(before.scores, after.scores)


def test_equal_vectors_make_equal_files(tmp_path: Path, folder: Path, kind: IndexKind) -> None:
    for name in write(tmp_path, kind):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_exact_index_is_its_kind_alone(tmp_path: Path) -> None:
    assert write(tmp_path, "exact") == ("index.json",)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_file_cut_short_is_refused(folder: Path, share: float) -> None:
    path = folder / "index.faiss"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ArtifactError, match=r"index\.faiss has the SHA-256 .*build the index again"):
        load_index(folder, vectors_of(0))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "index.faiss").unlink()
    with pytest.raises(ArtifactError, match=r"index\.faiss cannot be read .*build the index again"):
        load_index(folder, vectors_of(0))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "annoy"}'])
def test_a_foreign_description_is_refused(folder: Path, text: str) -> None:
    (folder / "index.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"index\.json does not describe an index .*build the index again"):
        load_index(folder, vectors_of(0))


def test_another_format_version_is_refused(folder: Path) -> None:
    path = folder / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 2}), encoding="utf-8")
    with pytest.raises(ArtifactError, match="format version 2, this version reads 1"):
        load_index(folder, vectors_of(0))


def test_other_vectors_are_refused(folder: Path) -> None:
    with pytest.raises(ArtifactError, match=r"index\.json is of 500 vectors of width 8"):
        load_index(folder, vectors_of(1))
    with pytest.raises(ArtifactError, match=r"met were \(499, 8"):
        load_index(folder, vectors_of(0)[:499])


def test_codes_of_another_kind_are_refused(tmp_path: Path) -> None:
    flat, graph = tmp_path / "flat", tmp_path / "graph"
    for folder, kind in ((flat, "flat8"), (graph, "hnsw")):
        folder.mkdir()
        write(folder, kind)  # type: ignore[arg-type]  # the tuple widens the Literal
    described = json.loads((flat / "index.json").read_text()) | {
        "codes_sha256": json.loads((graph / "index.json").read_text())["codes_sha256"]
    }
    (flat / "index.json").write_text(json.dumps(described), encoding="utf-8")
    shutil.copyfile(graph / "index.faiss", flat / "index.faiss")
    with pytest.raises(ArtifactError, match=r"index\.faiss holds \('IndexHNSWSQ', 500, 8\).*'flat8'"):
        load_index(flat, vectors_of(0))


def test_a_file_that_is_whole_but_no_index_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "flat8")
    (tmp_path / "index.faiss").write_bytes(b"not an index")
    path = tmp_path / "index.json"
    digest = hashlib.sha256(b"not an index").hexdigest()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"codes_sha256": digest}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"index\.faiss is not read by this version of faiss"):
        load_index(tmp_path, vectors_of(0))


def test_changes_are_not_dropped_in_silence(tmp_path: Path) -> None:
    built = build_index(vectors_of(0), config=IndexConfig())
    built.index.add(vectors_of(1)[:2])
    built.index.remove(np.array([4]))
    with pytest.raises(ArtifactError, match="holds 2 fresh vectors and hides 1 rows"):
        built.save(tmp_path)
