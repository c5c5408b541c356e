"""How many items a second a model encodes, from text and picture file to item vector, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.errors import DataError
from trifocal.features.config import FeaturesConfig
from trifocal.features.image import image_source
from trifocal.features.items import CatalogueFeatures, item_texts
from trifocal.features.scratch import stored_text_source
from trifocal.model.build import TrifocalModel
from trifocal.types import IntArray

__all__ = ["EncodingSpeed", "encoding_speeds", "item_encoder", "whole_items"]

_TURNS = 8


@dataclass(frozen=True)
class EncodingSpeed:
    """What one model took for `items` items, in seconds of one core."""

    items: int
    seconds: float

    @property
    def items_per_s(self) -> float:
        """Items a second."""
        return self.items / self.seconds


def whole_items(dataset: Dataset, size: int, seed: int = 0) -> IntArray:
    """Return the rows of at most `size` items that have text and picture, drawn at random.

    Raises:
        DataError: when none has both.
    """
    pictures, texts = dataset.items[c.IMAGE].is_not_null(), item_texts(dataset.items)
    rows = np.flatnonzero(pictures.to_numpy() & np.array([text is not None for text in texts]))
    if not len(rows):
        raise DataError("no item has both text and picture, which the speed of encoding is measured on; import some")
    return np.random.default_rng(seed).permutation(rows)[:size]


def item_encoder(
    dataset: Dataset, features: CatalogueFeatures, model: TrifocalModel, config: FeaturesConfig
) -> Callable[[IntArray], None]:
    """Return a function that encodes the items at given rows anew: frozen encoders in batches, then the item tower.

    Loading the encoders is done before, as in a service. The tower reads its tokens from `features`, which are those
    that the encoders have just given.
    """
    texts, names = item_texts(dataset.items), dataset.items[c.IMAGE]
    read = stored_text_source(config, features.text_encoder)
    look = image_source(config.image_backbone, grid=config.image_grid, size=config.image_size)
    tower = model.item_tower.eval()

    def encode(rows: IntArray) -> None:
        for start in range(0, len(rows), config.batch_size):
            some = rows[start : start + config.batch_size]
            read.encode([texts[row] or "" for row in some])
            look.encode([str(dataset.image_root / names[int(row)]) for row in some])
        with torch.inference_mode():
            tower(features.batch(rows).to(torch.device("cpu")))

    return encode


def encoding_speeds(
    encoders: Sequence[Callable[[IntArray], None]], rows: IntArray, *, turns: int = _TURNS
) -> list[EncodingSpeed]:
    """Return the speed of each of `encoders` on the same items, in one thread.

    They take turns, so that whatever else the machine does falls on all alike; processor time is counted, not the
    clock. The first few items warm up and are encoded once more.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for encode in encoders:
            encode(rows[:4])
        seconds = np.zeros(len(encoders))
        for part in np.array_split(rows, min(turns, len(rows))):
            for place, encode in enumerate(encoders):
                started = time.process_time()
                encode(part)
                seconds[place] += time.process_time() - started
    finally:
        torch.set_num_threads(threads)
    return [EncodingSpeed(len(rows), float(spent)) for spent in seconds]
