"""What the quality benchmarks share: the command line, the data set's folder, a training."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["dataset_folder", "train_missing", "trifocal"]


def trifocal(*words: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Run the command of this environment with `environment` over the present one; return the lines that it printed.

    Ends the program where the command fails; its error has then been printed.
    """
    command = [str(Path(sys.executable).with_name("trifocal")), *words]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        sys.exit(f"error: `trifocal {' '.join(words)}` ended with exit code {done.returncode}")
    return done.stdout.splitlines()


def dataset_folder(dataset: str | None, data: Path | None, out: Path) -> Path:
    """Return the folder of an imported data set, made under `out` where it is not there yet.

    Args:
        dataset: name of its folder under `data`; None = the sample shop.
        data: folder of the data sets.
        out: work in progress.
    """
    folder = out / "data" / (dataset or "shop")
    if (folder / "dataset.json").is_file():
        return folder
    if dataset is None:
        trifocal("shop", "generate", str(folder), "--force")
    elif data is None or not (Path(data) / dataset).is_dir():
        sys.exit(f"error: there is no folder {dataset} under {data}; name its parent with --data or TRIFOCAL_DATA")
    else:
        trifocal("data", "import", str(Path(data) / dataset), str(folder))
    return folder


def train_missing(
    run: Path, models: Sequence[str], dataset: Path, options: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Train those of `models` of which `run` holds no bundle; a killed training goes on where it was."""
    missing = [name for name in models if not (run / name / "bundle" / "manifest.json").is_file()]
    if missing:
        words = ["train", str(dataset), str(run), "--models", ",".join(missing), *options]
        print("\n".join(trifocal(*words, environment=environment)), flush=True)
