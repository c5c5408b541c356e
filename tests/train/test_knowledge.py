from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from tests.features.small_catalogue import small_features
from tests.model.small_model import SMALL

from trifocal.model.evidence import EvidenceTables
from trifocal.train.data import TrainingData
from trifocal.train.knowledge import evidence_tables, interactions, item_precision
from trifocal.types import History, IntArray

OLD, NEW = 1_000, 2_000


def history_of(rows: IntArray, devices: IntArray, times: IntArray) -> History:
    ones = np.ones(len(rows), np.int64)
    return History(rows, ones, times, devices, ones)


def training_data(folder: Path, seed: int = 0) -> TrainingData:
    """Forty users of eight items and two devices; each took three or four, two of them long ago, the last three times.

    A good fifth of the events is new, so that one more or less does not move where the newest begin.
    """
    generator = np.random.default_rng(seed)
    features, state = small_features(folder / "cache")
    histories = {}
    for user in range(40):
        rows = generator.choice(8, int(generator.integers(3, 5)), replace=False)
        rows = np.concatenate([rows, rows[-1:], rows[-1:]])
        devices = np.repeat(generator.integers(1, 3), len(rows))
        times = np.where(np.arange(len(rows)) < len(rows) - 3, OLD, NEW)
        histories[f"u{user}"] = history_of(rows, devices, times)
    counts = np.bincount(np.concatenate([h.item_rows for h in histories.values()]), minlength=8).astype(np.float32)
    return TrainingData(features, state, histories, [], counts, np.zeros(8, np.int64), "forty")


def tables(data: TrainingData) -> EvidenceTables:
    return evidence_tables(data, data.features, ("text", "image"), 4)


def test_pairs_are_those_of_counting_them_one_by_one(tmp_path: Path) -> None:
    data = training_data(tmp_path)
    expected: Counter[tuple[int, int]] = Counter()
    for history in data.histories.values():
        expected.update(permutations(np.unique(history.item_rows).tolist(), 2))
    found = tables(data)
    assert np.all(np.diff(found.pairs) > 0)
    assert {divmod(int(key), 8): int(n) for key, n in zip(found.pairs, found.pair_counts, strict=True)} == expected
    everything = np.arange(8)
    whole = [[expected[one, other] for other in range(8)] for one in range(8)]
    assert found.taken_together(everything, everything).tolist() == whole


def test_where_pairs_are_too_many_the_rarest_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = training_data(tmp_path)
    whole = tables(data)
    monkeypatch.setattr("trifocal.train.knowledge._MOST_PAIRS", 10)
    found = tables(data)
    assert len(found.pairs) == 10
    assert np.all(np.diff(found.pairs) > 0)
    assert found.pair_counts.min() >= np.sort(whole.pair_counts)[-10]


def test_a_user_counts_once_by_item_device_and_time(tmp_path: Path) -> None:
    data = training_data(tmp_path)
    histories = {
        "a": history_of(np.array([0, 1, 1]), np.array([1, 2, 2]), np.array([OLD, NEW, NEW])),
        "b": history_of(np.array([1, 2]), np.array([1, 0]), np.array([0, OLD])),
    }
    found = tables(replace(data, histories=histories))
    assert found.counts[:3].tolist() == [1, 2, 1]
    assert found.device_counts[:3].tolist() == [[0, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert found.device_counts.sum(axis=1).tolist() == found.counts.tolist()
    assert found.newest_counts.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert OLD < found.newest_from_s[0] <= NEW


def test_nobody_at_all_leaves_empty_tables(tmp_path: Path) -> None:
    data = replace(training_data(tmp_path), histories={})
    found = tables(data)
    assert interactions(data).shape == (0, 8)
    assert (found.counts.sum(), found.device_counts.sum(), len(found.pairs)) == (0, 0, 0)
    assert found.newest_from_s.tolist() == [0]


def test_a_modality_that_is_not_used_stays_empty(tmp_path: Path) -> None:
    data = training_data(tmp_path)
    found = evidence_tables(data, data.features, ("image", "ids"), 4)
    assert np.abs(np.asarray(found.text)).max() == 0
    assert np.abs(np.asarray(found.image)).max() > 0


def test_the_memory_reads_what_the_config_names(tmp_path: Path) -> None:
    data = training_data(tmp_path)
    assert item_precision(data, SMALL.model_copy(update={"memory_items": 0})) is None
    settings = {"memory_regularization": 1.0, "memory_text": 0.0, "memory_image": 0.0}
    changes: tuple[dict[str, float], ...] = ({}, {"memory_text": 1.0}, {"memory_image": 1.0})
    plain, text, image = (item_precision(data, SMALL.model_copy(update=settings | change)) for change in changes)
    blind = item_precision(data, SMALL.model_copy(update=settings | changes[1] | {"modalities": ("image", "ids")}))
    assert plain is not None
    assert text is not None
    assert image is not None
    assert blind is not None
    assert not np.allclose(text.inverse, plain.inverse)
    assert not np.allclose(text.inverse, image.inverse)
    np.testing.assert_allclose(blind.inverse, plain.inverse)
