from __future__ import annotations

import re

import pytest

from trifocal.report.learning_curve import LearningCurve, learning_chart, learning_curve

ROWS = [
    {"epoch": 1, "seconds": 1.0, "softmax": 4.0, "click": 0.5, "gradient_norm.softmax": 1.0, "ndcg@10": 0.1},
    {"epoch": 2, "seconds": 2.0, "softmax": 3.0, "click": 0.4, "gradient_norm.softmax": 0.9, "ndcg@10": 0.3},
    {"epoch": 3, "seconds": 3.0, "softmax": 2.0, "click": 0.45, "gradient_norm.softmax": 0.8, "ndcg@10": 0.2},
]


def texts(plot: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", plot)


def curve(rows: list[dict[str, float]], best: int) -> LearningCurve:
    return LearningCurve("trifocal", tuple(rows), "ndcg@10", best)


def test_every_loss_part_has_its_name_and_last_value_and_the_best_epoch_is_marked() -> None:
    plot = learning_chart(curve(ROWS, 2)).svg
    assert {"softmax 2", "click 0.45", "best, epoch 2:", "0.3000", "nDCG@10 on validation, towers alone"} <= set(
        texts(plot)
    )
    assert not any("gradient" in text or "seconds" in text for text in texts(plot))
    assert ">Learning curve of trifocal</title>" in plot
    assert "softmax: 4 to 2; click: 0.5 to 0.45; best nDCG@10 0.3000 after epoch 2</desc>" in plot
    assert learning_chart(curve(ROWS, 2)).svg == plot


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_short_training_has_whole_epochs_on_its_axis(epochs: int) -> None:
    found = texts(learning_chart(curve(ROWS[:epochs], 1)).svg)
    assert [text for text in found if text.isdecimal()] == [str(epoch + 1) for epoch in range(epochs)]


def test_a_training_without_validation_shows_its_losses() -> None:
    rows = [{name: value for name, value in row.items() if name != "ndcg@10"} for row in ROWS]
    found = texts(learning_chart(curve(rows, 3)).svg)
    assert "softmax 2" in found
    assert "epoch" in found
    assert not any(text.startswith("best") for text in found)


def test_a_curve_is_what_a_bundle_tells() -> None:
    metrics = {"curve": ROWS, "best_epoch": 2, "metric": "recall@20"}
    assert learning_curve("m", metrics) == LearningCurve("m", tuple(ROWS), "recall@20", 2)
    assert learning_curve("m", {"best_epoch": 1}) is None
