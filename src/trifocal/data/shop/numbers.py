"""One alias: arrays of real numbers of either precision. Imports nothing from this package."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Numbers"]

# Times need float64: at float32 a moment half a year in is only known to the second.
Numbers = npt.NDArray[np.floating[Any]]
