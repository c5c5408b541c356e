"""EfficientNet-Lite, the plain network: no squeeze-and-excitation, ReLU6, TensorFlow SAME padding. nn.Module only.

Source: Tan & Le, EfficientNet (arXiv 1905.11946), table 1 for the stages; the Lite variants scale neither stem nor
head and neither the first nor the last stage's depth. Parameter names are those of the packaged checkpoints.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["IMAGE_SIZES", "EfficientNetLite", "fused", "load_efficientnet_lite"]

# (repeats, kernel, stride, expansion, channels in, channels out)
_STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
# name -> (width multiplier, depth multiplier)
_SCALES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite2": (1.1, 1.2)}
# Input resolution in pixels that each checkpoint was trained at.
IMAGE_SIZES = {"efficientnet-lite0": 224, "efficientnet-lite2": 260}
_BATCH_NORM_EPSILON = 1e-3
_HEAD_CHANNELS = 1280


def _rounded_channels(channels: int, width: float) -> int:
    """Scale to a multiple of 8, never more than 10 % below (EfficientNet, reference implementation)."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


class _SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: the odd pixel goes to the right and the bottom."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's own name)
        pads: list[int] = []
        for size, kernel, stride in zip(input.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(input, pads) if any(pads) else input)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_BATCH_NORM_EPSILON)


class _Block(nn.Module):
    """Inverted residual: expand, depthwise, project."""

    def __init__(self, kernel: int, stride: int, expansion: int, channels_in: int, channels_out: int) -> None:
        super().__init__()
        middle = channels_in * expansion
        self.residual = stride == 1 and channels_in == channels_out
        if expansion != 1:
            self._expand_conv = _SameConv(channels_in, middle, 1, bias=False)
            self._bn0 = _norm(middle)
        self._depthwise_conv = _SameConv(middle, middle, kernel, stride, groups=middle, bias=False)
        self._bn1 = _norm(middle)
        self._project_conv = _SameConv(middle, channels_out, 1, bias=False)
        self._bn2 = _norm(channels_out)
        self.expands = expansion != 1

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu6(self._bn0(self._expand_conv(inputs))) if self.expands else inputs
        hidden = functional.relu6(self._bn1(self._depthwise_conv(hidden)))
        projected: Tensor = self._bn2(self._project_conv(hidden))
        return projected + inputs if self.residual else projected


class EfficientNetLite(nn.Module):
    """The network with its ImageNet head. Stability: internal."""

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        self._conv_stem = _SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        self._blocks = nn.ModuleList(_blocks(width, depth))
        self._conv_head = _SameConv(_rounded_channels(320, width), _HEAD_CHANNELS, 1, bias=False)
        self._bn1 = _norm(_HEAD_CHANNELS)
        self._fc = nn.Linear(_HEAD_CHANNELS, 1000)

    def feature_map(self, pixels: Tensor) -> Tensor:
        """Return (B, 1280, S / 32, S / 32) features of `pixels` (B, 3, S, S), RGB scaled as (x - 127) / 128."""
        hidden = functional.relu6(self._bn0(self._conv_stem(pixels)))
        for block in self._blocks:
            hidden = block(hidden)
        features: Tensor = functional.relu6(self._bn1(self._conv_head(hidden)))
        return features

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the (B, 1000) ImageNet logits."""
        logits: Tensor = self._fc(self.feature_map(pixels).mean(dim=(2, 3)))
        return logits


def _blocks(width: float, depth: float) -> list[_Block]:
    blocks = []
    for stage, (repeats, kernel, stride, expansion, channels_in, channels_out) in enumerate(_STAGES):
        # The Lite variants leave the first stage's input (the stem) and the depth of the outer stages unscaled.
        inner = 0 < stage < len(_STAGES) - 1
        channels = _rounded_channels(channels_in, width) if stage > 0 else channels_in
        out = _rounded_channels(channels_out, width)
        for repeat in range(math.ceil(repeats * depth) if inner else repeats):
            blocks.append(_Block(kernel, stride if repeat == 0 else 1, expansion, channels, out))
            channels = out
    return blocks


def load_efficientnet_lite(name: str, weights: Path) -> EfficientNetLite:
    """Return the network `name` with the weights in the file, in evaluation mode."""
    network = EfficientNetLite(*_SCALES[name])
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    return network.eval()


def fused(network: EfficientNetLite) -> EfficientNetLite:
    """Return `network` with every batch norm folded into its convolution: the same features, fewer passes.

    The convolutions of `network` itself are replaced.
    """
    network._conv_stem, network._bn0 = _folded(network._conv_stem, network._bn0)
    network._conv_head, network._bn1 = _folded(network._conv_head, network._bn1)
    for block in network._blocks:
        for conv, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
            if hasattr(block, conv):
                replaced, identity = _folded(getattr(block, conv), getattr(block, norm))
                setattr(block, conv, replaced)
                setattr(block, norm, identity)
    return network


def _folded(conv: nn.Module, norm: nn.Module) -> tuple[Any, Any]:
    return fuse_conv_bn_eval(conv, norm), nn.Identity()  # type: ignore[type-var,arg-type]  # a _SameConv stays one
