"""A made-up training and a made-up distillation, as their pages tell them."""

from __future__ import annotations

from trifocal.bundle import Manifest
from trifocal.report import Card, Rows
from trifocal.train.config import TrainConfig
from trifocal.train.distill_report import Agreement, Distillation
from trifocal.train.report import Training

ROWS = [
    {
        "epoch": epoch, "seconds": 10.0 * epoch + 4, "softmax": 6.0 - epoch, "mlm": 0.0, "bpr": 0.6 / epoch,
        "gradient_norm.softmax": 0.5, "gradient_norm.bpr": 0.1, "recall@20": 0.1 * epoch, "ndcg@10": 0.05 * epoch,
    }
    for epoch in (1, 2, 3)
]  # fmt: skip


def manifest(name: str = "trifocal", split: str = "time") -> Manifest:
    return Manifest(
        format_version=1,
        model_version="abc123",
        model_name=name,
        created_at="2026-05-01T10:00:00+00:00",
        trifocal_version="0.1.0",
        data_fingerprint="feedbeef",
        image_root="images",
        counts={"items": 1500, "users": 20, "events": 300},
        metrics={
            "split": split, "validation": 0.1586, "blend": {"retrieval": 0.1, "ranker": True, "ranking": 0.8},
            "best_epoch": 3, "train_seconds": 40.5, "parameters": 1057793, "curve": ROWS, "metric": "ndcg@10",
        },
        files={},
    )  # fmt: skip


def users() -> list[Rows]:
    return [
        Rows(
            "User <u1>",
            {"had": [Card("red hat", None)], "went on to take": [], "trifocal": [Card("b", None, hit=True)]},
        )
    ]


def training() -> Training:
    return Training(
        manifest=manifest(),
        dataset="<shop>",
        config=TrainConfig(epochs=8),
        text_layers=1,
        alignment=[{"epoch": 1, "seconds": 4.0, "contrastive": 1.5}],
        seconds={"data, tokens and features": 2.5},
        changed={"train": ["epochs = 8"]},
        users=users(),
    )


def distillation() -> Distillation:
    return Distillation(
        manifest=manifest("student"),
        dataset="shop",
        split="time",
        part="validation",
        users=1234,
        figures={"ndcg@10": (0.19, 0.2), "recall@20": (0.28, 0.3)},
        ratios={"ndcg@10": (0.95, 0.93, 0.97), "recall@20": (0.933, 0.91, 0.96)},
        items_per_s=(120.0, 30.0),
        items=64,
        agreement=Agreement(0.61, 0.66, 0.5),
        shown=users(),
    )
