"""Word-piece vectors whose weighted mean says of a text what a Transformer says of it. Knows no file.

First a linear map from the Transformer's own word-piece vectors, which also serves pieces that no text holds; then the
vectors and weights of the pieces that occur are moved towards the Transformer's mean token, by gradient. Static
vectors from a sentence Transformer are the idea of Model2Vec (Tulkens & van Dongen, 2024); there the Transformer reads
the pieces alone, here it reads whole texts.

Letters: B texts, V word pieces of the vocabulary, W width, E tokens of all texts of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from trifocal.features.config import StaticConfig
from trifocal.progress import progress_bar
from trifocal.types import FloatArray

__all__ = ["fit_word_vectors", "weighted_means"]

_BATCH_SIZE = 128
# Of 3e-3 and 1e-2 the one that explains more of the Transformer's vectors for texts it was not taught with, a fifth of
# H&M's 7,029: 66 % and 74 % of the variance; the linear map alone 56 %.
_LEARNING_RATE = 1e-2
# Weight of the squared way from the linear map, and share of tokens left out in a step.
_STAY = 1e-3
_DROPOUT = 0.1
_RIDGE = 1e-2


class _Pieces(nn.Module):
    """What is learned of the word pieces that occur: the way of each vector from the linear map, and log weights."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.start: Tensor
        self.register_buffer("start", start)
        self.way = nn.Parameter(torch.zeros_like(start))
        self.log_weights = nn.Parameter(torch.zeros(len(start)))


def fit_word_vectors(
    token_ids: Sequence[Sequence[int]], targets: FloatArray, words: FloatArray, config: StaticConfig
) -> tuple[FloatArray, FloatArray]:
    """Return the vectors (V, W) and weights (V,) of all word pieces; equal arguments give equal ones on one machine.

    Args:
        token_ids: of each text, at least one.
        targets: (texts, W), what the Transformer says of each text.
        words: (V, W), the Transformer's own word-piece vectors.
        config: passes and seed.
    """
    wanted, own = torch.from_numpy(targets), torch.from_numpy(words)
    vectors = _linear_map(token_ids, wanted, own)
    weights = torch.ones(len(own))
    seen = torch.tensor(sorted({token for row in token_ids for token in row}))
    places = torch.zeros(len(own), dtype=torch.int64)
    places[seen] = torch.arange(len(seen))
    pieces = _Pieces(vectors[seen])
    _move(pieces, [places[torch.tensor(row)] for row in token_ids], wanted, config)
    vectors[seen] = (pieces.start + pieces.way).detach()
    weights[seen] = pieces.log_weights.exp().detach()
    return vectors.numpy(), weights.numpy()


def weighted_means(vectors: Tensor, weights: Tensor, lengths: Tensor) -> Tensor:
    """Return (B, W): of each text the mean of its token vectors, by their weights.

    Args:
        vectors: (E, W) of the tokens, text after text.
        weights: (E,) positive.
        lengths: (B,) int64 tokens of each text, at least one.

    >>> tokens = torch.tensor([[1.0], [4.0], [7.0]])
    >>> weighted_means(tokens, torch.tensor([2.0, 1.0, 5.0]), torch.tensor([2, 1])).tolist()  # (2 * 1 + 4) / 3, 7
    [[2.0], [7.0]]
    """
    texts = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    sums = vectors.new_zeros(len(lengths), vectors.shape[1]).index_add(0, texts, vectors * weights[:, None])
    totals = weights.new_zeros(len(lengths)).index_add(0, texts, weights)
    return sums / totals[:, None]


def _linear_map(token_ids: Sequence[Sequence[int]], wanted: Tensor, words: Tensor) -> Tensor:
    """(V, W): `words` under the affine map by which their plain means come nearest to `wanted` (ridge regression)."""
    rows, lengths = torch.tensor([t for row in token_ids for t in row]), torch.tensor([len(row) for row in token_ids])
    means = weighted_means(words[rows], torch.ones(len(rows)), lengths)
    inputs = torch.cat([means, torch.ones(len(means), 1)], dim=1)
    gram = inputs.T @ inputs + _RIDGE * torch.eye(inputs.shape[1])
    found = torch.linalg.solve(gram, inputs.T @ wanted)
    mapped: Tensor = words @ found[:-1] + found[-1]
    return mapped


def _move(pieces: _Pieces, texts: Sequence[Tensor], wanted: Tensor, config: StaticConfig) -> None:
    generator = Generator().manual_seed(config.seed)
    optimiser = torch.optim.Adam(pieces.parameters(), lr=_LEARNING_RATE)
    steps = max(1, config.epochs * -(-len(texts) // _BATCH_SIZE))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    variance = (wanted - wanted.mean(dim=0)).square().sum(dim=1).mean().clamp(min=1e-9)
    with progress_bar("teach word pieces", config.epochs) as bar:
        for _ in range(config.epochs):
            for rows in torch.split(torch.randperm(len(texts), generator=generator), _BATCH_SIZE):
                loss = _loss(pieces, [texts[row] for row in rows.tolist()], wanted[rows], generator) / variance
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch's
                optimiser.step()
                schedule.step()
            bar.advance()


def _loss(pieces: _Pieces, texts: Sequence[Tensor], wanted: Tensor, generator: Generator) -> Tensor:
    """Mean squared distance from `wanted` (B, W), some tokens left out, and the squared way from the linear map."""
    rows, lengths = torch.cat(list(texts)), torch.from_numpy(np.array([len(text) for text in texts]))
    kept = torch.rand(len(rows), generator=generator) >= _DROPOUT
    # Never 0: a text of which every token was left out would have no mean.
    weights = pieces.log_weights[rows].exp() * kept.float().clamp(min=1e-6)
    found = weighted_means((pieces.start + pieces.way)[rows], weights, lengths)
    stay: Tensor = _STAY * pieces.way.square().sum(dim=1).mean()
    return (found - wanted).square().sum(dim=1).mean() + stay
