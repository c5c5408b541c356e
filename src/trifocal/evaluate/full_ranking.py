"""User vectors x item vectors -> lists, over the whole catalogue in bounded memory. Nothing is sampled or approximated.

Letters: U users, N items, D width, K length of the lists, C users and n items of one block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trifocal.errors import ConfigError
from trifocal.ranking import streamed_top_k
from trifocal.types import FloatArray, IntArray, Rankings

__all__ = ["rank_vectors"]


def rank_vectors(
    user_vectors: FloatArray,
    item_vectors: FloatArray,
    k: int,
    *,
    exclude: Sequence[IntArray] = (),
    seed: int = 0,
    user_block: int = 512,
    item_block: int = 2048,
) -> Iterator[Rankings]:
    """Return the lists of greatest inner product, `user_block` users at a time, in the order of the users.

    The lists are those of `top_k` on all scores, which are never in memory together. Memory beside the vectors: 16
    bytes an item, 5 bytes a score of one block (5 MiB as preset), about 150 bytes a place of the lists of one block
    of users (4 MiB at K = 50); at worst, when nearly all scores are equal, 100 bytes a score of one block.

    Equal scores follow the seeded key. A matrix product may round the last bit of one score otherwise in another
    block size, so that scores that differ by less than that can change places.

    Args:
        user_vectors: (U, D) float; may be memory-mapped.
        item_vectors: (N, D) float; may be memory-mapped.
        k: length of the lists; a list is filled with row -1 where fewer items are left.
        exclude: for each user the item rows to leave out; empty = leave out none.
        seed: of the order among equal scores.
        user_block: C, users ranked together.
        item_block: n, items scored together.

    Raises:
        ConfigError: when the vectors are no tables of one width, or `k` or a block is below 1.

    >>> users, items = np.array([[1, 0], [0, 1]], np.float32), np.array([[3, 1], [2, 5], [1, 4]], np.float32)
    >>> [found.item_rows.tolist() for found in rank_vectors(users, items, 2, user_block=1, item_block=2)]
    [[[0, 1]], [[1, 2]]]
    """
    if user_vectors.ndim != 2 or user_vectors.shape[1:] != item_vectors.shape[1:]:
        shapes = f"{user_vectors.shape} and {item_vectors.shape}"
        raise ConfigError(f"user and item vectors have shapes {shapes}, they must be (users, D) and (items, D)")
    for name, value in (("k", k), ("user_block", user_block), ("item_block", item_block)):
        if value < 1:
            raise ConfigError(f"{name} is {value}, it must be at least 1")
    if len(exclude) not in (0, len(user_vectors)):
        raise ConfigError(f"exclude names {len(exclude)} users of {len(user_vectors)}, it must name all or none")
    return _ranked_blocks(user_vectors, item_vectors, k, exclude, seed, (user_block, item_block))


def _ranked_blocks(
    user_vectors: FloatArray,
    item_vectors: FloatArray,
    k: int,
    exclude: Sequence[IntArray],
    seed: int,
    block: tuple[int, int],
) -> Iterator[Rankings]:
    for start in range(0, len(user_vectors), block[0]):
        users = np.ascontiguousarray(user_vectors[start : start + block[0]], dtype=np.float32)
        left_out = exclude[start : start + block[0]]
        shape = (len(users), len(item_vectors))
        yield streamed_top_k(_score_blocks(users, item_vectors, block[1]), shape, k, exclude=left_out, seed=seed)


def _score_blocks(users: FloatArray, item_vectors: FloatArray, item_block: int) -> Iterator[tuple[int, FloatArray]]:
    whole = np.empty((len(users), min(item_block, len(item_vectors))), dtype=np.float32)
    for first in range(0, len(item_vectors), item_block):
        items = np.asarray(item_vectors[first : first + item_block], dtype=np.float32)
        # One buffer for all blocks but the last: new pages for each cost as much as the product.
        out = whole if len(items) == whole.shape[1] else None
        yield first, np.matmul(users, items.T, out=out)
