from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.features.small_catalogue import WIDTH, small_features
from tests.model.small_model import SMALL

from trifocal.errors import ArtifactError
from trifocal.ports import Recommender
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData
from trifocal.train.examples import SearchEvent
from trifocal.train.loop import TrainedModel, train_model
from trifocal.train.step import train_steps
from trifocal.types import Context, History, IntArray, Request

# Users walk in circles: after item n comes item n + 1. What is learned can be checked on sight.
CYCLE = 6
START, HOUR = 1_800_000_000, 3600
CONFIG = TrainConfig(
    epochs=6,
    patience=6,
    batch_size=16,
    live_items=8,
    contrastive_items=4,
    learning_rate=5e-3,
    id_learning_rate=2e-2,
    warmup_steps=1,
    gradient_every=0,
)


def circle_data(folder: Path) -> TrainingData:
    features, state = small_features(folder / "cache")
    histories = {}
    for user in range(60):
        rows = (user + np.arange(4)) % CYCLE
        ones = np.ones(4, dtype=np.int64)
        histories[f"u{user}"] = History(rows, ones, START + HOUR * np.arange(4), ones, ones)
    counts = np.bincount(np.concatenate([h.item_rows for h in histories.values()]), minlength=8).astype(np.float32)
    searches = [SearchEvent("u0", 2, START + 2 * HOUR, np.ones(WIDTH, np.float32))]
    return TrainingData(features, state, histories, searches, counts, np.zeros(8, np.int64), "circle")


def _request(rows: IntArray) -> Request:
    ones = np.ones(len(rows), dtype=np.int64)
    times = START + HOUR * np.arange(len(rows) + 1)
    # As everywhere, what the user had is excluded: it is no negative in training, so its score means nothing.
    return Request(History(rows, ones, times[:-1], ones, ones), Context(int(times[-1]), 1, 1), rows)


def next_hits(recommender: Recommender) -> dict[str, float]:
    requests = [_request(np.array([n, (n + 1) % CYCLE])) for n in range(CYCLE)]
    best = recommender.recommend(requests, 1).item_rows[:, 0]
    return {"ndcg@10": float((best == (np.arange(CYCLE) + 2) % CYCLE).mean())}


def run(data: TrainingData, folder: Path, config: TrainConfig = CONFIG) -> TrainedModel:
    return train_model(
        data, name="trifocal", model_config=SMALL, config=config, compact_size=8, folder=folder, validate=next_hits
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedModel, Path]:
    folder = tmp_path_factory.mktemp("circle")
    config = CONFIG.model_copy(update={"epochs": 60, "patience": 60, "learning_rate": 1e-2})
    return run(circle_data(folder), folder / "run", config), folder


def test_it_learns_what_comes_next(trained: tuple[TrainedModel, Path]) -> None:
    assert next_hits(trained[0].recommender)["ndcg@10"] == 1.0


def test_every_loss_part_is_logged_and_falls(trained: tuple[TrainedModel, Path]) -> None:
    rows = [json.loads(line) for line in (trained[1] / "run" / "train.jsonl").read_text().splitlines()]
    assert {"softmax", "bpr", "contrastive", "ndcg@10", "seconds"} <= set(rows[0])
    assert rows[-1]["softmax"] < 0.5 * rows[0]["softmax"]
    assert rows[-1]["contrastive"] < rows[0]["contrastive"]


def test_items_that_nobody_took_can_still_be_ranked(trained: tuple[TrainedModel, Path]) -> None:
    ranked = trained[0].recommender.recommend([Request()], 8).item_rows
    assert sorted(ranked[0].tolist()) == list(range(8))


def test_a_killed_training_goes_on_to_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = circle_data(tmp_path)
    whole = run(data, tmp_path / "whole")
    epoch = train_steps
    count = 0

    def dying(*arguments: object) -> dict[str, float]:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return epoch(*arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr("trifocal.train.loop.train_steps", dying)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "killed")
    monkeypatch.setattr("trifocal.train.loop.train_steps", epoch)
    resumed = run(data, tmp_path / "killed")
    assert count == 3
    assert [row["epoch"] for row in resumed.progress.curve or []] == list(range(1, CONFIG.epochs + 1))
    np.testing.assert_allclose(resumed.knowledge.vectors, whole.knowledge.vectors, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(resumed.model.ranker.state_dict(), whole.model.ranker.state_dict(), atol=1e-4, rtol=1e-4)


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    data = circle_data(tmp_path)
    one, other = (run(data, tmp_path / name, CONFIG.model_copy(update={"epochs": 2})) for name in ("a", "b"))
    np.testing.assert_allclose(one.knowledge.vectors, other.knowledge.vectors)
    torch.testing.assert_close(one.model.ranker.state_dict(), other.model.ranker.state_dict())


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    data = circle_data(tmp_path)
    short = CONFIG.model_copy(update={"epochs": 1})
    run(data, tmp_path / "run", short)
    with pytest.raises(ArtifactError, match=r"checkpoint\.safetensors is of other data or settings"):
        run(replace(data, fingerprint="another"), tmp_path / "run", short)


def test_training_stops_when_validation_does_not_rise(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"epochs": 20, "patience": 2})
    figures = chain([0.5, 0.6, 0.4, 0.4], repeat(0.3))
    trained = train_model(
        circle_data(tmp_path),
        name="trifocal",
        model_config=SMALL,
        config=config,
        compact_size=8,
        folder=tmp_path / "run",
        validate=lambda _: {"ndcg@10": next(figures)},
    )
    assert (trained.progress.epoch, trained.progress.best_epoch, trained.progress.best) == (4, 2, 0.6)


def test_a_refit_without_validation_keeps_the_last_epoch(tmp_path: Path) -> None:
    trained = train_model(
        circle_data(tmp_path),
        name="trifocal",
        model_config=SMALL,
        config=CONFIG.model_copy(update={"epochs": 3, "patience": 3}),
        compact_size=8,
        folder=tmp_path / "run",
        validate=None,
    )
    assert trained.progress.best_epoch == 3
