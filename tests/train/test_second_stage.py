from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from tests.model.small_knowledge import small_tables
from tests.train.test_knowledge import training_data

from trifocal.model.evidence import EVIDENCE, EvidenceTables, evidence_columns
from trifocal.model.memory import Precision, fit_precision
from trifocal.model.ranker import Ranker
from trifocal.train.config import SecondStageConfig
from trifocal.train.data import TrainingData
from trifocal.train.held_out import Question
from trifocal.train.knowledge import evidence_tables, interactions
from trifocal.train.second_stage import _list, train_ranker
from trifocal.types import BoolArray, Context, FloatArray, History, IntArray

N, USERS, KINDS, LIST = 40, 120, 4, 20
CONFIG = SecondStageConfig(hold_out="random", hidden_share=0.3, stranger_share=0.0, passes=1, batch_size=16)


def taken_rows() -> list[IntArray]:
    """Each user takes six items of one kind; an item's kind is its row modulo `KINDS`."""
    generator = np.random.default_rng(0)
    return [generator.choice(N // KINDS, 6, replace=False) * KINDS + user % KINDS for user in range(USERS)]


@cache
def world() -> tuple[list[History], Precision, EvidenceTables]:
    """Neither memory nor counts tell the kinds apart; the attribute does."""
    matrix = np.zeros((USERS, N), np.float32)
    for user, rows in enumerate(taken_rows()):
        matrix[user, rows] = 1
    kinds = np.stack([np.arange(N) % KINDS + 1, np.zeros(N, np.int64)], axis=1)
    blind = replace(small_tables(matrix, kinds), pairs=np.zeros(0, np.int64), pair_counts=np.zeros(0, np.float32))
    precision = fit_precision(csr_matrix(matrix), [], regularization=1.0, items=2)
    return [History.of_rows(rows) for rows in taken_rows()], precision, blind


def trained(*, seed: int = 0, **changes: object) -> tuple[Ranker, dict[str, float]]:
    histories, precision, tables = world()
    torch.manual_seed(7)
    ranker = Ranker(columns=evidence_columns(2), width=16, dropout=0.1)
    config = CONFIG.model_copy(update={"epochs": 12, "learning_rate": 1e-2} | changes)
    figures = train_ranker(
        ranker, histories, precision, tables, config=config, candidates=LIST, history_length=10, seed=seed
    )
    return ranker, figures


def test_it_learns_what_makes_the_taken_ones_different() -> None:
    ranker, figures = trained()
    assert not ranker.training
    assert 0.5 * USERS < figures["ranker_lists"] <= USERS
    # Untrained, all are equal: log K. Of a list about four are of the kind, so that log 4 is about the least.
    assert figures["ranker"] < 0.6 * math.log(LIST)
    evidence = ranker.mean.repeat(1, 2, 1)
    evidence[0, :, len(EVIDENCE)] = torch.tensor([0.0, 1.0])
    other, same = ranker(evidence)[0].tolist()
    assert same > other + 1


def test_more_passes_lower_the_loss() -> None:
    assert trained(epochs=12)[1]["ranker"] < trained(epochs=1)[1]["ranker"] < 1.05 * math.log(LIST)


def test_the_seed_decides() -> None:
    (one, figures), (same, again), (other, _) = trained(), trained(), trained(seed=1)
    assert figures == again
    torch.testing.assert_close(one.state_dict(), same.state_dict(), atol=0, rtol=0)
    assert not torch.equal(one.linear.weight, other.linear.weight)


def test_where_nobody_can_be_asked_the_ranker_stays_as_it_is() -> None:
    _, precision, tables = world()
    ranker = Ranker(columns=evidence_columns(2), width=16, dropout=0.1)
    before = {name: tensor.clone() for name, tensor in ranker.state_dict().items()}
    figures = train_ranker(
        ranker, [History.of_rows([3])], precision, tables, config=CONFIG, candidates=LIST, history_length=10, seed=0
    )
    assert figures["ranker_lists"] == 0
    assert math.isnan(figures["ranker"])
    torch.testing.assert_close(ranker.state_dict(), before)


def test_a_catalogue_of_fewer_items_than_candidates_gives_shorter_lists() -> None:
    """No place of a list may stay empty: it would read some other item's evidence."""
    histories, precision, tables = world()
    ranker = Ranker(columns=evidence_columns(2), width=16, dropout=0.0)
    figures = train_ranker(
        ranker, histories, precision, tables, config=CONFIG, candidates=10 * N, history_length=10, seed=0
    )
    # All that was not shown is on the list, so that every list holds what was hidden: four are shown of six.
    assert figures["ranker_lists"] == USERS
    kind = ranker.mean[len(EVIDENCE)].item()
    assert kind == pytest.approx((N // KINDS - 4) / (N - 4), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_evidence_of_a_question_does_not_know_what_was_hidden(tmp_path: Path, seed: int) -> None:
    """Counts, pairs and memory are those of a world in which the user never took it."""
    data = training_data(tmp_path, seed)
    history = data.histories["u0"]
    shown = history.at(history.timestamps_s < history.timestamps_s[-1])
    target = history.item_rows[-1:]
    context = Context(int(history.timestamps_s[-1]), int(history.device_codes[-1]))
    question = Question(np.unique(history.item_rows), shown, target, context)
    without = replace(data, histories={**data.histories, "u0": shown})
    seen, taken = asked(data, question)
    fresh, same = asked(without, replace(question, taken=np.unique(shown.item_rows)))
    assert taken.tolist() == same.tolist()
    # The mean to which shares are drawn, and the prior that orders equals, know the event: it is worth next to nothing.
    bounds = np.full(seen.shape[1], 1e-5)
    bounds[EVIDENCE.index("channel_share")] = 0.01
    bounds[:3] = 3e-5
    assert np.all(np.abs(seen - fresh) <= bounds)


def asked(data: TrainingData, question: Question) -> tuple[FloatArray, BoolArray]:
    """Evidence and what was taken, of all items but those shown."""
    tables = evidence_tables(data, data.features, ("text", "image"), 4)
    precision = fit_precision(interactions(data), [], regularization=5.0, items=8)
    found = _list(question, precision, tables, 8 - len(np.unique(question.history.item_rows)), 50)
    assert found is not None
    return found


def test_all_that_was_hidden_counts_less_not_only_what_is_asked_for() -> None:
    """Of forty hidden items twenty are asked for; the others must not stand out by their own event."""
    _, precision, tables = world()
    everything = History.of_rows(np.arange(N))
    even = replace(tables, counts=np.ones(N, np.float32), device_counts=np.zeros((N, 3), np.float32))
    question = Question(np.arange(N), everything.at(slice(0, 4)), np.arange(4, 24), Context())
    found = _list(question, precision, even, N - 4, 50)
    assert found is not None
    assert found[1].sum() == 20
    assert np.abs(found[0][:, EVIDENCE.index("log_popularity")]).max() == 0
