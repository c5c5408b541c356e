"""User tower and ranker -> ONNX files, in the precision that is faster on this machine. Letters: see `online_tower`."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from trifocal.batch import CONTEXT_FIELDS
from trifocal.errors import ConfigError
from trifocal.model import TwoStageRecommender
from trifocal.model.online_tower import INPUTS, OnlineTower

try:
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic
except ImportError as missing:
    raise ConfigError(
        f"exporting the model needs the package {missing.name}: pip install 'trifocal[serve]'"
    ) from missing

__all__ = ["RANKER_FILE", "TOWER_FILE", "Exported", "export_ranker", "export_tower", "open_session"]

TOWER_FILE, RANKER_FILE = "user_tower.onnx", "ranker.onnx"

Precision = Literal["float32", "int8"]
# Int8 has to be this much faster to be taken, in share and in milliseconds: below, its error buys nothing.
_WORTH, _WORTH_MS = 0.9, 0.1
# Greatest error of an int8 output against float32, as a share of the output's deviation.
_TOLERANCE = 0.1
_RUNS = 30


@dataclass(frozen=True)
class Exported:
    """What was measured when a network was exported.

    Attributes:
        precision: that was kept.
        float32_ms: median milliseconds of one question.
        int8_ms: likewise, quantised dynamically.
        int8_error: greatest deviation of the quantised output, in standard deviations of the output.
    """

    precision: Precision
    float32_ms: float
    int8_ms: float
    int8_error: float


def open_session(path: Path, *, threads: int = 1) -> Any:
    """Return an inference session on the CPU.

    Args:
        path: of the ONNX file.
        threads: of one run; several requests run beside each other, so one is enough.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def export_tower(recommender: TwoStageRecommender, folder: Path, *, precision: Precision | None = None) -> Exported:
    """Write the user tower of `recommender` to `folder`; see `_kept`."""
    tower = OnlineTower(recommender.model.user_tower)
    length, width = recommender.history_length, recommender.item_vectors.shape[1]
    batch, places = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("length", min=1, max=length)
    line = {0: batch, 1: places}
    shapes = (line, line, line, {0: batch, 1: places + 1}, line, {0: batch}, {0: batch})
    # An axis of 1 would be taken for a constant.
    example = _tower_inputs(3, min(length, 7), width, recommender.text_width)
    _export(tower, example, INPUTS, shapes, folder / TOWER_FILE)
    asked = _tower_inputs(1, length, width, recommender.text_width)
    return _kept(folder / TOWER_FILE, _named(INPUTS, asked), precision)


def export_ranker(recommender: TwoStageRecommender, folder: Path, *, precision: Precision | None = None) -> Exported:
    """Write the ranker of `recommender` to `folder`; see `_kept`."""
    ranker = recommender.model.ranker
    batch, candidates = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("candidates", min=1, max=100_000)
    generator = torch.Generator().manual_seed(0)
    columns = len(ranker.mean)
    usual = ranker.deviation.nan_to_num(posinf=1.0)
    example = ranker.mean + usual * torch.randn(3, 5, columns, generator=generator)
    _export(ranker.eval(), (example,), ("evidence",), ({0: batch, 1: candidates},), folder / RANKER_FILE)
    asked = ranker.mean + usual * torch.randn(1, recommender.rank_candidates, columns, generator=generator)
    return _kept(folder / RANKER_FILE, {"evidence": asked.numpy()}, precision)


def _tower_inputs(size: int, length: int, width: int, text_width: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    whole = torch.zeros(size, length, dtype=torch.int64)
    return (
        torch.randn(size, length, width, generator=generator),
        torch.ones(size, length),
        whole,
        torch.zeros(size, length + 1, len(CONTEXT_FIELDS), dtype=torch.int64),
        whole.clone(),
        torch.zeros(size, text_width),
        torch.zeros(size),
    )


def _named(names: tuple[str, ...], tensors: tuple[torch.Tensor, ...]) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)}


def _export(
    module: nn.Module, example: tuple[torch.Tensor, ...], names: tuple[str, ...], shapes: tuple[Any, ...], path: Path
) -> None:
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            module.eval(), example, input_names=list(names), dynamic_shapes=shapes, dynamo=True, verbose=False
        )
    if program is None:
        raise ConfigError(f"torch {torch.__version__} exported nothing; version 2.6 or later is needed")
    program.save(str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporter and quantiser tell of optional packages, of names of axes and of their own deprecations."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _kept(path: Path, asked: Mapping[str, Any], wanted: Precision | None) -> Exported:
    """Quantise `path`, measure both, and leave the file of the precision that is `wanted`, or else pays."""
    narrow = path.with_suffix(".int8.onnx")
    with _quiet():
        quantize_dynamic(path, narrow, weight_type=QuantType.QInt8)
    whole_ms, whole = _measured(path, asked)
    narrow_ms, quantised = _measured(narrow, asked)
    error = float(np.abs(quantised - whole).max() / max(float(whole.std()), 1e-9))
    pays = narrow_ms < min(_WORTH * whole_ms, whole_ms - _WORTH_MS) and error <= _TOLERANCE
    precision: Precision = wanted or ("int8" if pays else "float32")
    if precision == "int8":
        narrow.replace(path)
    else:
        narrow.unlink()
    return Exported(precision, round(whole_ms, 4), round(narrow_ms, 4), round(error, 4))


def _measured(path: Path, asked: Mapping[str, Any]) -> tuple[float, Any]:
    session, seconds = open_session(path), []
    for _ in range(_RUNS):
        started = time.perf_counter()
        found = session.run(None, dict(asked))[0]
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds)), found
