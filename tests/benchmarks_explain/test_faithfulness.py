from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.explain import faithfulness
from benchmarks.explain.altered import said, with_cells, with_features, with_words
from benchmarks.explain.curves import SHARES, area, deleted, inserted, order_of
from benchmarks.explain.opened import Opened
from benchmarks.explain.plan import QUICK, Setting
from PIL import Image
from tests.explain.small_explained import CELLS, IMAGE, TEXT, TOKENS, explained

from trifocal.explain.content import Encoders
from trifocal.explain.gated_tower import attention_weights
from trifocal.explain.words import ItemText
from trifocal.types import FloatArray, Request

WORDS = ItemText(("Red", "shoe", "It", "fits"), ("title", "title", "description", "description"), np.zeros(0, np.int64))


class Letters:
    """Encodes a text as one token a word: its length; and a picture as the mean colour of each quarter."""

    name, fingerprint = "letters", "1"

    def __init__(self, width: int, folder: Path) -> None:
        self.width, self.folder = width, folder

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        return [self._picture(text) if text.endswith(".png") else self._text(text) for text in contents]

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        return [[len(word) for word in text.split()] for text in contents]

    def _text(self, text: str) -> FloatArray:
        rows = [np.full(self.width, len(word), np.float32) for word in text.split()]
        return np.stack(rows) if rows else np.zeros((1, self.width), np.float32)

    def _picture(self, path: str) -> FloatArray:
        with Image.open(path) as picture:
            small = np.asarray(picture.resize((2, 2), Image.Resampling.BOX), np.float32)[..., 0]
        return np.repeat(small.reshape(4, 1), self.width, axis=1)


@pytest.fixture
def encoders(tmp_path: Path) -> Encoders:
    source = Letters(TEXT, tmp_path)
    return Encoders(source, source, TEXT, IMAGE, CELLS)


@pytest.mark.parametrize("count", [1, 3, 9, 20])
def test_deletion_takes_the_first_and_insertion_gives_them(count: int) -> None:
    order = np.random.default_rng(count).permutation(count)
    left, there = deleted(order), inserted(order)
    assert np.array_equal(left, ~there)
    assert there[0].sum() == 0
    assert there[-1].all()
    assert there.sum(axis=1).tolist() == np.rint(SHARES * count).astype(int).tolist()
    # What is given stays, and nothing behind in the order comes before.
    assert np.all(there[:-1] <= there[1:])
    assert not there[1][order[round(SHARES[1] * count) :]].any()


def test_the_order_that_fits_the_score_has_the_extreme_areas() -> None:
    worth = np.array([4.0, 1.0, -2.0, 3.0, 0.0, 0.5, 2.0, -1.0, 1.5, 0.1])
    best = order_of(worth.astype(np.float32))
    others = [np.random.default_rng(seed).permutation(10) for seed in range(20)]
    assert all(area(deleted(best) @ worth) < area(deleted(order) @ worth) for order in others)
    assert all(area(inserted(best) @ worth) > area(inserted(order) @ worth) for order in others)


def test_words_are_taken_out_before_the_encoder_reads(encoders: Encoders) -> None:
    item = explained()[1].batch(np.array([5]))
    kept = np.array([[True, True, True, True], [False, True, False, True], [False] * 4])
    found = with_words(item, WORDS, kept, encoders)
    assert said(WORDS, kept[1]) == "shoe. fits"
    assert found.text_mask.sum(dim=1).tolist() == [4, 2, 0]
    assert found.text[1, :2, 0].tolist() == [5.0, 4.0]
    assert found.attributes.shape[0] == 3


def test_hidden_cells_are_white(encoders: Encoders, tmp_path: Path) -> None:
    path = tmp_path / "black.png"
    Image.new("RGB", (100, 100)).save(path)
    item = explained()[1].batch(np.array([5]))
    kept = np.array([[True] * 4, [True, False, True, True]])
    shown = with_cells(item, path, kept, encoders).image[..., 0]
    assert shown.tolist() == [[0.0, 0.0, 0.0, 0.0], [0.0, 255.0, 0.0, 0.0]]
    neutral = torch.full((IMAGE,), 7.0)
    features = with_features(item, kept, neutral).image
    assert torch.equal(features[0], item.image[0])
    assert torch.equal(features[1, 1], neutral)


def test_attention_is_a_share_and_passes_over_what_is_not_there() -> None:
    recommender, content = explained()
    items = content.batch(np.array([4, 6]))
    weights = attention_weights(recommender.model.item_tower, items).numpy()
    assert weights.shape == (2, TOKENS + CELLS)
    assert np.all(weights >= 0)
    assert np.all(weights.sum(axis=1) < 1)
    assert np.all(weights[:, :TOKENS][~items.text_mask.numpy()] == 0)


@dataclass
class OfPairs:
    """Stands in for an opened bundle: pairs without a model."""

    pairs: tuple[tuple[Request, int], ...] = tuple((Request(), row) for row in range(6))
    about: dict[str, object] = field(default_factory=lambda: {"bundle": "a", "pairs": 6})


def _line(found: Opened, request: Request, row: int, rng: np.random.Generator) -> dict[str, float]:
    line = {"completeness_error": 0.01 * row}
    for kind in ("words", "cells", "words and cells", "features of cells"):
        for way in ("deletion", "insertion"):
            sign = -1 if way == "deletion" else 1
            line |= {f"{kind} {way} explanation": sign * 1.0, f"{kind} {way} attention": sign * 0.5}
            line[f"{kind} {way} chance"] = 0.1 * rng.random()
    return line


def test_pairs_are_joined_into_intervals_and_a_second_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def line(found: Opened, request: Request, row: int, rng: np.random.Generator) -> dict[str, float]:
        asked.append(row)
        return _line(found, request, row, rng)

    monkeypatch.setattr(faithfulness, "world", lambda setting: None)
    monkeypatch.setattr(faithfulness, "opened", lambda *_: OfPairs())
    monkeypatch.setattr(faithfulness, "pair_areas", line)
    setting = Setting(tmp_path, QUICK)
    first = faithfulness.measure(setting)
    goals = {goal.name for goal in faithfulness.GOALS}
    assert goals <= set(first.values)
    assert all(first.values[name] > 0 for name in goals)
    # Three of six are left: the others are asked again, with the same chance.
    stored = tmp_path / "faithfulness.jsonl"
    stored.write_text("\n".join(stored.read_text().splitlines()[:4]) + "\n")
    assert faithfulness.measure(setting).values == first.values
    assert asked == [*range(6), 3, 4, 5]
    head = json.loads(stored.read_text().splitlines()[0])
    assert head == OfPairs().about
