"""A shop without pictures whose users walk in circles, read by encoders without weights; new items come at day 30."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.features.small_catalogue import LetterSource
from tests.model.small_model import SMALL
from tests.train.test_training import CONFIG

from trifocal import columns as c
from trifocal.bundle import Bundle, read_bundle
from trifocal.data.cases import build_cases
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.splits import cut_split
from trifocal.evaluate.protocol import CasesValidator
from trifocal.features.config import FeaturesConfig
from trifocal.train.config import SecondStageConfig, TrainConfig
from trifocal.train.pipeline import Job, train_bundle
from trifocal.train.prepare import prepare_training

START = datetime(2026, 1, 1, tzinfo=UTC)
OLD_ITEMS, ITEMS, USERS, DAYS = 12, 14, 60, 40
FEATURES = FeaturesConfig(compact_size=8, image_grid=2)
TRAIN: TrainConfig = CONFIG.model_copy(update={"epochs": 2, "second_stage": SecondStageConfig(epochs=1)})
MODEL = SMALL.model_copy(update={"memory_items": 8})


def without_weights(patch: pytest.MonkeyPatch) -> None:
    """Let catalogues be read by letters."""
    patch.setattr("trifocal.features.items.catalogue_text_source", lambda *_: LetterSource())
    patch.setattr("trifocal.features.items.image_source", lambda *_, **__: LetterSource("image-letters"))


def world(days: int = DAYS) -> Dataset:
    """Return the shop as it is after so many days: each day every third user takes the next item of the circle."""
    items = [
        {
            c.ITEM_ID: f"i{n}",
            c.TITLE: f"{'red' if n % 2 else 'blue'} thing {'abcdefghijklmn'[n]}",
            c.CATEGORY: "Home" if n % 2 else "Fashion",
            c.PRICE: 10.0 + n,
            c.CREATED_AT: START + timedelta(days=30 if n >= OLD_ITEMS else -1),
        }
        for n in range(ITEMS)
    ]
    events = [
        {
            c.USER_ID: f"u{user:02}",
            c.ITEM_ID: f"i{(user + day // 3) % (ITEMS if day >= 30 else OLD_ITEMS)}",
            c.EVENT: "click",
            c.TIMESTAMP: START + timedelta(days=day, minutes=user),
            c.DEVICE: "web",
        }
        for day in range(DAYS)
        for user in range(USERS)
        if user % 3 == day % 3
    ]
    end = START + timedelta(days=days)
    frames = conform(pl.DataFrame(items), ITEM_SCHEMA), conform(pl.DataFrame(events), EVENT_SCHEMA)
    kept = frames[0].filter(pl.col(c.CREATED_AT) < end), frames[1].filter(pl.col(c.TIMESTAMP) < end)
    return Dataset("circles", *kept, Path("/nowhere"))


def trained(folder: Path, dataset: Dataset, *, held_out_days: int = 3) -> Bundle:
    """Return a bundle trained on `dataset`, of which the newest days are the validation part."""
    end = dataset.events[c.TIMESTAMP].to_list()[-1] + timedelta(seconds=1)
    split = cut_split(dataset, "newest", end - timedelta(days=held_out_days), end)
    data = prepare_training(dataset, split, FEATURES, folder / "features")
    cases = build_cases(split, "validation", dataset.vocabulary(), data.state.context)
    job = Job(dataset, split, FEATURES, MODEL, TRAIN, folder / "run", folder / "features")
    train_bundle(job, "trifocal", data, CasesValidator(cases))
    return read_bundle(folder / "run" / "trifocal" / "bundle")
