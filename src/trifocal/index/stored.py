"""An index as files, and back. No pickle; the float vectors lie elsewhere.

```
FOLDER/index.json    kind, plan, and which vectors it is of
      /index.faiss   codes and graph; not of the exact index
```
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from trifocal.errors import ArtifactError
from trifocal.index.coded import Codes, SearchPlan
from trifocal.index.config import IndexKind
from trifocal.index.exact import ExactIndex
from trifocal.index.faiss_package import load_faiss
from trifocal.index.flat4 import Flat4Index
from trifocal.index.flat8 import Flat8Index
from trifocal.index.hnsw import HnswIndex
from trifocal.index.ivf_pq import IvfPqIndex
from trifocal.index.live import LiveIndex
from trifocal.types import FloatArray, VectorTable

__all__ = ["CODES_FILE", "INDEX_FILE", "load_index", "save_index"]

INDEX_FILE, CODES_FILE = "index.json", "index.faiss"

_FORMAT_VERSION = 1
_REPAIR = "build the index again from the item vectors"
_ROWS_HASHED = 1024
_FAISS_CLASS: dict[IndexKind, str] = {
    "flat8": "IndexScalarQuantizer", "flat4": "IndexPQFastScan", "hnsw": "IndexHNSWSQ", "ivf_pq": "IndexIVFPQ",
}  # fmt: skip


class _Description(BaseModel):
    """What `index.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    kind: IndexKind
    items: int
    width: int
    vectors: str
    """Hash of some of the item vectors."""
    plan: SearchPlan
    codes_sha256: str | None
    """Of `index.faiss`; None where there is none."""


def save_index(index: LiveIndex, folder: Path) -> tuple[str, ...]:
    """Write `index` to `folder`, which exists, and return the names of its files.

    Raises:
        ArtifactError: when items were added, replaced or removed since it was built.
    """
    if index.n_fresh or index.n_hidden:
        raise ArtifactError(
            f"the index holds {index.n_fresh} fresh vectors and hides {index.n_hidden} rows, a file holds it as "
            f"built; {_REPAIR} that are now in force"
        )
    base = index.base
    if isinstance(base, ExactIndex):
        _describe("exact", base.vectors, SearchPlan(seed=base.seed), None, folder)
        return (INDEX_FILE,)
    if not isinstance(base, Flat8Index | Flat4Index | HnswIndex | IvfPqIndex):
        raise ArtifactError(f"an index of the class {type(base).__name__} has no file format; use build_index")
    load_faiss().write_index(base.codes, str(folder / CODES_FILE))
    _describe(base.kind, base.vectors, base.plan, _sha256(folder / CODES_FILE), folder)
    return INDEX_FILE, CODES_FILE


def load_index(folder: Path, vectors: FloatArray, *, threads: int = 1) -> LiveIndex:
    """Return the index that `save_index` wrote to `folder`.

    Args:
        folder: of the files.
        vectors: (N, D) float32, those it was built of; may be memory-mapped; not copied.
        threads: of one search.

    Raises:
        ArtifactError: when a file is missing, cut short, of another kind, or of other vectors.
        ConfigError: when the kind needs faiss and it is not installed.
    """
    described = _read_description(folder / INDEX_FILE)
    met = (*vectors.shape, _vectors_hash(vectors))
    if met != (described.items, described.width, described.vectors):
        raise ArtifactError(
            f"{folder / INDEX_FILE} is of {described.items} vectors of width {described.width} with the hash "
            f"{described.vectors}, met were {met}; {_REPAIR} beside it"
        )
    plan = replace(described.plan, threads=threads)
    live = {"width": described.width, "seed": plan.seed}
    match described.kind:
        case "exact":
            return LiveIndex(ExactIndex(vectors, seed=plan.seed), **live)
        case "flat8":
            return LiveIndex(Flat8Index(vectors, plan, codes=_read_codes(folder, described)), **live)
        case "flat4":
            return LiveIndex(Flat4Index(vectors, plan, codes=_read_codes(folder, described)), **live)
        case "hnsw":
            return LiveIndex(HnswIndex(vectors, plan, codes=_read_codes(folder, described)), **live)
        case "ivf_pq":
            return LiveIndex(IvfPqIndex(vectors, plan, codes=_read_codes(folder, described)), **live)


def _describe(kind: IndexKind, vectors: VectorTable, plan: SearchPlan, sha256: str | None, folder: Path) -> None:
    description = _Description(
        format_version=_FORMAT_VERSION,
        kind=kind,
        items=vectors.shape[0],
        width=vectors.shape[1],
        vectors=_vectors_hash(vectors),
        # How many threads search is the reading machine's affair.
        plan=replace(plan, threads=1),
        codes_sha256=sha256,
    )
    text = json.dumps(description.model_dump(mode="json"), indent=2, sort_keys=True)
    (folder / INDEX_FILE).write_text(text + "\n", encoding="utf-8")


def _read_description(path: Path) -> _Description:
    try:
        described = _Description.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        fault = " ".join(str(error).split())
        raise ArtifactError(f"{path} does not describe an index ({fault}); {_REPAIR}") from error
    if described.format_version != _FORMAT_VERSION:
        raise ArtifactError(
            f"{path} has format version {described.format_version}, this version reads {_FORMAT_VERSION}; {_REPAIR}"
        )
    return described


def _read_codes(folder: Path, described: _Description) -> Codes:
    """Return the faiss index; a file that is not whole never reaches faiss, which trusts the sizes in it."""
    path = folder / CODES_FILE
    try:
        met = _sha256(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error}); {_REPAIR}") from error
    if met != described.codes_sha256:
        raise ArtifactError(
            f"{path} has the SHA-256 {met}, {described.codes_sha256} was written: it is cut short or of another "
            f"index; {_REPAIR}"
        )
    try:
        codes = load_faiss().read_index(str(path))
    except RuntimeError as error:
        raise ArtifactError(f"{path} is not read by this version of faiss ({error}); {_REPAIR}") from error
    shape = (type(codes).__name__, int(codes.ntotal), int(codes.d))
    if shape != (_FAISS_CLASS[described.kind], described.items, described.width):
        raise ArtifactError(f"{path} holds {shape}, {INDEX_FILE} says {described.kind!r}; {_REPAIR}")
    return codes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _vectors_hash(vectors: VectorTable) -> str:
    """Return a hash of up to 1024 vectors, evenly spaced: enough to tell one training from another."""
    rows = np.linspace(0, max(len(vectors) - 1, 0), min(len(vectors), _ROWS_HASHED)).astype(np.int64)
    some = np.ascontiguousarray(vectors[rows], dtype="<f4")
    return hashlib.sha256(some.tobytes()).hexdigest()[:16]
