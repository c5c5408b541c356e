"""Part `audit`: are pictures at the wrong text found, and what does it help to train without them?

Pictures of 2 % of the products are swapped with those of another group, as a seed says. Every seed: how the audit ranks
them. The first seed as well: `image` and `trifocal` are trained on the clean catalogue, on the one with the swapped
pictures, and on that without the pictures that its audit calls errors, and asked about validation. Each training is
kept; what is there is not trained again. Seeds 1 to 9 were looked at while the audit was made; the figures are of 10
and more.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.explain.plan import Setting
from benchmarks.explain.world import Ground, ground
from benchmarks.quality.steps import train_missing, trifocal
from benchmarks.table.figures import Goal, Measured

from trifocal import columns as c
from trifocal.audit.alignment import expected_false_share, mismatch_shares
from trifocal.audit.catalogue import Pooled, folds_by_title, pooled_features
from trifocal.audit.exclude import excluded_items
from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import Dataset, read_dataset, write_dataset
from trifocal.data.named_splits import named_split
from trifocal.data.splits import restrict
from trifocal.evaluate.protocol import evaluate
from trifocal.evaluate.significance import Interval, interval, resampled_means
from trifocal.features.items import FeatureState
from trifocal.settings import Settings, load_settings
from trifocal.types import BoolArray, FloatArray, IntArray

__all__ = ["GOALS", "SIZES", "auc", "measure", "swapped"]

SIZES = ("products", "shoppers", "epochs", "seeds")
_AUC = "planted mismatches, AUC"
GOALS = (Goal(_AUC, "", 0.9, "at least"),)

_SHARE, _FIRST_SEED, _SAMPLES = 0.02, 10, 1000
_MODELS, _METRICS = ("image", "trifocal"), ("recall@20", "ndcg@10")


@dataclass(frozen=True)
class _World:
    """The clean data set and how it is trained.

    Attributes:
        ground: of the clean data set; its split's validation part is asked about.
        folder: of the work in progress.
        parts: file that prescribes the split, where there is one.
    """

    ground: Ground
    folder: Path
    parts: Path | None

    @property
    def settings(self) -> Settings:
        return load_settings(self.ground.config)


@dataclass(frozen=True)
class _Found:
    """How well the swapped pictures of one seed were found; shares are 0..1."""

    auc: float
    precision: float
    expected_false: float
    real_false: float
    found: float


def measure(setting: Setting) -> Measured:
    """Audit catalogues with swapped pictures, train with and without them, and compare."""
    world = _world(setting)
    clean = read_dataset(world.ground.dataset)
    pooled = pooled_features(clean, world.settings.features, world.ground.features)
    seeds = range(_FIRST_SEED, _FIRST_SEED + setting.sizes.seeds)
    found = [_audited(clean, pooled, world.settings, seed) for seed in seeds]
    planted = _planted_folder(world, clean)
    results = {name: _trained(world, setting, planted, name) for name in ("clean", "planted", "excluded")}
    values, notes = _ranking_figures(found)
    gains, gain_notes = _training_figures(results)
    units = {name: "of products" for name in values if name != _AUC}
    detail = {"products": len(clean.items), "seeds": [vars(one) for one in found]}
    return Measured(values | gains, notes | gain_notes, units, detail)


def swapped(items: pl.DataFrame, seed: int, share: float = _SHARE) -> IntArray:
    """Return (N,) whose picture each product gets: a `share` of them change with one of another group.

    Groups are the attribute product_group, or else the categories.
    """
    name = f"{c.ATTRIBUTE_PREFIX}product_group"
    groups = items[name if name in items.columns else c.CATEGORY].to_list()
    pictures = np.flatnonzero(items[c.IMAGE].is_not_null().to_numpy())
    drawn = np.random.default_rng(seed).permutation(pictures)[: max(2, round(len(items) * share))].tolist()
    rows = np.arange(len(items), dtype=np.int64)
    while drawn:
        one = drawn.pop(0)
        place = next((place for place, other in enumerate(drawn) if groups[other] != groups[one]), None)
        if place is not None:
            other = drawn.pop(place)
            rows[one], rows[other] = other, one
    return rows


def auc(scores: FloatArray, wrong: BoolArray) -> float:
    """Return the chance that a wrong one scores above a right one, ties by half: Mann and Whitney, 1947.

    Of the two pairs of a wrong and a right one, one is in order and one tied:

    >>> auc(np.array([0.5, 0.9, 0.5], np.float32), np.array([True, False, False]))
    0.25
    """
    if wrong.all() or not wrong.any():
        return 0.5
    above = (scores[wrong][:, None] > scores[~wrong][None]).mean()
    tied = (scores[wrong][:, None] == scores[~wrong][None]).mean()
    return float(above + tied / 2)


def _world(setting: Setting) -> _World:
    on = ground(setting)
    parts = setting.data / on.name / f"{on.split}.parquet" if on.is_real and setting.data is not None else None
    return _World(on, setting.out / "audit", parts)


def _audited(clean: Dataset, pooled: Pooled, settings: Settings, seed: int) -> _Found:
    rows = swapped(clean.items, seed)
    shares = mismatch_shares(
        pooled.text, pooled.image[rows], folds_by_title(clean.items, settings.audit.folds), settings.audit
    )
    judged = ~np.isnan(shares)
    wrong = (rows != np.arange(len(rows)))[judged]
    given, false = shares[judged], expected_false_share(shares)[judged]
    first = np.argsort(-given, kind="stable")[: wrong.sum()]
    sure = (false <= settings.audit.false_share) & (given >= settings.audit.least_mismatch)
    return _Found(
        auc(given, wrong),
        float(wrong[first].mean()),
        float(false[sure].max(initial=0.0)),
        float((~wrong[sure]).mean()) if sure.any() else 0.0,
        float(sure[wrong].mean()),
    )


def _ranking_figures(found: list[_Found]) -> tuple[dict[str, float], dict[str, str]]:
    middle = {name: statistics.median(vars(one)[name] for one in found) for name in vars(found[0])}
    values = {
        _AUC: middle["auc"],
        "planted among the first 2 %": middle["precision"],
        "mismatches called errors, of the planted": middle["found"],
        "false among them, expected": middle["expected_false"],
        "false among them, real": middle["real_false"],
    }
    spread = f"median of {len(found)} seeds, {min(one.auc for one in found):.3f} to {max(one.auc for one in found):.3f}"
    return values, {_AUC: spread, "false among them, real": "what was not planted counts as false"}


def _planted_folder(world: _World, clean: Dataset) -> Path:
    """The data set with the pictures of the first seed swapped, and its audit."""
    folder = world.folder / "planted" / "data"
    if not (folder / "dataset.json").is_file():
        rows = swapped(clean.items, _FIRST_SEED)
        pictures = clean.items[c.IMAGE][rows.tolist()]
        write_dataset(replace(clean, items=clean.items.with_columns(pictures.alias(c.IMAGE))), folder)
    out = world.folder / "planted" / "audit"
    if not (out / "report.html").is_file():
        words = ["--features", str(world.ground.features), "--out", str(out), "--config", str(world.ground.config)]
        trifocal("audit", str(folder), *words)
    return folder


def _trained(world: _World, setting: Setting, planted: Path, name: str) -> dict[str, dict[str, FloatArray]]:
    """Model -> metric -> (U,) figures on validation, trained on the `name` catalogue."""
    on, run = world.ground, world.folder / name / "run"
    dataset = on.dataset if name == "clean" else planted
    options = ["--split", on.split, "--config", str(on.config), "--cache", str(on.features)]
    if world.parts is not None:
        options += ["--parts", str(world.parts)]
    if name == "excluded":
        options += ["--exclude", str(_audit_table(planted))]
    train_missing(run, _MODELS, dataset, options, {"TRIFOCAL_TRAIN__EPOCHS": str(setting.sizes.epochs)})
    whole = read_dataset(dataset)
    split = named_split(whole, on.split, world.parts)
    vocabulary = restrict(whole, split).vocabulary()
    found = {}
    for model in _MODELS:
        bundle = read_bundle(run / model / "bundle")
        context = FeatureState.from_json(bundle.contents.feature_state).context
        cases: Cases = build_cases(split, "validation", vocabulary, context)
        metrics = evaluate(load_recommender(bundle), cases).metrics
        found[model] = {metric: metrics[metric].astype(np.float32) for metric in _METRICS}
    return found


def _training_figures(
    results: Mapping[str, dict[str, dict[str, FloatArray]]],
) -> tuple[dict[str, float], dict[str, str]]:
    values: dict[str, float] = {}
    notes: dict[str, str] = {}
    for model in _MODELS:
        for metric in _METRICS:
            of = {name: result[model][metric] for name, result in results.items()}
            values |= {f"{model}, {metric}, {name}": float(figures.mean()) for name, figures in of.items()}
            for first, second in (("excluded", "planted"), ("planted", "clean")):
                gap = _gap(of[first] - of[second])
                name = f"{model}, {metric}, {first} - {second}"
                values[name] = gap.mean
                notes[name] = f"{gap.low:+.4f} to {gap.high:+.4f}, {len(of[first]):,} users"
    return values, notes


def _gap(differences: FloatArray) -> Interval:
    column = differences.astype(np.float64)
    return interval(column, resampled_means(column[:, None], samples=_SAMPLES, seed=0)[:, 0])


def _audit_table(planted: Path) -> Path:
    table = planted.parent / "audit" / "audit.parquet"
    print(f"{len(excluded_items(table))} pictures are left out", flush=True)
    return table
