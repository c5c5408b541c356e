"""Masked language modelling: which tokens are hidden, and the head that guesses them. No file, no config.

Source: Devlin et al., BERT (arXiv 1810.04805), section 3.1, task 1, and appendix A.1. Letters: see `batch.py`; P hidden
tokens, W text width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["MaskedTextHead", "mask_tokens"]

# Of the tokens that are to be guessed, 80 % become the mask, 10 % another token, 10 % stay (BERT, appendix A.1).
_MASKED, _SWAPPED = 0.8, 0.1


class MaskedTextHead(nn.Module):
    """Hidden states -> scores over the vocabulary, by the backbone's own word embeddings. Stability: internal.

    Dense, GELU, norm, then the inner product with every word embedding: tied, and frozen as the embeddings are.
    """

    def __init__(self, word_embeddings: Tensor) -> None:
        super().__init__()
        vocabulary, width = word_embeddings.shape
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.words: Tensor
        # Read from the backbone again at the next start, so it needs no place in a checkpoint.
        self.register_buffer("words", word_embeddings, persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the (P, V) scores of (P, W)."""
        scores: Tensor = functional.linear(self.norm(functional.gelu(self.dense(hidden))), self.words, self.bias)
        return scores


def mask_tokens(
    token_ids: Tensor, mask: Tensor, *, mask_id: int, special_ids: Sequence[int], vocabulary: int, share: float
) -> tuple[Tensor, Tensor]:
    """Return (M, T) ids with some tokens hidden, and (M, T) bool, True = to be guessed.

    Args:
        token_ids: (M, T) int64.
        mask: (M, T) bool, True = a token.
        mask_id: the token that hides another.
        special_ids: tokens that are never hidden and never put in another's place.
        vocabulary: V.
        share: of the words, how many are to be guessed, 0..1.
    """
    special = torch.tensor(special_ids, device=token_ids.device)
    words = mask & ~torch.isin(token_ids, special)
    chosen = words & (torch.rand(token_ids.shape, device=token_ids.device) < share)
    fate = torch.rand(token_ids.shape, device=token_ids.device)
    others = torch.randint(vocabulary, token_ids.shape, device=token_ids.device)
    others = torch.where(torch.isin(others, special), token_ids, others)
    hidden = torch.where(chosen & (fate < _MASKED), mask_id, token_ids)
    swapped = chosen & (fate >= _MASKED) & (fate < _MASKED + _SWAPPED)
    return torch.where(swapped, others, hidden), chosen
