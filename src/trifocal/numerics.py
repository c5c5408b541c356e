"""Denormal numbers are flushed while something trains. Imports nothing from this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["flushed_denormals"]


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Compute with denormal numbers as zero inside, as usual afterwards.

    Rows of an id table that are seldom touched, and their optimiser state, decay through the denormal numbers, with
    which a CPU step takes several times as long.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        # Torch cannot be asked for the state before; Python and NumPy compute with denormal numbers.
        torch.set_flush_denormal(False)
