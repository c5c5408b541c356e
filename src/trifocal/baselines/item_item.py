"""Linear item-item models behind one recommender: ItemKNN, EASE, EASE with content, content kNN. Reads no file.

A score is the sum of links from the distinct items of the history. Letters: B requests, N items.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from implicit.utils import ParameterWarning
from scipy.sparse import csr_matrix

from trifocal.errors import ConfigError, DataError
from trifocal.features.likeness import KERNEL_POWER, likeness_kernel, linear_links
from trifocal.ranking import top_k
from trifocal.types import FloatArray, Rankings, Request

__all__ = ["Closeness", "ItemItemRecommender", "fit_content_knn", "fit_ease", "fit_item_knn"]

Closeness = Literal["cosine", "tfidf", "bm25"]


@dataclass(frozen=True)
class ItemItemRecommender:
    """Ranks by links between items; a user never seen in training is served like any other. Stability: caller.

    Attributes:
        links: (N, N) sparse or dense, row = an item of the history, column = the item that is scored.
        popularity: (N,) float32, users an item has; the order where there is no history.
        name: as it stands in tables.
        seed: of the order among equal scores.
    """

    links: csr_matrix | FloatArray
    popularity: FloatArray
    name: str
    seed: int = 0

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request."""
        distinct = [np.unique(request.history.item_rows) for request in requests]
        starts = np.concatenate([[0], np.cumsum([len(rows) for rows in distinct])])
        columns = np.concatenate([*distinct, np.zeros(0, np.int64)])
        shape = (len(requests), len(self.popularity))
        taken = csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=shape)
        product = taken @ self.links
        scores: FloatArray = product.toarray() if isinstance(product, csr_matrix) else np.asarray(product)
        strangers = [place for place, rows in enumerate(distinct) if len(rows) == 0]
        scores[strangers] = self.popularity
        return top_k(scores, k, exclude=[request.exclude for request in requests], seed=self.seed)


def fit_item_knn(
    matrix: csr_matrix, *, closeness: Closeness = "cosine", neighbours: int = 100, seed: int = 0
) -> ItemItemRecommender:
    """Return ItemKNN: for each item its nearest items by the users they share.

    Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001. `implicit` fits it.

    Args:
        matrix: (users, N), a cell above 0 = taken.
        closeness: of two columns: cosine, or cosine of columns weighted by TF-IDF, or BM25.
        neighbours: kept of each item, the item itself included.
        seed: of the order among equal scores.

    Raises:
        ConfigError: when there is no neighbour to keep.
        DataError: when the matrix has no entry.
    """
    binary = _binary(matrix, "ItemKNN")
    if neighbours < 2:
        raise ConfigError(f"ItemKNN was told to keep {neighbours} neighbours; give 2 or more, an item is its own first")
    kinds = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}
    model = kinds[closeness](K=neighbours, num_threads=1)
    with warnings.catch_warnings():
        # It hands itself a matrix in another layout, and warns of that.
        warnings.simplefilter("ignore", ParameterWarning)
        model.fit(binary, show_progress=False)
    links = csr_matrix(model.similarity, dtype=np.float32)
    links.setdiag(0)
    links.eliminate_zeros()
    # implicit keeps the neighbours of the scored item in its row; here the row is the item of the history.
    return ItemItemRecommender(csr_matrix(links.T), _popularity(binary), "itemknn", seed)


def fit_ease(
    matrix: csr_matrix,
    *,
    regularization: float = 100.0,
    kernels: Sequence[npt.NDArray[np.float64]] = (),
    content_weight: float = 0.0,
    seed: int = 0,
) -> ItemItemRecommender:
    """Return EASE, with the links of `trifocal.features.likeness.linear_links`; `ease-content` where kernels are given.

    Args:
        matrix: (users, N), a cell above 0 = taken.
        regularization: lambda, above 0.
        kernels: (N, N) likeness in text and picture.
        content_weight: w, their weight.
        seed: of the order among equal scores.

    Raises:
        ConfigError: when lambda is not above 0, or w is below it.
        DataError: when the matrix has no entry.
    """
    if regularization <= 0 or content_weight < 0:
        raise ConfigError(
            f"EASE was given regularization {regularization} and content_weight {content_weight}; "
            "the first must be above 0, the second not below"
        )
    binary = _binary(matrix, "EASE")
    links = linear_links(binary, regularization=regularization, kernels=kernels, content_weight=content_weight)
    name = "ease-content" if kernels else "ease"
    return ItemItemRecommender(links.astype(np.float32), _popularity(binary), name, seed)


def fit_content_knn(
    contents: Sequence[FloatArray],
    matrix: csr_matrix,
    *,
    weights: Sequence[float] | None = None,
    power: float = KERNEL_POWER,
    name: str = "content-knn",
    seed: int = 0,
) -> ItemItemRecommender:
    """Return content kNN: an item is linked to the items that read or look like it; behaviour is not read.

    Args:
        contents: pooled features (N, width) of each modality.
        matrix: (users, N), for the popularity order of requests without history.
        weights: of each modality's kernel; None = 1 each.
        power: of the kernel; the greater, the fewer neighbours count.
        name: as it stands in tables.
        seed: of the order among equal scores.

    Raises:
        DataError: when no modality is given.
    """
    if not contents:
        raise DataError("content kNN was given 0 modalities; give the features of text, pictures or both")
    shares = [1.0] * len(contents) if weights is None else list(weights)
    links = sum(share * likeness_kernel(c, power) for share, c in zip(shares, contents, strict=True))
    return ItemItemRecommender(np.asarray(links, dtype=np.float32), _popularity(matrix), name, seed)


def _binary(matrix: csr_matrix, name: str) -> csr_matrix:
    if matrix.nnz == 0:
        raise DataError(
            f"the matrix of {matrix.shape[0]} users and {matrix.shape[1]} items is empty; {name} needs events"
        )
    return csr_matrix(matrix.sign(), dtype=np.float32)


def _popularity(matrix: csr_matrix) -> FloatArray:
    return np.asarray(matrix.sign().sum(axis=0), dtype=np.float32).ravel()
