"""Each rival in an environment of its own: make it, run it, read its rankings. One rival's failure stops no other.

An environment lies in `runs/peers/<rival>/.venv`, made once from `benchmarks/peers/<rival>/requirements.txt`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trifocal.errors import ConfigError

__all__ = ["MODELS", "RivalOutcome", "run_rivals"]

MODELS: dict[str, tuple[str, ...]] = {
    "rectools": ("rectools-sasrec",),
    "cornac": ("cornac-vbpr", "cornac-amr"),
    "recbole": ("recbole-lightgcn", "recbole-ease"),
    "lenskit": ("lenskit-als",),
}
"""Rival -> the models that its run.py writes."""

Settings = Mapping[str, float | int | str | bool]

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_ENVIRONMENTS = _ROOT / "runs" / "peers"
_NICENESS = 10
_INSTALL_LIMIT_S = 1800
_RUN_LIMIT_S = 3600
_ERROR_LINES = 12
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "LK_NUM_THREADS"), "1"
)


@dataclass(frozen=True)
class RivalOutcome:
    """What became of one model of a rival. Stability: caller.

    Attributes:
        name: of the model, as `cornac-vbpr`.
        folder: where its rankings.parquet and about.json lie; None = it failed.
        version: of the rival's package; None = it failed.
        error: the last lines of what it wrote to stderr; None = it succeeded.
    """

    name: str
    folder: Path | None
    version: str | None
    error: str | None


def run_rivals(
    export: Path,
    out: Path,
    *,
    names: Sequence[str] | None = None,
    seed: int = 0,
    settings: Mapping[str, Settings] | None = None,
) -> list[RivalOutcome]:
    """Run the rivals on one export, one after the other; those whose rankings lie in `out` are not run again.

    Args:
        export: folder that `export_cases` wrote.
        out: gets a folder for each model, and <rival>/error.txt where one failed.
        names: rivals, keys of `MODELS`; None = all.
        seed: given to each rival.
        settings: rival -> what differs from the defaults of its run.py.

    Raises:
        ConfigError: when a name is none of `MODELS`.
    """
    chosen = list(MODELS) if names is None else list(names)
    unknown = sorted(set(chosen) - set(MODELS))
    if unknown:
        raise ConfigError(f"there is no rival {', '.join(unknown)}; choose among {', '.join(MODELS)}")
    given = settings or {}

    def arguments(rival: str) -> list[str]:
        return ["--seed", str(seed), "--settings", json.dumps(given.get(rival, {}))]

    return [outcome for rival in chosen for outcome in _outcomes(rival, export, out, arguments(rival))]


def _outcomes(rival: str, export: Path, out: Path, arguments: list[str]) -> list[RivalOutcome]:
    failure = out / rival / "error.txt"
    if not all(_is_done(out / name) for name in MODELS[rival]):
        failure.unlink(missing_ok=True)
        error = _make_environment(rival) or _run(rival, export, out, arguments)
        if error:
            failure.parent.mkdir(parents=True, exist_ok=True)
            failure.write_text(error + "\n", encoding="utf-8")
    return [_outcome(name, out / name, failure) for name in MODELS[rival]]


def _is_done(folder: Path) -> bool:
    return (folder / "rankings.parquet").is_file()


def _outcome(name: str, folder: Path, failure: Path) -> RivalOutcome:
    if _is_done(folder):
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        return RivalOutcome(name, folder, about["version"], None)
    error = failure.read_text(encoding="utf-8").strip() if failure.is_file() else f"its run.py wrote no {name}"
    return RivalOutcome(name, None, None, error)


def _make_environment(rival: str) -> str | None:
    """Return None when the environment is there or could be made, else the error."""
    folder = _ENVIRONMENTS / rival / ".venv"
    # Written last, so that an installation that was killed starts again.
    ready = folder / "requirements.txt"
    wanted = (_HERE / rival / "requirements.txt").read_text(encoding="utf-8")
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
        return None
    python = str(folder / "bin" / "python")
    error = _call([sys.executable, "-m", "venv", "--clear", str(folder)], _INSTALL_LIMIT_S)
    error = error or _call(
        [python, "-m", "pip", "install", "-r", str(_HERE / rival / "requirements.txt")], _INSTALL_LIMIT_S
    )
    if error is None:
        ready.write_text(wanted, encoding="utf-8")
    return error


def _run(rival: str, export: Path, out: Path, arguments: list[str]) -> str | None:
    python = str(_ENVIRONMENTS / rival / ".venv" / "bin" / "python")
    places = [str(export.resolve()), str(out.resolve())]
    return _call([python, "-m", f"benchmarks.peers.{rival}.run", *places, *arguments], _RUN_LIMIT_S)


def _call(command: list[str], limit_s: int) -> str | None:
    """Return None when `command` succeeded, else the last lines of its stderr."""
    try:
        done = subprocess.run(
            ["/usr/bin/env", "nice", "-n", str(max(_NICENESS - os.nice(0), 0)), *command],
            cwd=_ROOT,
            env={**os.environ, **_ONE_THREAD},
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {limit_s} s: {' '.join(command)}"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()[-_ERROR_LINES:]
    return "\n".join(lines) or f"exit code {done.returncode} without a message: {' '.join(command)}"
