"""What a baseline may learn from: events of one part of a split, and the content of the items. Reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix

from trifocal.baselines.tuning import Setting
from trifocal.data.histories import interaction_matrix, user_histories
from trifocal.features.context import ContextVocabulary
from trifocal.features.likeness import likeness_kernel
from trifocal.ports import Recommender
from trifocal.types import FloatArray, History, Vocabulary

__all__ = ["Content", "Known", "Settings", "known_of"]

Settings = dict[str, Setting]


@dataclass(frozen=True)
class Content:
    """What the items say and show; the same whatever part of a split is learned from. N items.

    Attributes:
        text: (N, width) pooled text features, zero where there is no text.
        image: (N, width) likewise of the pictures.
    """

    text: FloatArray
    image: FloatArray

    @cached_property
    def kernels(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Likeness in text and in pictures, (N, N) each, computed once."""
        return likeness_kernel(self.text), likeness_kernel(self.image)


@dataclass(frozen=True)
class Known:
    """What a baseline may learn from: one part of a split. N items.

    Attributes:
        matrix: (users, N) binary, positive events.
        users: id of each row of `matrix`.
        histories: of each user, oldest first.
        content: of the items.
        settings: name of a contestant -> settings already chosen, for those that are built from others.
        fitted: such parts, fitted to this very part of the split: name, settings and seed -> recommender.
    """

    matrix: csr_matrix
    users: Vocabulary
    histories: Sequence[History]
    content: Content
    settings: dict[str, Settings] = field(default_factory=dict)
    fitted: dict[str, Recommender] = field(default_factory=dict)

    @property
    def n_items(self) -> int:
        """N."""
        return int(self.matrix.shape[1])

    @property
    def has_times(self) -> bool:
        """True where events have a time."""
        return any((history.timestamps_s > 0).any() for history in self.histories)


def known_of(events: pl.DataFrame, vocabulary: Vocabulary, context: ContextVocabulary, content: Content) -> Known:
    """Return what may be learned from `events`, canonical and oldest first."""
    matrix, users = interaction_matrix(events, vocabulary)
    histories = user_histories(events, vocabulary, context)
    return Known(matrix, users, list(histories.values()), content)
