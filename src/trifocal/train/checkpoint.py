"""Training state on disk: safetensors and JSON, no pickle; written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trifocal.errors import ArtifactError

__all__ = ["Progress", "load_checkpoint", "save_checkpoint"]


@dataclass
class Progress:
    """How far training has come.

    Attributes:
        fingerprint: of data and settings; a checkpoint of another run is refused.
        epoch: epochs finished.
        step: optimiser steps done.
        seconds: training time so far.
        best: the best validation figure yet.
        best_epoch: the epoch it was reached in, from 1.
        curve: one row an epoch: losses, gradient norms and validation figures.
        second_stage: lists that the ranker saw, and its last loss; None until it is trained.
        align_epoch: passes over the catalogue finished, before the first epoch.
        alignment: one row a pass: losses.
    """

    fingerprint: str
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    curve: list[dict[str, float]] | None = None
    second_stage: dict[str, float] | None = None
    align_epoch: int = 0
    alignment: list[dict[str, float]] | None = None


def save_checkpoint(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Write everything that is needed to go on to `folder`; what an epoch draws follows from its seed and number."""
    folder.mkdir(parents=True, exist_ok=True)
    state = optimizer.state_dict()
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, values in state["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in values.items()}
    temporary = folder / "checkpoint.tmp"
    about = {"progress": asdict(progress), "groups": state["param_groups"]}
    # One file holds all, so that weights and progress can never be of different epochs.
    save_file({n: t.contiguous() for n, t in tensors.items()}, temporary, metadata={"about": json.dumps(about)})
    temporary.replace(folder / "checkpoint.safetensors")


def load_checkpoint(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, fingerprint: str
) -> Progress | None:
    """Restore model and optimiser from `folder`; return how far it had come, None where there is nothing.

    Raises:
        ArtifactError: when the checkpoint is of other data or settings.
    """
    path = folder / "checkpoint.safetensors"
    if not path.is_file():
        return None
    about = _metadata(path)
    progress = Progress(**about["progress"])
    if progress.fingerprint != fingerprint:
        raise ArtifactError(
            f"{path} is of other data or settings ({progress.fingerprint[:12]}, this run is {fingerprint[:12]}); "
            "give another folder, or delete this one"
        )
    tensors = load_file(path)
    model.load_state_dict(_with_prefix(tensors, "model."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _with_prefix(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": about["groups"]})
    return progress


def _metadata(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        about: dict[str, Any] = json.loads(file.metadata()["about"])
    return about


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
