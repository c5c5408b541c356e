"""What serving needs beside the bundle, made once on the machine that serves: index, ONNX files, what was measured.

```
FOLDER/serving.json      model version, hashes, recall of the index, milliseconds and precision of each network
      /user_tower.onnx   /ranker.onnx
      /index.json        /index.faiss
```

All of it can be made again from the bundle, so that what is missing, damaged or of another model is made anew.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trifocal.bundle.manifest import file_entry
from trifocal.bundle.onnx_export import (
    RANKER_FILE,
    TOWER_FILE,
    Precision,
    export_ranker,
    export_tower,
    open_session,
)
from trifocal.errors import ArtifactError
from trifocal.index import IndexConfig, LiveIndex, build_index, load_index
from trifocal.model import TwoStageRecommender

__all__ = ["SERVING_FILE", "ServingFiles", "load_serving_files", "prepare_serving_files"]

SERVING_FILE = "serving.json"
_FORMAT_VERSION = 1


@dataclass(frozen=True)
class ServingFiles:
    """Ready to serve. Stability: internal.

    Attributes:
        index: of the item vectors.
        tower: inference session of `OnlineTower`.
        ranker: inference session of the ranker.
        facts: what `serving.json` holds.
    """

    index: LiveIndex
    tower: Any
    ranker: Any
    facts: dict[str, Any]


def prepare_serving_files(
    recommender: TwoStageRecommender,
    folder: Path,
    *,
    model_version: str,
    index: IndexConfig | None = None,
    precision: Precision | None = None,
) -> ServingFiles:
    """Write the files of `recommender` to `folder`, in place of what it held, and return them.

    Args:
        recommender: as the bundle holds it.
        folder: made where it is not there; written beside and then moved, so that it is never half there.
        model_version: of the bundle.
        index: which index; None = the defaults.
        precision: of both networks; None = int8 where it is faster here.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        config = index or IndexConfig()
        vectors = np.ascontiguousarray(recommender.item_vectors)
        built = build_index(vectors, config=config)
        names = [TOWER_FILE, RANKER_FILE, *built.save(beside)]
        networks = {
            "user_tower": asdict(export_tower(recommender, beside, precision=precision)),
            "ranker": asdict(export_ranker(recommender, beside, precision=precision)),
        }
        facts = {
            "format_version": _FORMAT_VERSION,
            "model_version": model_version,
            "wanted": {"index": config.model_dump(mode="json"), "precision": precision},
            "index": built.facts(),
            "networks": networks,
            "files": {name: file_entry(beside / name).model_dump() for name in names},
        }
        (beside / SERVING_FILE).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        beside.replace(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return load_serving_files(recommender, folder, model_version=model_version)


def load_serving_files(
    recommender: TwoStageRecommender,
    folder: Path,
    *,
    model_version: str,
    index: IndexConfig | None = None,
    precision: Precision | None = None,
) -> ServingFiles:
    """Return the files in `folder`, verified.

    Raises:
        ArtifactError: when one is missing or damaged, or they are of another model, index or precision.
    """
    facts = _facts(folder / SERVING_FILE)
    if facts["model_version"] != model_version:
        raise ArtifactError(
            f"{folder} is of model {facts['model_version']}, {model_version} is served; prepare it anew"
        )
    wanted = {"index": (index or IndexConfig()).model_dump(mode="json"), "precision": precision}
    if (index or precision) and facts["wanted"] != wanted:
        raise ArtifactError(f"{folder} was prepared with other settings of index or precision; prepare it anew")
    for name, entry in facts["files"].items():
        path = folder / name
        if not path.is_file() or file_entry(path).model_dump() != entry:
            raise ArtifactError(f"{path} is missing or damaged; prepare it anew")
    return ServingFiles(
        index=load_index(folder, np.ascontiguousarray(recommender.item_vectors)),
        tower=open_session(folder / TOWER_FILE),
        ranker=open_session(folder / RANKER_FILE),
        facts=facts,
    )


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format_version"] != _FORMAT_VERSION:
            raise ArtifactError(f"{path} has format {facts['format_version']}, {_FORMAT_VERSION} is read; prepare anew")
        return dict(facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} cannot be read ({type(error).__name__}); prepare it anew") from error
