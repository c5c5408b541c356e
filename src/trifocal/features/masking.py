"""Which tokens masked language modelling hides: Devlin et al., BERT (arXiv 1810.04805), section 3.1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

__all__ = ["mask_tokens"]

# Of the tokens that are to be guessed, 80 % become the mask, 10 % another token, 10 % stay (appendix A.1).
_MASKED, _SWAPPED = 0.8, 0.1


def mask_tokens(
    token_ids: Tensor,
    *,
    special_ids: Sequence[int],
    mask_id: int,
    vocabulary: int,
    generator: Generator,
    share: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Return (B, T) ids with some tokens hidden, and (B, T) bool, True = to be guessed.

    Args:
        token_ids: (B, T) int64.
        special_ids: tokens that are never hidden and never put in another's place: padding, start, end, mask.
        mask_id: the token that hides another.
        vocabulary: number of tokens.
        generator: of the draw, on the device of `token_ids`.
        share: of the tokens, how many are to be guessed, 0..1; 15 % in section 3.1.

    With a share of 1 every token is to be guessed, and padding (1) is not:

    >>> hidden, chosen = mask_tokens(
    ...     torch.tensor([[7, 8, 1]]), special_ids=[0, 1], mask_id=0, vocabulary=9, generator=Generator(), share=1.0
    ... )
    >>> chosen.tolist(), hidden[0, 2].item()
    ([[True, True, False]], 1)
    """
    special = torch.tensor(special_ids, device=token_ids.device)
    drawn, fate = (torch.rand(token_ids.shape, generator=generator, device=token_ids.device) for _ in range(2))
    others = torch.randint(vocabulary, token_ids.shape, generator=generator, device=token_ids.device)
    others = torch.where(torch.isin(others, special), token_ids, others)
    chosen = ~torch.isin(token_ids, special) & (drawn < share)
    hidden = torch.where(chosen & (fate < _MASKED), mask_id, token_ids)
    swapped = chosen & (fate >= _MASKED) & (fate < _MASKED + _SWAPPED)
    return torch.where(swapped, others, hidden), chosen
