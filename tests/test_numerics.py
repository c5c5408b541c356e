from __future__ import annotations

import pytest
import torch

from trifocal.numerics import flushed_denormals

TINY = 1e-40


def product() -> float:
    return float(torch.tensor(TINY, dtype=torch.float32) * torch.tensor(1.0))


def test_denormal_numbers_are_zero_inside_and_come_back_even_after_an_error() -> None:
    assert product() > 0
    with flushed_denormals():
        assert product() == 0
    assert product() > 0
    with pytest.raises(KeyError), flushed_denormals():
        raise KeyError
    assert product() > 0
