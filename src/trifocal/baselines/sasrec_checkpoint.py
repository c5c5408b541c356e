"""Training state of the sequence baseline on disk: one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trifocal.errors import ArtifactError

__all__ = ["SasrecProgress", "load_state", "save_state"]

_FILE = "checkpoint.safetensors"


@dataclass
class SasrecProgress:
    """How far training has come.

    Attributes:
        fingerprint: of data and settings; a checkpoint of another run is refused.
        epoch: epochs finished.
        step: optimiser steps done.
        seconds: time spent in steps, without validation.
        best: the best validation figure yet.
        best_epoch: the epoch it was reached in, from 1; 0 = none yet.
        curve: one row an epoch: loss, seconds, validation figures.
    """

    fingerprint: str
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)


def save_state(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: SasrecProgress,
    best: dict[str, Tensor],
) -> None:
    """Write all that is needed to go on, and the weights of the best epoch, to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    state = optimizer.state_dict()
    for index, values in state["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in values.items()}
    about = json.dumps({"progress": asdict(progress), "groups": state["param_groups"]})
    temporary = folder / "checkpoint.tmp"
    save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata={"about": about})
    temporary.replace(folder / _FILE)


def load_state(
    folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, fingerprint: str
) -> tuple[SasrecProgress, dict[str, Tensor]] | None:
    """Restore network and optimiser from `folder`; return progress and best weights, None where there is nothing.

    Raises:
        ArtifactError: when the checkpoint is of other data or settings.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    progress = SasrecProgress(**about["progress"])
    if progress.fingerprint != fingerprint:
        raise ArtifactError(
            f"{path} is of other data or settings ({progress.fingerprint[:12]}, this run is {fingerprint[:12]}); "
            "give another folder, or delete this one"
        )
    tensors = load_file(path)
    network.load_state_dict(_with_prefix(tensors, "network."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _with_prefix(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": about["groups"]})
    return progress, _with_prefix(tensors, "best.")


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
