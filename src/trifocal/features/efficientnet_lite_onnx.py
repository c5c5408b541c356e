"""EfficientNet-Lite -> a graph for ONNX Runtime, node by node: the same features at two to three times torch's speed.

Written by hand in place of an export: a network of convolutions, clips and sums is a page, and takes no seconds.
`tests/features/test_efficientnet_lite_onnx.py` holds it against the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from trifocal.errors import ConfigError
from trifocal.features.efficientnet_lite import EfficientNetLite
from trifocal.types import FloatArray

__all__ = ["FeatureMap", "feature_map_session", "has_onnx_runtime"]

FeatureMap = Callable[[FloatArray], FloatArray]
"""(B, 3, S, S) pixels -> (B, 1280, S / 32, S / 32) features."""

_OPSET, _IR_VERSION = 17, 8


def has_onnx_runtime() -> bool:
    """Return whether the packages are installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        return False
    return True


def feature_map_session(network: EfficientNetLite, *, threads: int) -> FeatureMap:
    """Return `network.feature_map` as ONNX Runtime computes it.

    Args:
        network: with its batch norms folded in, see `fused`.
        threads: of one call.

    Raises:
        ConfigError: when the packages are not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError("ONNX Runtime is not installed: pip install 'trifocal[encoders]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Waiting threads would take the cores from whoever reads the next pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(_Graph(network).model(), options, providers=["CPUExecutionProvider"])

    def feature_map(pixels: FloatArray) -> FloatArray:
        found: FloatArray = session.run(None, {"pixels": pixels})[0]
        return found

    return feature_map


class _Graph:
    """Nodes and weights as they are met on the way through the network."""

    def __init__(self, network: EfficientNetLite) -> None:
        import onnx

        self._onnx = onnx
        self._nodes: list[Any] = []
        self._weights = [
            onnx.numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("zero", 0), ("six", 6))
        ]
        hidden = self._clipped(self._convolved("pixels", network._conv_stem))
        for block in network._blocks:
            hidden = self._block(hidden, block)
        self._output = self._clipped(self._convolved(hidden, network._conv_head))

    def model(self) -> bytes:
        """Return the model as ONNX Runtime reads it."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "efficientnet-lite",
            [helper.make_tensor_value_info("pixels", kind, ["B", 3, "H", "W"])],
            [helper.make_tensor_value_info(self._output, kind, ["B", "C", "h", "w"])],
            self._weights,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        serialised: bytes = made.SerializeToString()
        return serialised

    def _block(self, inputs: str, block: Any) -> str:
        hidden = self._clipped(self._convolved(inputs, block._expand_conv)) if block.expands else inputs
        hidden = self._clipped(self._convolved(hidden, block._depthwise_conv))
        projected = self._convolved(hidden, block._project_conv)
        return self._node("Add", [projected, inputs]) if block.residual else projected

    def _convolved(self, inputs: str, conv: nn.Conv2d) -> str:
        if conv.bias is None:
            raise ConfigError("a convolution without a bias still has its batch norm apart; call `fused` first")
        place = len(self._nodes)
        names = [f"{part}{place}" for part in ("weight", "bias")]
        for name, tensor in zip(names, (conv.weight, conv.bias), strict=True):
            # The layout that torch likes best for its own convolutions is not the one that the file has.
            values = np.ascontiguousarray(tensor.detach().numpy())
            self._weights.append(self._onnx.numpy_helper.from_array(values, name))
        # TensorFlow's SAME: the odd pixel goes to the right and the bottom.
        return self._node(
            "Conv",
            [inputs, *names],
            auto_pad="SAME_UPPER",
            strides=list(conv.stride),
            group=conv.groups,
            kernel_shape=list(conv.kernel_size),
        )

    def _clipped(self, inputs: str) -> str:
        """ReLU6."""
        return self._node("Clip", [inputs, "zero", "six"])

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [output], **attributes))
        return output
