"""Picture -> a small grid of image tokens of a frozen network: EfficientNet-Lite, or any `AutoModel` vision folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from trifocal.errors import ConfigError
from trifocal.features.backbones import file_sha256, folder_sha256, load_pretrained, packaged_image_weights
from trifocal.features.efficientnet_lite import IMAGE_SIZES, EfficientNetLite, fused, load_efficientnet_lite
from trifocal.features.efficientnet_lite_onnx import feature_map_session, has_onnx_runtime
from trifocal.ports import TokenSource
from trifocal.types import FloatArray

__all__ = ["AutoModelImageSource", "EfficientNetLiteSource", "image_source", "load_picture"]

# Shop photos stand on light ground: a narrow picture is padded to a square with white, never cropped or stretched.
_PADDING = (255, 255, 255)
# Pixels a side for a cell of the feature map.
_STRIDE = 32


def image_source(backbone: str, *, grid: int = 3, size: int = 0, device: str = "cpu") -> TokenSource:
    """Return the image encoder named `backbone`: `efficientnet-lite0`, `-lite2`, or an `AutoModel` folder.

    Args:
        backbone: name or path.
        grid: image tokens a side.
        size: side in pixels that pictures are scaled to; 0 = what the network was trained at.
        device: where it runs.

    Raises:
        ConfigError: when it is neither, the encoders extra is not installed, or it cannot see pictures of `size`.
        ArtifactError: when the packaged weights are damaged.
    """
    if backbone in IMAGE_SIZES:
        return EfficientNetLiteSource(backbone, grid=grid, size=size, device=device)
    folder = Path(backbone)
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"image backbone {backbone!r} is none of {', '.join(IMAGE_SIZES)} and no folder with a config.json; "
            "give the path of a folder written by `save_pretrained`"
        )
    if size:
        raise ConfigError(
            f"features.image_size = {size}, but the network in {folder} sees pictures of one size only; set it to 0"
        )
    return AutoModelImageSource(folder, grid=grid, device=device)


def load_picture(path: str, size: int) -> Image.Image:
    """Return the picture as RGB, padded to a square and scaled to `size` x `size` pixels."""
    with Image.open(path) as picture:
        picture.draft("RGB", (size, size))
        transparent = picture.mode in ("RGBA", "LA", "P")
        flat = picture.convert("RGBA") if transparent else picture.convert("RGB")
    if transparent:
        ground = Image.new("RGBA", flat.size, (*_PADDING, 255))
        flat = Image.alpha_composite(ground, flat).convert("RGB")
    return ImageOps.pad(flat, (size, size), Image.Resampling.BICUBIC, color=_PADDING)


def _feature_map(network: EfficientNetLite, device: torch.device) -> Callable[[FloatArray], Tensor]:
    """Return what makes features of pixels: by ONNX Runtime where it is installed and no other device is asked for."""
    if device.type == "cpu" and has_onnx_runtime():
        # One each: pictures are encoded side by side, and a second thread gains little on a small network.
        session = feature_map_session(network, threads=1)
        return lambda pixels: torch.from_numpy(session(np.ascontiguousarray(pixels)))
    placed = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
    return lambda pixels: placed.feature_map(torch.from_numpy(pixels).to(device))


def _pooled_grid(feature_map: Tensor, grid: int) -> FloatArray:
    """(B, C, H, W) -> (B, grid * grid, C)."""
    cells = functional.adaptive_avg_pool2d(feature_map, grid).flatten(2).transpose(1, 2)
    return cells.float().cpu().numpy()


class EfficientNetLiteSource:
    """EfficientNet-Lite with ImageNet weights as a `TokenSource`. Stability: caller."""

    def __init__(self, backbone: str, *, grid: int, size: int = 0, device: str = "cpu") -> None:
        weights = packaged_image_weights(backbone)
        size = size or IMAGE_SIZES[backbone]
        # The feature map halves the side five times; a cell of the grid has to see something of its own.
        if size < _STRIDE * grid:
            raise ConfigError(
                f"features.image_size = {size} leaves less than one cell of the feature map for each of the "
                f"{grid} x {grid} image tokens; set it to {_STRIDE * grid} or more, or features.image_grid lower"
            )
        self.name = f"image-{backbone}"
        self.width = 1280
        self.fingerprint = f"{file_sha256(weights)}-pad-{size}-{grid}"
        self._size, self._grid, self._device = size, grid, torch.device(device)
        self._feature_map = _feature_map(fused(load_efficientnet_lite(backbone, weights)), self._device)

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return for each picture file its (grid * grid, 1280) features."""
        pictures = np.stack([np.asarray(load_picture(path, self._size), dtype=np.float32) for path in contents])
        pixels = ((pictures - 127.0) / 128.0).transpose(0, 3, 1, 2)
        with torch.inference_mode():
            return list(_pooled_grid(self._feature_map(pixels), self._grid))


class AutoModelImageSource:
    """A ViT, DINOv2, CLIP or SigLIP vision folder as a `TokenSource`: patch tokens pooled to the grid."""

    def __init__(self, folder: Path, *, grid: int, device: str = "cpu") -> None:
        network = load_pretrained("AutoModel", folder)
        # CLIP and SigLIP hold both towers; only the vision half looks.
        self._network = getattr(network, "vision_model", network).float().eval().to(torch.device(device))
        # Its figures are read and applied here: what it would crop and stretch has been padded and scaled already.
        processor = load_pretrained("AutoImageProcessor", folder)
        self.name = f"image-{folder.name}"
        self.width = int(self._network.config.hidden_size)
        self._size = _input_size(processor, folder)
        self.fingerprint = f"{folder_sha256(folder)}-pad-{self._size}-{grid}"
        self._grid, self._device = grid, torch.device(device)
        self._mean, self._deviation = _normalisation(processor)

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return for each picture file its (grid * grid, width) features."""
        pictures = np.stack([np.asarray(load_picture(path, self._size), dtype=np.float32) for path in contents])
        pixels = torch.from_numpy((pictures - self._mean) / self._deviation).permute(0, 3, 1, 2).to(self._device)
        with torch.inference_mode():
            return list(_pooled_grid(_patch_map(self._network(pixel_values=pixels).last_hidden_state), self._grid))


def _patch_map(tokens: Tensor) -> Tensor:
    """(B, leading + side * side, C) -> (B, C, side, side); a leading class or register token is no patch."""
    side = math.isqrt(tokens.shape[1])
    patches = tokens[:, -side * side :].transpose(1, 2)
    return patches.reshape(*patches.shape[:2], side, side)


def _normalisation(processor: Any) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation of each colour, both in 0..255."""
    scale = processor.rescale_factor if processor.do_rescale else 1.0
    mean, deviation = (processor.image_mean, processor.image_std) if processor.do_normalize else (0.0, 1.0)
    return np.asarray(mean, dtype=np.float32) / scale, np.asarray(deviation, dtype=np.float32) / scale


def _input_size(processor: Any, folder: Path) -> int:
    """Return the side of the square that the network sees, in pixels: after the crop, where there is one."""
    sides = dict(processor.crop_size if getattr(processor, "do_center_crop", False) else processor.size)
    side = sides.get("height") or sides.get("shortest_edge")
    if side is None or sides.get("width", side) != side:
        raise ConfigError(
            f"the image processor in {folder} makes pictures of {sides}, which is no square; "
            "give its preprocessor_config.json a size of equal height and width"
        )
    return int(side)
