"""Training of the second stage: to find again what was hidden of a history, among what the memory retrieves.

Everything the ranker reads is as it would be had the user never taken what is hidden: the memory's scores exactly
(`Precision.scores_without`), every count less the user's own. Trained on scores that know the answer, a ranker learns
to trust them, and fails when they don't.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from trifocal.model.evidence import EvidenceTables, HeldOut, evidence_of, today
from trifocal.model.losses import listwise_loss
from trifocal.model.memory import Precision
from trifocal.model.ranker import Ranker
from trifocal.model.two_stage import popularity_prior
from trifocal.progress import progress_bar
from trifocal.ranking import top_k
from trifocal.train.config import SecondStageConfig
from trifocal.train.held_out import Question, held_out_questions
from trifocal.types import BoolArray, FloatArray, History

__all__ = ["train_ranker"]


@dataclass(frozen=True)
class _Lists:
    """Q lists of K candidates: evidence (Q, K, F), and which candidates were taken (Q, K)."""

    evidence: Tensor
    taken: Tensor


def train_ranker(
    ranker: Ranker,
    histories: Sequence[History],
    precision: Precision,
    tables: EvidenceTables,
    *,
    config: SecondStageConfig,
    candidates: int,
    history_length: int,
    seed: int,
    warm: bool = False,
) -> dict[str, float]:
    """Train `ranker` in place; return how many lists it saw, and the loss of the last epoch.

    Args:
        ranker: of as many columns as `tables` give; untrained but where `warm` is set.
        histories: positive events of each user, those that `precision` and `tables` were made from.
        precision: the memory with what it needs to forget a user.
        tables: the evidence.
        config: of the second stage.
        candidates: K.
        history_length: newest events that the evidence reads.
        seed: of what is hidden, of the weights' order and dropout.
        warm: the ranker has been trained, and keeps the scale of its columns.
    """
    generator = np.random.default_rng([seed, 2])
    questions = held_out_questions(histories, config, generator)
    # Lists are of one length: as many items as are left to the one who took most.
    left = len(tables.counts) - max((len(np.unique(q.history.item_rows)) for q in questions), default=0)
    lists = _lists(questions, precision, tables, min(candidates, left), history_length)
    if lists is None:
        return {"ranker_lists": 0.0, "ranker": float("nan")}
    torch.manual_seed(seed)
    if not warm:
        ranker.standardise(lists.evidence)
    loss = _fit(ranker, lists, config, generator)
    ranker.eval()
    return {"ranker_lists": float(len(lists.taken)), "ranker": loss}


def _lists(
    questions: Sequence[Question], precision: Precision, tables: EvidenceTables, k: int, history_length: int
) -> _Lists | None:
    """As when serving: only where retrieval found something hidden is there anything to reorder."""
    evidence, taken = [], []
    with progress_bar("second stage, evidence", len(questions)) as bar:
        for question in questions:
            found = _list(question, precision, tables, k, history_length)
            if found is not None:
                evidence.append(found[0])
                taken.append(found[1])
            bar.advance()
    if not evidence:
        return None
    return _Lists(torch.from_numpy(np.stack(evidence)), torch.from_numpy(np.stack(taken)).float())


def _list(
    question: Question, precision: Precision, tables: EvidenceTables, k: int, history_length: int
) -> tuple[FloatArray, BoolArray] | None:
    shown = np.unique(question.history.item_rows)
    memory = precision.scores_without(question.taken, shown, shown) + popularity_prior(tables.counts)
    candidates = top_k(memory[None], k, exclude=[shown]).item_rows[0]
    own = np.isin(candidates, question.targets)
    if not own.any():
        return None
    history = question.history.last(history_length)
    visit = np.unique(history.item_rows[today(history, question.context)])
    memory_today = precision.scores_without(question.taken, shown, visit) + popularity_prior(tables.counts)
    newest = question.context.timestamp_s >= tables.newest_from_s[0]
    evidence = evidence_of(
        tables,
        candidates,
        history,
        question.context,
        memory[candidates],
        memory_today[candidates],
        HeldOut(np.isin(candidates, np.setdiff1d(question.taken, shown)), newest),
    )
    return evidence, own


def _fit(ranker: Ranker, lists: _Lists, config: SecondStageConfig, generator: np.random.Generator) -> float:
    optimizer = torch.optim.AdamW(ranker.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(lists.taken) // config.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps, pct_start=0.1)
    ranker.train()
    loss = 0.0
    with progress_bar("second stage, ranker", config.epochs) as bar:
        for _ in range(config.epochs):
            losses = [_step(ranker, lists, rows, optimizer, schedule) for rows in _batches(lists, config, generator)]
            loss = float(np.mean(losses))
            bar.advance()
            bar.note(f"ranker {loss:.3f}")
    return loss


def _batches(lists: _Lists, config: SecondStageConfig, generator: np.random.Generator) -> Iterator[Tensor]:
    order = generator.permutation(len(lists.taken))
    for start in range(0, len(order), config.batch_size):
        yield torch.from_numpy(order[start : start + config.batch_size])


def _step(
    ranker: nn.Module,
    lists: _Lists,
    rows: Tensor,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    loss = listwise_loss(ranker(lists.evidence[rows]), lists.taken[rows])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
    optimizer.step()
    schedule.step()
    return loss.item()
