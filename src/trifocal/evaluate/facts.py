"""Data set + split -> what slices and list metrics must know of each item. Looks for picture files, opens none.

Letters: N items, D size of a vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.data.histories import interaction_matrix
from trifocal.data.splits import Split
from trifocal.types import BoolArray, FloatArray, IntArray

__all__ = ["ItemFacts", "item_facts"]


@dataclass(frozen=True)
class ItemFacts:
    """What is known of N items, in the order of the recommenders' rows. Stability: caller.

    Attributes:
        train_counts: (N,) training users with a positive event on the item; 0 = a cold item.
        train_users: users with a positive event in training.
        categories: the top level of each item's category, "" where it has none.
        has_text: (N,) whether there is a title or a description.
        has_image: (N,) whether its picture file is there.
        text_vectors: (N, D) of an encoder, for the diversity of lists; None = not measured.
        image_vectors: (N, D) likewise.
    """

    train_counts: IntArray
    train_users: int
    categories: tuple[str, ...]
    has_text: BoolArray
    has_image: BoolArray
    text_vectors: FloatArray | None = None
    image_vectors: FloatArray | None = None


def item_facts(
    dataset: Dataset,
    split: Split,
    *,
    text_vectors: FloatArray | None = None,
    image_vectors: FloatArray | None = None,
) -> ItemFacts:
    """Return the facts of the items of `dataset`.

    Args:
        dataset: its items are in the order of the recommenders' rows.
        split: `split.train` is what the models learned from; give `split.refit()` where they learned from validation
            as well.
        text_vectors: (N, D) content vectors of the texts.
        image_vectors: (N, D) of the pictures.
    """
    matrix, users = interaction_matrix(split.train, dataset.vocabulary())
    items = dataset.items
    return ItemFacts(
        train_counts=np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64),
        train_users=len(users),
        categories=tuple((name or "").split(c.CATEGORY_SEPARATOR)[0] for name in items[c.CATEGORY].to_list()),
        has_text=(_filled(items[c.TITLE]) | _filled(items[c.DESCRIPTION])).to_numpy(),
        has_image=_pictures(dataset),
        text_vectors=text_vectors,
        image_vectors=image_vectors,
    )


def _filled(texts: pl.Series) -> pl.Series:
    return texts.fill_null("").str.strip_chars() != ""


def _pictures(dataset: Dataset) -> BoolArray:
    names: list[str | None] = dataset.items[c.IMAGE].to_list()
    return np.array([name is not None and (dataset.image_root / name).is_file() for name in names], dtype=np.bool_)
