"""Several processes that train one model: who this one is, and how they agree. One alone needs nothing of it.

`torchrun` starts them and sets RANK, WORLD_SIZE and where they meet. All read the same disk; only the first writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

from trifocal.errors import ConfigError

__all__ = ["Place", "first_then_others", "from_first", "place", "summed", "training_processes"]

T = TypeVar("T")

# The first process may encode a whole catalogue while the others wait.
_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """Which of the processes this one is.

    Attributes:
        rank: from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """True of the one process that writes."""
        return self.rank == 0


def place() -> Place:
    """Return the place of this process among those that train together; alone it is the first of one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Place()
    return Place(distributed.get_rank(), distributed.get_world_size())


@contextmanager
def training_processes(device: str) -> Iterator[Place]:
    """Join the processes that `torchrun` started, for as long as the block runs; without it, do nothing.

    Args:
        device: `cpu` (they meet by gloo) or `cuda` (by nccl; each takes the card of its LOCAL_RANK).

    Raises:
        ConfigError: when RANK or WORLD_SIZE is no number, or stands without the other.
    """
    given = {name: os.environ.get(name) for name in ("RANK", "WORLD_SIZE")}
    if given["RANK"] is None and given["WORLD_SIZE"] is None:
        yield Place()
        return
    if not all(value is not None and value.isdecimal() for value in given.values()):
        raise ConfigError(
            f"RANK and WORLD_SIZE are {given['RANK']!r} and {given['WORLD_SIZE']!r}; let torchrun set both"
        )
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if device == "cuda" else "gloo", timeout=_LONGEST_WAIT)
    try:
        yield place()
    finally:
        distributed.destroy_process_group()


def from_first(make: Callable[[], T]) -> T:
    """Return what `make` gives in the first process, in all of them; the others wait for it."""
    if place().size == 1:
        return make()
    # None stands for what the others do not have yet.
    box: list[T | None] = [make() if place().first else None]
    distributed.broadcast_object_list(box)
    return box[0]  # type: ignore[return-value]  # filled by the first process


def first_then_others(make: Callable[[], T]) -> T:
    """Return what `make` gives in this process; the others begin when the first is done, and find its files."""
    if place().size == 1:
        return make()
    if place().first:
        made = make()
        distributed.barrier()
        return made
    distributed.barrier()
    return make()


def summed(values: Tensor) -> Tensor:
    """Return the sum of `values` over all processes; of one alone, `values`."""
    if place().size > 1:
        values = values.clone()
        distributed.all_reduce(values)
    return values
