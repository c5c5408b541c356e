from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.model.losses import masked_token_loss
from trifocal.model.masked_text import MaskedTextHead, mask_tokens

SPECIAL = (0, 1, 2)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.15, 1.0]))
def test_only_words_are_chosen_and_the_rest_stays(seed: int, share: float) -> None:
    torch.manual_seed(seed)
    ids = torch.randint(20, (6, 9))
    mask = torch.arange(9) < torch.randint(10, (6, 1))
    hidden, chosen = mask_tokens(ids, mask, mask_id=2, special_ids=SPECIAL, vocabulary=20, share=share)
    words = mask & (ids > 2)
    assert not (chosen & ~words).any()
    assert torch.equal(hidden[~chosen], ids[~chosen])
    assert not torch.isin(hidden[chosen], torch.tensor([0, 1])).any()
    if share == 1.0:
        assert torch.equal(chosen, words)
    if share == 0.0:
        assert not chosen.any()


def test_of_the_chosen_eight_in_ten_are_masked_and_one_in_ten_is_another_word() -> None:
    torch.manual_seed(0)
    ids = torch.full((100, 100), 7)
    hidden, chosen = mask_tokens(
        ids, torch.ones_like(ids, dtype=torch.bool), mask_id=2, special_ids=SPECIAL, vocabulary=10_000, share=0.15
    )
    share = float(chosen.float().mean())
    masked, kept = (float((hidden[chosen] == token).float().mean()) for token in (2, 7))
    # Five standard deviations of 10,000 and 1,500 draws.
    assert share == pytest.approx(0.15, abs=0.018)
    assert masked == pytest.approx(0.8, abs=0.052)
    assert kept == pytest.approx(0.1, abs=0.039)


def test_the_head_guesses_by_the_word_embeddings_which_stay_as_they_are() -> None:
    torch.manual_seed(0)
    head = MaskedTextHead(torch.eye(4))
    with torch.no_grad():
        head.dense.weight.copy_(torch.eye(4))
        head.dense.bias.zero_()
    scores = head(torch.tensor([[0.0, 3.0, 0.0, 0.0]]))
    assert int(scores.argmax()) == 1
    masked_token_loss(scores, torch.tensor([2])).backward()
    assert "words" not in head.state_dict()
    assert not head.words.requires_grad
    assert head.bias.grad is not None
