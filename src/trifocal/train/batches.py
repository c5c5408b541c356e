"""Examples and judged lists -> the batches of one epoch, of one process or of each of several.

All processes draw the same batches from a shared generator, and each takes its share of every batch: together they
see what one process would see. What only concerns a process itself is drawn from a generator of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from trifocal.batch import Batch, JudgedBatch
from trifocal.features.items import CatalogueFeatures
from trifocal.features.sequences import user_batch
from trifocal.model.config import ModelConfig
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData
from trifocal.train.examples import Example, like_lengths, sequence_examples
from trifocal.train.judgements import Judgements
from trifocal.train.processes import Place
from trifocal.types import History, IntArray

__all__ = ["BatchMaker", "epoch_batches"]


@dataclass(frozen=True)
class BatchMaker:
    """What the batches of every epoch are made of. Stability: internal.

    Attributes:
        data: histories, judged lists and items.
        searches: examples with a query.
        model_config: length of a history.
        config: sizes and bounds.
        place: of this process.
        since_s: windows whose newest event is before it count as old, seconds since 1970.
        replay: share of the old windows that an epoch draws, 0..1.
    """

    data: TrainingData
    searches: Sequence[Example]
    model_config: ModelConfig
    config: TrainConfig
    place: Place = field(default_factory=Place)
    since_s: int = 0
    replay: float = 1.0

    @property
    def judgements(self) -> dict[str, tuple[Judgements, int]]:
        """The judged lists by their name in a batch, and how many of them an epoch draws; none that no loss reads."""
        named = {
            "shown": (self.data.shown, self.config.max_shown_lists, self.config.losses.click),
            "rated": (self.data.rated, self.config.max_rated_lists, self.config.losses.rating),
        }
        return {name: (lists, most) for name, (lists, most, weight) in named.items() if len(lists) and most and weight}


def epoch_batches(maker: BatchMaker, epoch: int) -> Iterator[tuple[Batch, Tensor]]:
    """Yield the batches of `epoch` in random order, with the times of their targets (B, L + 1).

    A batch of fewer users than there are processes is left out.
    """
    config, place = maker.config, maker.place
    shared = np.random.default_rng([config.seed, epoch])
    # Not [seed, epoch, rank]: trailing zeros do not change a seed.
    own = np.random.default_rng([config.seed, epoch, place.rank + 1])
    groups = [g for g in like_lengths(_examples(maker, shared), config.batch_size, shared) if len(g) >= place.size]
    judged = {name: _shares(*lists, len(groups), shared) for name, lists in maker.judgements.items()}
    for step, group in enumerate(groups):
        rows = {name: steps[step][place.rank :: place.size] for name, steps in judged.items()}
        yield _batch(maker, group[place.rank :: place.size], rows, own)


def _examples(maker: BatchMaker, generator: np.random.Generator) -> list[Example]:
    examples = sequence_examples(
        list(maker.data.histories.values()),
        maker.model_config.history_length,
        shuffle_ties=maker.config.shuffle_ties,
        generator=generator,
    )
    if maker.replay < 1:
        examples = [e for e in examples if e.times_s[-1] >= maker.since_s or generator.random() < maker.replay]
    drawn = generator.permutation(len(maker.searches))[: maker.config.max_search_examples]
    return examples + [maker.searches[row] for row in drawn]


def _shares(lists: Judgements, most: int, steps: int, generator: np.random.Generator) -> list[IntArray]:
    """At most `most` rows of `lists`, drawn without repetition, spread evenly over the steps."""
    return np.array_split(generator.permutation(len(lists))[:most], max(steps, 1))


def _batch(
    maker: BatchMaker, chosen: Sequence[Example], judged: Mapping[str, IntArray], generator: np.random.Generator
) -> tuple[Batch, Tensor]:
    features, length = maker.data.features, maker.model_config.history_length
    users = user_batch([e.request for e in chosen], length, features.text.width)
    targets = np.full(users.query_rows.shape, -1, dtype=np.int64)
    times = np.zeros(users.query_rows.shape, dtype=np.int64)
    for row, example in enumerate(chosen):
        targets[row, : len(example.targets)] = example.targets
        times[row, : len(example.targets)] = example.times_s
    rows = _live_rows(targets, maker.config.live_items, len(features), generator)
    batch = Batch(
        users=users,
        targets=torch.from_numpy(targets),
        weights=torch.from_numpy((targets >= 0).astype(np.float32)),
        items=features.batch(rows),
        item_rows=torch.from_numpy(rows),
        **{name: _judged(maker.judgements[name][0], lists, maker, features) for name, lists in judged.items()},
    )
    return batch, torch.from_numpy(times)


def _judged(lists: Judgements, rows: IntArray, maker: BatchMaker, features: CatalogueFeatures) -> JudgedBatch:
    histories: Mapping[str, History] = maker.data.histories
    length = maker.model_config.history_length
    requests = [lists.request(int(row), histories, length) for row in rows]
    items = [lists.items(int(row)) for row in rows]
    widest = max((len(found) for found, _ in items), default=1)
    item_rows = np.zeros((len(items), widest), dtype=np.int64)
    values = np.zeros((len(items), widest), dtype=np.float32)
    mask = np.zeros((len(items), widest), dtype=np.bool_)
    for place, (found, judged) in enumerate(items):
        item_rows[place, : len(found)], values[place, : len(found)], mask[place, : len(found)] = found, judged, True
    users = user_batch(requests, length, features.text.width)
    return JudgedBatch(users, torch.from_numpy(item_rows), torch.from_numpy(values), torch.from_numpy(mask))


def _live_rows(targets: IntArray, live_items: int, n_items: int, generator: np.random.Generator) -> IntArray:
    """Draw from the targets first, since their gradient is the greatest; fill up with any other items."""
    positives = np.unique(targets[targets >= 0])
    chosen = generator.permutation(positives)[:live_items]
    missing = min(live_items, n_items) - len(chosen)
    if missing > 0:
        others = np.setdiff1d(np.arange(n_items), chosen)
        chosen = np.concatenate([chosen, generator.choice(others, missing, replace=False)])
    return np.sort(chosen)
