from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tests.model.small_model import small_model
from tests.train.judged_circle import judged_circle
from tests.train.test_training import CONFIG, run

from trifocal.train.gradients import gradient_norms, shared_parameters


def test_the_norm_is_that_of_a_backward_pass(tmp_path: Path) -> None:
    model, features = small_model(tmp_path)
    loss = model.item_tower(features.batch([0, 1, 2]).to(torch.device("cpu"))).square().sum()
    shared = shared_parameters(model)
    found = gradient_norms({"part": loss}, shared)["part"]
    loss.backward()
    squares = sum(float(parameter.grad.square().sum()) for parameter in shared if parameter.grad is not None)
    assert found > 0
    assert abs(found - squares**0.5) < 1e-4 * found


def test_every_epoch_logs_how_hard_each_part_pulls(tmp_path: Path) -> None:
    data = judged_circle(tmp_path)
    changes = {"epochs": 2, "gradient_every": 2}
    run(data, tmp_path / "run", CONFIG.model_copy(update=changes))
    rows = [json.loads(line) for line in (tmp_path / "run" / "train.jsonl").read_text().splitlines()]
    for part in ("softmax", "bpr", "click", "rating", "contrastive"):
        assert all(row[f"gradient_norm.{part}"] > 0 for row in rows)


def test_measuring_changes_nothing(tmp_path: Path) -> None:
    data = judged_circle(tmp_path)
    one, other = (
        run(data, tmp_path / str(every), CONFIG.model_copy(update={"epochs": 2, "gradient_every": every}))
        for every in (0, 1)
    )
    np.testing.assert_allclose(one.knowledge.vectors, other.knowledge.vectors)
    assert not any(name.startswith("gradient_norm") for name in (one.progress.curve or [])[0])
