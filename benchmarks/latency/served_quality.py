"""Part `quality`: what the served pipeline loses against the model, by `trifocal evaluate`'s own measure.

A sample shop is made and `trifocal` trained on it in short, both once. Then the same test questions are asked of the
model as it was trained and of the engine that serves: index of codes, exported towers, compiled loops, in float32 and
in int8. The index is forced to codes: a shop this small would be searched exactly.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from benchmarks.latency.plan import ROOT, Setting
from benchmarks.table.figures import Goal, Measured

from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.bundle.serving_files import prepare_serving_files
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import read_dataset
from trifocal.data.named_splits import named_split
from trifocal.data.splits import restrict
from trifocal.errors import ConfigError
from trifocal.evaluate.protocol import evaluate
from trifocal.features.items import FeatureState
from trifocal.index import IndexConfig
from trifocal.model import TwoStageRecommender
from trifocal.ports import Recommender
from trifocal.serve.models import fast_engine
from trifocal.serve.online import OnlineEngine

__all__ = ["GOALS", "SIZES", "measure", "retrieval_recall"]

SIZES = ("quality_cases", "quality_epochs")
GOALS = (
    Goal("retrieval recall@200, served / exact", "", 0.99, "at least"),
    Goal("nDCG@10 served in float32 / model", "x", 0.99, "at least"),
    Goal("nDCG@10 served in int8 / model", "x", 0.99, "at least"),
)
_METRIC = "ndcg@10"
_CODES = IndexConfig(kind="flat4", exact_up_to=0)


@dataclass(frozen=True)
class _Question:
    """What everything is asked about: the model, and the cases of the test."""

    model: TwoStageRecommender
    version: str
    cases: Cases


def measure(setting: Setting) -> Measured:
    """Train where no bundle is there yet, and score the model and what serves it."""
    question = _question(setting)
    offline = _ndcg(question.model, question.cases)
    values = {"nDCG@10 of the model": offline}
    precisions: tuple[Literal["float32", "int8"], ...] = ("float32", "int8")
    for precision in precisions:
        engine = _served(question, setting.out / "quality" / f"serving-{precision}", precision)
        values[f"nDCG@10 served in {precision} / model"] = _ndcg(engine, question.cases) / offline
        if precision == "float32":
            values["retrieval recall@200, served / exact"] = retrieval_recall(engine, question.model, question.cases)
    shown = f"{len(question.cases):,} users of a sample shop, index of 4-bit codes"
    return Measured(values, dict.fromkeys(values, shown))


def retrieval_recall(engine: OnlineEngine, model: TwoStageRecommender, cases: Cases) -> float:
    """Return the share of the model's own candidates, all items scored, that the engine retrieves."""
    k = engine.candidates
    plain = model.with_blend(type(model.blend)(retrieval=model.blend.retrieval))
    exact = plain.recommend(cases.requests, k).item_rows
    users = engine.encode(cases.requests)
    shares = [
        np.isin(rows[rows >= 0], engine.retrieve(request, user, k).item_rows).mean()
        for rows, request, user in zip(exact, cases.requests, users, strict=True)
        if (rows >= 0).any()
    ]
    return float(np.mean(shares))


def _ndcg(recommender: Recommender, cases: Cases) -> float:
    return evaluate(recommender, cases).means[_METRIC]


def _question(setting: Setting) -> _Question:
    folder = setting.out / "quality"
    shop, run = folder / "shop", folder / "run"
    if not (shop / "dataset.json").is_file():
        _trifocal(["shop", "generate", str(shop), "--force"], {})
    if not (run / "trifocal" / "bundle" / "manifest.json").is_file():
        words = ["train", str(shop), str(run), "--models", "trifocal", "--config", str(ROOT / "configs" / "shop.toml")]
        _trifocal(words, {"TRIFOCAL_TRAIN__EPOCHS": str(setting.sizes.quality_epochs)})
    bundle = read_bundle(run / "trifocal" / "bundle")
    model = load_recommender(bundle)
    if not isinstance(model, TwoStageRecommender):
        raise ConfigError(f"{bundle.folder} holds no network; remove it and measure again")
    whole = read_dataset(shop)
    split = named_split(whole, "time")
    context = FeatureState.from_json(bundle.contents.feature_state).context
    cases = build_cases(split, "test", restrict(whole, split).vocabulary(), context)
    return _Question(model, bundle.manifest.model_version, cases.sample(setting.sizes.quality_cases))


def _served(question: _Question, folder: Path, precision: Literal["float32", "int8"]) -> OnlineEngine:
    model = question.model
    files = prepare_serving_files(model, folder, model_version=question.version, index=_CODES, precision=precision)
    return fast_engine(model, files)


def _trifocal(words: Sequence[str], environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "trifocal.cli.__main__", *words]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, env={**os.environ, **environment})
    if done.returncode:
        raise ConfigError(f"`trifocal {' '.join(words)}` ended with exit code {done.returncode}")
