from __future__ import annotations

import numpy as np
import pytest
import torch

from trifocal.errors import ConfigError
from trifocal.features.efficientnet_lite import EfficientNetLite, fused
from trifocal.features.efficientnet_lite_onnx import feature_map_session, has_onnx_runtime


def network(width: float = 1.0, depth: float = 1.0) -> EfficientNetLite:
    torch.manual_seed(3)
    made = EfficientNetLite(width, depth).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # As after training: a batch norm that does something.
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    return made


@pytest.mark.parametrize(("side", "scales"), [(64, (1.0, 1.0)), (75, (1.1, 1.2))])
def test_it_computes_what_the_network_computes(side: int, scales: tuple[float, float]) -> None:
    pixels = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    made = network(*scales)
    with torch.inference_mode():
        expected = made.feature_map(pixels).numpy()
        found = feature_map_session(fused(made), threads=1)(pixels.numpy())
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.abs(expected).max()) + 1e-6)


def test_a_network_whose_batch_norms_stand_apart_is_refused() -> None:
    assert has_onnx_runtime()
    with pytest.raises(ConfigError, match="batch norm apart; call `fused` first"):
        feature_map_session(network(), threads=1)
