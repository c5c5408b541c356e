"""A result on disk, so that a long comparison goes on, model by model, where it broke off.

```
FOLDER/result.json   name, times, sizes, settings, means of each seed
      /arrays.npz    (B,) float64 a metric, and the (B, K) item rows of the lists; no pickle
```

The folder is written beside its place and renamed: where it exists, it is whole.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trifocal.errors import ArtifactError
from trifocal.evaluate.latency import Latency
from trifocal.evaluate.protocol import Result

__all__ = ["RESULT_FORMAT", "load_result", "save_result"]

RESULT_FORMAT = 1

_ITEM_ROWS = "item_rows"
# A metric may not be taken for the item rows.
_METRIC = "metric:"


def save_result(folder: Path, result: Result) -> None:
    """Write `result` as `folder`, whole or not at all; a result that stood there gives way.

    Raises:
        ArtifactError: when a setting is nothing that JSON can hold.
    """
    try:
        about = json.dumps({"format": RESULT_FORMAT, **_about(result)}, indent=2)
    except TypeError as error:
        raise ArtifactError(
            f"the settings of {result.name} are {result.settings}: {error}; give plain values"
        ) from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as workshop:
        new = Path(workshop) / folder.name
        new.mkdir()
        (new / "result.json").write_text(about + "\n", encoding="utf-8")
        np.savez_compressed(new / "arrays.npz", allow_pickle=False, **_arrays(result))
        if folder.exists():
            shutil.rmtree(folder)
        new.rename(folder)


def load_result(folder: Path) -> Result:
    """Return the result that `save_result` wrote to `folder`.

    Raises:
        ArtifactError: when there is none, or it has another format.
    """
    try:
        about = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} holds no result: {error.filename} is missing; evaluate the model") from None
    if about.pop("format") != RESULT_FORMAT:
        raise ArtifactError(f"{folder} was not written in result format {RESULT_FORMAT}; delete it and evaluate again")
    latency = about.pop("latency")
    return Result(
        metrics={name.removeprefix(_METRIC): values for name, values in arrays.items() if name.startswith(_METRIC)},
        item_rows=arrays[_ITEM_ROWS],
        latency=None if latency is None else Latency(**latency),
        seed_means=tuple(about.pop("seed_means")),
        **about,
    )


def _about(result: Result) -> dict[str, object]:
    return {
        "name": result.name,
        "seconds": result.seconds,
        "latency": None if result.latency is None else asdict(result.latency),
        "train_seconds": result.train_seconds,
        "seed_means": result.seed_means,
        "parameters": result.parameters,
        "size_mb": result.size_mb,
        "version": result.version,
        "settings": result.settings,
        "tuning": result.tuning,
    }


def _arrays(result: Result) -> dict[str, npt.NDArray[np.generic]]:
    return {_ITEM_ROWS: result.item_rows} | {_METRIC + name: values for name, values in result.metrics.items()}
