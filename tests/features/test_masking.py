from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.features.masking import mask_tokens

SPECIAL, MASK, VOCABULARY = [0, 1, 2], 2, 50


def masked(token_ids: torch.Tensor, *, seed: int = 0, share: float = 0.15) -> tuple[torch.Tensor, torch.Tensor]:
    return mask_tokens(
        token_ids,
        special_ids=SPECIAL,
        mask_id=MASK,
        vocabulary=VOCABULARY,
        generator=torch.Generator().manual_seed(seed),
        share=share,
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), share=st.floats(0, 1))
def test_special_tokens_are_never_hidden_and_the_others_only_where_chosen(seed: int, share: float) -> None:
    token_ids = torch.randint(VOCABULARY, (4, 30), generator=torch.Generator().manual_seed(seed))
    hidden, chosen = masked(token_ids, seed=seed, share=share)
    assert not (chosen & (token_ids < len(SPECIAL))).any()
    assert torch.equal(hidden[~chosen], token_ids[~chosen])
    # What stands in a hidden token's place is the mask or a word, never padding or a frame.
    assert (hidden[chosen] >= MASK).all()


def test_the_shares_are_those_of_bert() -> None:
    token_ids = torch.full((1000, 100), 10)
    hidden, chosen = masked(token_ids)
    count = int(chosen.sum())
    # 100,000 draws: three deviations of 15 % are 0.34 %; of 80 % and 10 % of 15,000 they are 1 % and 0.7 %.
    assert abs(count / token_ids.numel() - 0.15) < 0.0034
    assert abs(int((hidden == MASK).sum()) / count - 0.8) < 0.01
    # Of the tenth that is swapped, 1 in 50 draws the token itself, 3 in 50 a special one and stay: 9.2 % change.
    swapped = chosen & (hidden != MASK) & (hidden != token_ids)
    assert abs(int(swapped.sum()) / count - 0.092) < 0.007


def test_one_seed_one_draw() -> None:
    token_ids = torch.randint(3, VOCABULARY, (8, 20), generator=torch.Generator().manual_seed(1))
    assert torch.equal(masked(token_ids, seed=5)[0], masked(token_ids, seed=5)[0])
    assert not torch.equal(masked(token_ids, seed=5)[0], masked(token_ids, seed=6)[0])
