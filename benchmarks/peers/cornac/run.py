"""Cornac's VBPR and AMR on pooled picture features. Runs in its own environment; see ../README.md."""

from __future__ import annotations

import sys
from collections import OrderedDict

import numpy as np
import torch
from benchmarks.peers.exchange import (
    About,
    Export,
    FloatArray,
    IntArray,
    Options,
    Settings,
    parse_options,
    ranked,
    read_export,
    timed,
    write_answer,
)
from cornac.data import Dataset, ImageModality  # type: ignore[import-not-found]  # only in the rival's environment
from cornac.models import AMR, VBPR  # type: ignore[import-not-found]  # only in the rival's environment

DEFAULTS: Settings = {
    "models": "vbpr,amr",
    "features": "image",
    "scaled": "raw",
    "vbpr_k": 64,
    "vbpr_k2": 64,
    "vbpr_n_epochs": 40,
    "vbpr_batch_size": 100,
    "vbpr_learning_rate": 0.005,
    "vbpr_lambda_w": 0.01,
    "vbpr_lambda_b": 0.01,
    "vbpr_lambda_e": 0.0,
    "amr_k": 64,
    "amr_n_epochs": 40,
    "amr_batch_size": 500,
    "amr_learning_rate": 0.005,
    "amr_lambda_w": 0.01,
    "amr_lambda_e": 0.0,
    "amr_lambda_adv": 1.0,
}

CLASSES = {"vbpr": VBPR, "amr": AMR}


def main() -> None:
    """Train, rank and write each model."""
    options = parse_options(__doc__, DEFAULTS)
    torch.set_num_threads(1)
    export = read_export(options.export)
    for name in str(options.settings["models"]).split(","):
        run_model(name, export, options)


def run_model(name: str, export: Export, options: Options) -> None:
    """Train, rank and write one model."""
    torch.manual_seed(options.seed)
    own = {key.removeprefix(f"{name}_"): value for key, value in options.settings.items() if key.startswith(f"{name}_")}
    # AMR takes k2 too, and does not use it.
    model = CLASSES[name](**own, verbose=False, seed=options.seed)
    dataset = dataset_of(export, options)
    training, _ = timed(lambda: model.fit(dataset))

    def score(asked: IntArray) -> FloatArray:
        return np.stack([model.score(user) for user in export.askers[asked]])

    ranking, item_rows = timed(lambda: ranked(score, export, options, export.trained()))
    said = {**own, "features": options.settings["features"], "scaled": options.settings["scaled"]}
    about = About(f"cornac-{name}", "cornac", training, ranking, said, count_parameters(model))
    write_answer(options.out, export, item_rows, about)


def dataset_of(export: Export, options: Options) -> Dataset:
    """Return the interactions and features; Cornac's indices are the rows, so that no item is left out."""
    dataset = Dataset(
        num_users=len(export.user_ids),
        num_items=len(export.item_ids),
        uid_map=OrderedDict((row, row) for row in range(len(export.user_ids))),
        iid_map=OrderedDict((row, row) for row in range(len(export.item_ids))),
        uir_tuple=(export.user_rows, export.item_rows, np.ones(len(export.item_rows), dtype=np.float32)),
        seed=options.seed,
    )
    dataset.add_modalities(item_image=ImageModality(features=features_of(export, options)))
    return dataset


def features_of(export: Export, options: Options) -> FloatArray:
    """Return the (N, width) features that stand for the pictures.

    Leaves with an error where the export lacks them.
    """
    chosen = {"image": export.image, "text": export.text}
    parts = [chosen[name] for name in str(options.settings["features"]).split("+")]
    found = [scaled(part, str(options.settings["scaled"])) for part in parts if part is not None]
    if len(found) < len(parts):
        sys.exit(f"the export has no features of {options.settings['features']}; export with --features")
    return np.concatenate(found, axis=1)


def scaled(features: FloatArray, how: str) -> FloatArray:
    """Return the features `raw`, at `unit` length, or `standard`ised a column."""
    if how == "unit":
        divided: FloatArray = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    elif how == "standard":
        divided = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
    else:
        divided = features
    return divided


def count_parameters(model: VBPR | AMR) -> int:
    """Return how many numbers were learned."""
    learned = ("beta_item", "gamma_user", "gamma_item", "theta_user", "emb_matrix", "beta_prime")
    return sum(np.asarray(getattr(model, name)).size for name in learned if getattr(model, name, None) is not None)


if __name__ == "__main__":
    main()
