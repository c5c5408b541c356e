"""The files of a bundle and how each is written and read. No pickle; the one place that knows their names.

```
FOLDER/manifest.json         version, hashes, metrics, counts
      /config.json           settings of the model
      /feature_state.json    vocabularies of context and attributes
      /weights.safetensors   tensors by name
      /item_vectors.npy      (N, D) float32, memory-mapped
      /text_vectors.npy      (N, text width) float16, memory-mapped
      /popularity.npy        (N,) float32
      /items.parquet         canonical item table
      /histories.parquet     newest events of each known user
      /text_encoder/         network and tokenizer, where they were trained on this catalogue: no other machine has them
```
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from trifocal.bundle.contents import BundleContents
from trifocal.errors import ArtifactError
from trifocal.features.scratch import ENCODER_FILES

if TYPE_CHECKING:
    from trifocal.bundle.manifest import Manifest

__all__ = ["ENCODER_FILE_NAMES", "FILE_NAMES", "file_names", "read_files", "write_files"]

_CONFIG, _FEATURE_STATE = "config.json", "feature_state.json"
_WEIGHTS = "weights.safetensors"
_ITEM_VECTORS, _TEXT_VECTORS, _POPULARITY = "item_vectors.npy", "text_vectors.npy", "popularity.npy"
_ITEMS, _HISTORIES = "items.parquet", "histories.parquet"
_ENCODER = "text_encoder"

FILE_NAMES = (
    _CONFIG, _FEATURE_STATE, _WEIGHTS, _ITEM_VECTORS, _TEXT_VECTORS, _POPULARITY, _ITEMS, _HISTORIES,
)  # fmt: skip
ENCODER_FILE_NAMES = tuple(f"{_ENCODER}/{name}" for name in ENCODER_FILES)


def file_names(contents: BundleContents) -> tuple[str, ...]:
    """Return the names of the files that `write_files` writes of `contents`."""
    return FILE_NAMES if contents.text_encoder is None else FILE_NAMES + ENCODER_FILE_NAMES


def write_files(contents: BundleContents, folder: Path) -> None:
    """Write every file but the manifest to `folder`, which exists."""
    _write_json(contents.config, folder / _CONFIG)
    _write_json(contents.feature_state, folder / _FEATURE_STATE)
    # A clone each: tied weights share memory, which safetensors refuses.
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in contents.weights.items()}
    save_file(weights, folder / _WEIGHTS)
    np.save(folder / _ITEM_VECTORS, np.asarray(contents.item_vectors, dtype=np.float32), allow_pickle=False)
    np.save(folder / _TEXT_VECTORS, np.asarray(contents.text_vectors, dtype=np.float16), allow_pickle=False)
    np.save(folder / _POPULARITY, np.asarray(contents.popularity, dtype=np.float32), allow_pickle=False)
    contents.items.write_parquet(folder / _ITEMS)
    contents.histories.write_parquet(folder / _HISTORIES)
    if contents.text_encoder is not None:
        (folder / _ENCODER).mkdir()
        for name in ENCODER_FILES:
            shutil.copyfile(contents.text_encoder / name, folder / _ENCODER / name)


def read_files(folder: Path, manifest: Manifest) -> BundleContents:
    """Return the contents of `folder`; vectors stay on disk, memory-mapped, and a change of them never reaches it.

    Raises:
        ArtifactError: when a file is not of its kind, or the parts do not fit together.
    """
    try:
        contents = BundleContents(
            items=pl.read_parquet(folder / _ITEMS),
            image_root=manifest.image_root,
            config=_read_json(folder / _CONFIG),
            weights=load_file(folder / _WEIGHTS),
            item_vectors=_read_array(folder / _ITEM_VECTORS),
            text_vectors=_read_array(folder / _TEXT_VECTORS),
            feature_state=_read_json(folder / _FEATURE_STATE),
            popularity=_read_array(folder / _POPULARITY),
            histories=pl.read_parquet(folder / _HISTORIES),
            metrics=manifest.metrics,
            data_fingerprint=manifest.data_fingerprint,
            model_name=manifest.model_name,
            text_encoder=folder / _ENCODER if set(ENCODER_FILE_NAMES) <= set(manifest.files) else None,
        )
    except (OSError, ValueError, SafetensorError, pl.exceptions.PolarsError) as error:
        raise ArtifactError(f"{folder} holds a file that cannot be read ({error}); export the bundle again") from error
    contents.validate()
    return contents


def _write_json(value: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def _read_array(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except ValueError:
        # An array without a value, as the text vectors of a model without text, cannot be mapped.
        array = np.load(path, allow_pickle=False)
    return array
