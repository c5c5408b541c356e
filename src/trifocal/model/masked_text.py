"""Masked language modelling on item texts: words are hidden and guessed through the upper layers. nn.Module only.

Source: Devlin et al., BERT (arXiv 1810.04805), section 3.1, task 1. Letters: see `batch.py`; P hidden
tokens, W text width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from trifocal.features.masking import mask_tokens
from trifocal.model.text_layers import TextLayers

__all__ = ["MaskedText"]


class MaskedText(nn.Module):
    """Guesses hidden tokens: frozen lower layers, the upper layers that are trained, and a head. Stability: internal.

    The head is dense, GELU, norm, then the inner product with every word embedding of the backbone, which is frozen.

    Args:
        words: (V, W) word embeddings.
        lower: (M, T) token ids and mask -> (M, T, W) after the frozen layers, without gradient.
        mask_id: the token that hides another.
        special_ids: tokens that are no words.
    """

    def __init__(
        self,
        words: Tensor,
        *,
        lower: Callable[[Tensor, Tensor], Tensor],
        mask_id: int,
        special_ids: Sequence[int],
    ) -> None:
        super().__init__()
        vocabulary, width = words.shape
        self.lower, self.mask_id, self.special_ids = lower, mask_id, tuple(special_ids)
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.words: Tensor
        # Read from the backbone again at the next start, so it needs no place in a checkpoint.
        self.register_buffer("words", words, persistent=False)

    def forward(self, token_ids: Tensor, mask: Tensor, layers: TextLayers) -> tuple[Tensor, Tensor]:
        """Hide some words; return the (P, V) scores of what may have stood there, and the (P,) tokens that did.

        Args:
            token_ids: (M, T) int64.
            mask: (M, T) bool, True = a token.
            layers: the upper layers.
        """
        # From the seed of the training, on whatever device the tokens are.
        generator = Generator(token_ids.device).manual_seed(int(torch.randint(2**62, ())))
        hidden_ids, chosen = mask_tokens(
            token_ids,
            special_ids=self.special_ids,
            mask_id=self.mask_id,
            vocabulary=len(self.words),
            generator=generator,
        )
        chosen &= mask
        return self.scores(layers(self.lower(hidden_ids, mask), mask)[chosen]), token_ids[chosen]

    def scores(self, hidden: Tensor) -> Tensor:
        """Return the (P, V) scores of (P, W) last hidden states."""
        found: Tensor = functional.linear(self.norm(functional.gelu(self.dense(hidden))), self.words, self.bias)
        return found
