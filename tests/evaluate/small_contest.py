"""Forty users of two tastes, twelve items of two looks, sixty days: small enough to fit everything in a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from trifocal.baselines.tuning import Budget
from trifocal.data.cases import build_cases
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.splits import Split, time_split
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.contest import Contest
from trifocal.evaluate.known import Content, known_of
from trifocal.evaluate.protocol import CasesValidator
from trifocal.features.context import ContextVocabulary

N_ITEMS, N_USERS = 12, 40
CONTEXT = ContextVocabulary.fit([], [])
CONFIG = EvaluateConfig(k=20, latency_requests=10, bootstrap_samples=100)


def small_dataset() -> Dataset:
    """User u takes five items of the half that u belongs to; the later events bring one new item each."""
    rng = np.random.default_rng(0)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for user in range(N_USERS):
        half = 6 * (user % 2) + rng.permutation(6)
        days = np.sort(rng.uniform(0, 60, 5))
        rows += [
            (f"u{user}", f"i{item}", "click", start + timedelta(days=float(d)))
            for item, d in zip(half, days, strict=False)
        ]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event", "timestamp"], orient="row").sort("timestamp")
    items = pl.DataFrame(
        {"item_id": [f"i{n}" for n in range(N_ITEMS)], "title": [f"thing {n}" for n in range(N_ITEMS)]}
    )
    events = conform(frame, EVENT_SCHEMA)
    return Dataset("small", conform(items, ITEM_SCHEMA), events, Path())


def small_content() -> Content:
    """Items of one half read alike; pictures say nothing."""
    rng = np.random.default_rng(1)
    text = np.repeat(np.eye(2, 4), 6, axis=0) + 0.1 * rng.normal(size=(N_ITEMS, 4))
    return Content(text.astype(np.float32), rng.normal(size=(N_ITEMS, 4)).astype(np.float32))


def small_contest(folder: Path, *, trials: int = 2, seeds: tuple[int, ...] = (0,)) -> Contest:
    dataset = small_dataset()
    split: Split = time_split(dataset)
    vocabulary, content = dataset.vocabulary(), small_content()
    return Contest(
        dataset=dataset,
        split=split.refit(),
        tuning=known_of(split.train, vocabulary, CONTEXT, content),
        final=known_of(split.refit().train, vocabulary, CONTEXT, content),
        validate=CasesValidator(build_cases(split, "validation", vocabulary, CONTEXT)),
        cases=build_cases(split, "test", vocabulary, CONTEXT),
        config=CONFIG,
        budget=Budget(trials),
        seeds=seeds,
        folder=folder,
    )
