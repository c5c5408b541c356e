from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from trifocal.baselines import sasrec_training
from trifocal.baselines.sasrec_checkpoint import SasrecProgress
from trifocal.baselines.sasrec_network import SasrecNetwork
from trifocal.baselines.sasrec_settings import SasrecSettings
from trifocal.baselines.sasrec_training import build_network, train_network
from trifocal.errors import ArtifactError
from trifocal.types import IntArray

TINY = SasrecSettings(embedding_size=8, layers=1, heads=1, history_length=4, dropout=0.2, batch_size=3, epochs=4)


def parts() -> list[IntArray]:
    generator = np.random.default_rng(0)
    return [generator.integers(0, 6, length).astype(np.int64) for length in (2, 3, 5, 5, 4, 2, 5)]


class Figures:
    """Gives the next of `values` at each validation; is cut off where they end."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)
        self.weights: list[torch.Tensor] = []

    def __call__(self, network: SasrecNetwork) -> dict[str, float]:
        assert not network.training
        if not self.values:
            raise KeyboardInterrupt
        self.weights.append(network.item_table.weight.detach().clone())
        return {"m": self.values.pop(0)}


def trained(
    settings: SasrecSettings = TINY, *, seed: int = 0, figure: Figures | None = None, folder: Path | None = None
) -> tuple[SasrecNetwork, SasrecProgress]:
    return train_network(parts(), 6, settings, seed=seed, figure=figure, metric="m", folder=folder)


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, progress = trained(figure=Figures(0.1, 0.2, 0.3, 0.4))
    with pytest.raises(KeyboardInterrupt):
        trained(figure=Figures(0.1, 0.2), folder=tmp_path)
    resumed, again = trained(figure=Figures(0.3, 0.4), folder=tmp_path)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert (
        (again.epoch, again.step, again.best) == (progress.epoch, progress.step, progress.best) == (4, again.step, 0.4)
    )
    assert [row["m"] for row in again.curve] == [0.1, 0.2, 0.3, 0.4]


def test_a_finished_run_is_read_back_without_a_step(tmp_path: Path) -> None:
    first, _ = trained(figure=Figures(0.1, 0.4, 0.3, 0.2), folder=tmp_path)
    again, _ = trained(figure=Figures(), folder=tmp_path)
    assert torch.equal(first.item_table.weight, again.item_table.weight)


def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    trained(folder=tmp_path)
    with pytest.raises(ArtifactError, match=r"checkpoint\.safetensors is of other data or settings"):
        trained(folder=tmp_path, seed=1)
    with pytest.raises(ArtifactError, match="give another folder"):
        trained(replace(TINY, layers=2), folder=tmp_path)


def test_the_checkpoint_says_what_it_is_of(tmp_path: Path) -> None:
    trained(folder=tmp_path)
    with safe_open(tmp_path / "checkpoint.safetensors", framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["progress"]["epoch"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]


def test_training_stops_after_patience_and_returns_the_best_epoch() -> None:
    figure = Figures(0.1, 0.5, 0.4, 0.3, 0.2)
    network, progress = trained(replace(TINY, epochs=20, patience=2), figure=figure)
    assert (progress.epoch, progress.best_epoch, progress.best) == (4, 2, 0.5)
    assert torch.equal(network.item_table.weight, figure.weights[1])


def test_without_validation_the_last_epoch_counts() -> None:
    _, progress = trained(replace(TINY, patience=1, learning_rate=0.02, warmup_steps=2, epochs=15))
    assert (progress.epoch, progress.best_epoch) == (15, 15)
    assert progress.curve[-1]["loss"] < progress.curve[0]["loss"]


def test_the_learning_rate_rises_and_falls_to_a_tenth() -> None:
    settings = replace(TINY, warmup_steps=2, epochs=5)
    run = sasrec_training._start(parts(), 6, settings, seed=0, metric="m", folder=None)
    run.steps_an_epoch = 2
    shares = []
    for step in (0, 1, 5, 10, 12):
        run.progress.step = step
        shares.append(sasrec_training._rate_share(run))
    # Half the warm-up; cos(pi / 10) = .95106; half of the way: .1 + .9 / 2; the end, and behind it.
    assert shares == pytest.approx([0.5, 0.1 + 0.45 * 1.95106, 0.55, 0.1, 0.1], abs=1e-5)


def test_a_large_catalogue_trains_on_drawn_negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sasrec_training, "FULL_SOFTMAX_ITEMS", 5)
    _, first = trained(replace(TINY, negatives=4, learning_rate=0.02, epochs=15))
    _, again = trained(replace(TINY, negatives=4, learning_rate=0.02, epochs=15))
    assert first.curve[-1]["loss"] < first.curve[0]["loss"]
    assert [row["loss"] for row in first.curve] == [row["loss"] for row in again.curve]


def test_the_network_depends_on_the_seed_alone_and_leaves_the_global_generator() -> None:
    before = torch.get_rng_state()
    first, again, other = (build_network(6, TINY, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.item_table.weight, again.item_table.weight)
    assert not torch.equal(first.item_table.weight, other.item_table.weight)
