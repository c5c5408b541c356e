"""RecBole's LightGCN and EASE. Runs in its own environment; see ../README.md."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

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
from recbole.config import Config  # type: ignore[import-not-found]  # only in the rival's environment
from recbole.data import create_dataset, create_samplers  # type: ignore[import-not-found]  # as above
from recbole.data.dataset import Dataset  # type: ignore[import-not-found]  # only in the rival's environment
from recbole.data.interaction import Interaction  # type: ignore[import-not-found]  # only in the rival's environment
from recbole.data.utils import get_dataloader  # type: ignore[import-not-found]  # only in the rival's environment
from recbole.model.abstract_recommender import GeneralRecommender  # type: ignore[import-not-found]  # as above
from recbole.utils import get_model, get_trainer, init_seed  # type: ignore[import-not-found]  # as above

DEFAULTS: Settings = {
    "models": "lightgcn,ease",
    "lightgcn_embedding_size": 64,
    "lightgcn_n_layers": 2,
    "lightgcn_reg_weight": 1e-5,
    "lightgcn_learning_rate": 0.001,
    "lightgcn_train_batch_size": 2048,
    "lightgcn_epochs": 100,
    "ease_reg_weight": 250.0,
}

CLASSES = {"lightgcn": "LightGCN", "ease": "EASE"}
NAME = "export"


def main() -> None:
    """Train, rank and write each model."""
    options = parse_options(__doc__, DEFAULTS)
    torch.set_num_threads(1)
    export = read_export(options.export)
    for name in str(options.settings["models"]).split(","):
        run_model(name, export, options)


def run_model(name: str, export: Export, options: Options) -> None:
    """Train, rank and write one model."""
    own = {key.removeprefix(f"{name}_"): value for key, value in options.settings.items() if key.startswith(f"{name}_")}
    # RecBole writes its logs where it stands.
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        config = config_of(CLASSES[name], own, export, Path(place), options.seed)
        dataset = create_dataset(config)
        training, model = timed(lambda: train(config, dataset))
    users = dataset.token2id("user_id", [str(row) for row in np.unique(export.user_rows)])
    codes = dict(zip(np.unique(export.user_rows), users, strict=True))
    items = dataset.token2id("item_id", [str(row) for row in np.unique(export.item_rows)])

    def score(asked: IntArray) -> FloatArray:
        scores = np.full((len(asked), len(export.item_ids)), np.nan, dtype=np.float32)
        found = predict(model, np.array([codes[row] for row in export.askers[asked]]))
        scores[:, np.unique(export.item_rows)] = found[:, items]
        return scores

    model.eval()
    ranking, item_rows = timed(lambda: ranked(score, export, options, export.trained()))
    about = About(f"recbole-{name}", "recbole", training, ranking, own, count_parameters(model))
    write_answer(options.out, export, item_rows, about)


def config_of(model: str, own: Settings, export: Export, place: Path, seed: int) -> Config:
    """Return RecBole's settings, and write the interactions where they say; all of them are for training."""
    folder = place / NAME
    folder.mkdir()
    lines = [f"{user}\t{item}" for user, item in zip(export.user_rows, export.item_rows, strict=True)]
    text = "\n".join(["user_id:token\titem_id:token", *lines])
    (folder / f"{NAME}.inter").write_text(text + "\n", encoding="utf-8")
    settings = {
        **own,
        "data_path": str(place),
        "checkpoint_dir": str(place),
        "load_col": {"inter": ["user_id", "item_id"]},
        "eval_args": {"split": {"RS": [1.0, 0.0, 0.0]}, "order": "RO", "group_by": "none", "mode": "full"},
        "use_gpu": False,
        "seed": seed,
        "show_progress": False,
    }
    config = Config(model=model, dataset=NAME, config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    return config


def train(config: Config, dataset: Dataset) -> GeneralRecommender:
    """Return the trained model. EASE is solved when it is made; its trainer has nothing left to do."""
    built = dataset.build()
    sampler, _, _ = create_samplers(config, dataset, built)
    batches = get_dataloader(config, "train")(config, built[0], sampler, shuffle=config["shuffle"])
    model = get_model(config["model"])(config, batches.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    trainer.fit(batches, valid_data=None, saved=False, verbose=False)
    return model


def predict(model: GeneralRecommender, users: IntArray) -> FloatArray:
    """Return (b, items as RecBole codes them) scores of RecBole's user codes (b,)."""
    with torch.no_grad():
        scores = model.full_sort_predict(Interaction({"user_id": torch.from_numpy(users)}))
    found: FloatArray = np.asarray(scores, dtype=np.float32).reshape(len(users), -1)
    return found


def count_parameters(model: GeneralRecommender) -> int:
    """Return how many numbers were learned; EASE keeps its links outside of torch."""
    links = getattr(model, "item_similarity", np.zeros(0))
    return int(links.size) + sum(int(weights.numel()) for weights in model.parameters())


if __name__ == "__main__":
    main()
