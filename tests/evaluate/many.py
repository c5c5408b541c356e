"""Sixteen made-up models on 300 users and 300 items: as full a page as a benchmark makes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageDraw
from tests.evaluate.toy import EVENTS

from trifocal.data.cases import Cases
from trifocal.data.dataset import EVENT_SCHEMA, ITEM_SCHEMA, Dataset, conform
from trifocal.data.splits import Split
from trifocal.evaluate.comparison import Comparison, compare
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.facts import item_facts
from trifocal.evaluate.latency import Latency
from trifocal.evaluate.metrics import user_metrics
from trifocal.evaluate.pictures import SampleUser, sample_users
from trifocal.evaluate.protocol import Result, pool_seeds
from trifocal.types import History, IntArray, Request, UserId

NAMES = (
    "trifocal", "trifocal-text", "trifocal-image", "trifocal-ids", "popularity", "item-kNN", "als", "ease", "slim",
    "ease-content", "sasrec", "rectools-sasrec", "cornac-vbpr", "cornac-bprmf-with-a-long-name", "lightgcn", "gru4rec",
)  # fmt: skip
USERS, ITEMS = 300, 300
CATEGORIES = ("Ladieswear", "Divided", "Menswear", "Baby/Children", "Sport", "Home", "Underwear & Nightwear")


def cases() -> Cases:
    """Histories of 0 to 13 items; two targets each, rather the early items."""
    generator = np.random.default_rng(1)
    ids = tuple(UserId(f"u{user}") for user in range(USERS))
    lengths = generator.integers(0, 14, USERS)
    histories = [History.of_rows(generator.integers(0, ITEMS, length)) for length in lengths]
    truths = tuple(np.unique((ITEMS * generator.random(2) ** 2).astype(np.int64)) for _ in ids)
    return Cases(ids, tuple(Request(h, user_id=u) for h, u in zip(histories, ids, strict=True)), truths)


def dataset(folder: Path) -> Dataset:
    """Items with drawn pictures; every 20th has none, every 25th no text."""
    for kind in range(12):
        picture = Image.new("RGB", (120, 150), "white")
        shape = (20, 20 + 5 * (kind % 4), 100, 130)
        draw = ImageDraw.Draw(picture).ellipse if kind % 2 else ImageDraw.Draw(picture).rectangle
        draw(shape, fill=f"hsl({30 * kind}, 60%, 55%)")
        picture.save(folder / f"{kind}.png")
    items = pl.DataFrame(
        {
            "item_id": [f"i{row}" for row in range(ITEMS)],
            "title": [None if row % 25 == 0 else f"Thing number {row}" for row in range(ITEMS)],
            "category": [f"{CATEGORIES[row % 7]} > More" for row in range(ITEMS)],
            "image": [None if row % 20 == 0 else f"{row % 12}.png" for row in range(ITEMS)],
        }
    )
    return Dataset("made-up shop", conform(items, ITEM_SCHEMA), EVENTS, folder)


def split() -> Split:
    """Early items have many training users, the last tenth none."""
    generator = np.random.default_rng(2)
    rows = (0.9 * ITEMS * generator.random(4000) ** 2).astype(int)
    users = generator.integers(0, USERS, 4000)
    frame = pl.DataFrame(
        {"user_id": [f"u{u}" for u in users], "item_id": [f"i{row}" for row in rows], "event": ["click"] * 4000}
    )
    return Split("made-up", conform(frame, EVENT_SCHEMA), EVENTS, EVENTS, "f" * 64, note="drawn at random")


@cache
def results() -> list[Result]:
    """Two seeds a model; the first model is the best, the others stand close together."""
    questions = cases()
    return [_result(name, place, questions) for place, name in enumerate(NAMES)]


def comparison(folder: Path) -> Comparison:
    """All of it, with seeds, a note and two failures."""
    questions, data, cut = cases(), dataset(folder), split()
    vectors = np.random.default_rng(3).normal(size=(ITEMS, 8)).astype(np.float32)
    found = compare(
        results(), questions, dataset=data.name, split=cut, part="test", candidates=ITEMS,
        config=EvaluateConfig(bootstrap_samples=500), facts=item_facts(data, cut, text_vectors=vectors),
    )  # fmt: skip
    failures = (("recbole-bm3", "ModuleNotFoundError: no wheel of ray for Python 3.13"), ("mmrec", "no release"))
    return replace(found, seeds=(0, 1), notes=("ml1m takes published settings.",), failures=failures)


def samples(folder: Path, size: int = 10) -> list[SampleUser]:
    """Users with what each model proposed."""
    return sample_users(cases(), results(), dataset(folder), size=size, seed=0)


def _result(name: str, place: int, questions: Cases) -> Result:
    trained = pool_seeds([_seed(name, place, seed, questions) for seed in (0, 1)])
    if name == "popularity":
        return replace(trained, seed_means=())
    return replace(
        trained, parameters=12_345 * (place + 1), size_mb=0.3 * (place + 1), tuning=f"20 trials, {40 + 7 * place} s",
        version="" if place < 4 else f"1.{place}.0", settings={"factors": 64, "learning_rate": 0.01 / (place + 1)},
    )  # fmt: skip


def _seed(name: str, place: int, seed: int, questions: Cases) -> Result:
    generator = np.random.default_rng([place, seed])
    known = 0.45 if place == 0 else 0.3 if place < 12 else 0.1
    rows = np.stack([_ranking(truth, known, 40 * (1 + place % 4), generator) for truth in questions.truths])
    latency = Latency(0.4 * 1.6**place, 0.6 * 1.6**place, 0.8 * 1.6**place, 50)
    return Result(name, user_metrics(rows, questions.truths), rows[:, :20], 1.0, latency, train_seconds=3.0 * place)


def _ranking(truth: IntArray, known: float, width: int, generator: np.random.Generator) -> IntArray:
    scores = generator.random(ITEMS)
    scores[width:] -= 0.5
    scores[truth] += generator.random(len(truth)) < known
    return np.argsort(-scores)[:50]
