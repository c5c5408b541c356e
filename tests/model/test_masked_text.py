from __future__ import annotations

from pathlib import Path

import torch
from tests.model.small_text import small_text_model

from trifocal.model.losses import masked_token_loss
from trifocal.model.masked_text import MaskedText
from trifocal.model.text_layers import TextLayers


def test_the_head_guesses_by_the_word_embeddings_which_stay_as_they_are() -> None:
    masked = MaskedText(torch.eye(4), lower=lambda ids, _: torch.eye(4)[ids], mask_id=0, special_ids=(0,))
    with torch.no_grad():
        masked.dense.weight.copy_(torch.eye(4))
        masked.dense.bias.zero_()
    scores = masked.scores(torch.tensor([[0.0, 3.0, 0.0, 0.0]]))
    assert int(scores.argmax()) == 1
    masked_token_loss(scores, torch.tensor([2])).backward()  # type: ignore[no-untyped-call]  # torch's stub
    assert "words" not in masked.state_dict()
    assert not masked.words.requires_grad
    assert masked.bias.grad is not None


def test_hidden_words_are_learned_through_the_upper_layers(tmp_path: Path) -> None:
    model, features = small_text_model(tmp_path, masked=True)
    masked, layers = model.masked_text, model.item_tower.text_layers
    batch = features.batch([0, 2, 3, 4])
    assert masked is not None
    assert layers is not None
    assert batch.token_ids is not None
    ids, mask = batch.token_ids.repeat(50, 1), batch.text_mask.repeat(50, 1)
    torch.manual_seed(3)
    optimizer = torch.optim.Adam([*masked.parameters(), *layers.parameters()], 1e-2)
    losses = []
    for _ in range(40):
        loss = masked_token_loss(*masked(ids, mask, layers))
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
        optimizer.step()
    # Of "blue thing 4" and "red thing 3" a hidden word is told by the two that are left, but for the colour.
    assert sum(losses[-5:]) < 0.4 * sum(losses[:5])


def test_padding_is_never_guessed_whatever_stands_there() -> None:
    masked = MaskedText(torch.eye(6), lower=lambda ids, _: torch.eye(6)[ids], mask_id=0, special_ids=(0,))
    layers = TextLayers(layers=1, width=6, heads=2, feed_forward=4, epsilon=1e-5, dropout=0.0, rank=0)
    ids, mask = torch.tensor([[1, 2, 5, 5]] * 50), torch.tensor([[True, True, False, False]] * 50)
    torch.manual_seed(0)
    scores, tokens = masked(ids, mask, layers)
    assert 0 < len(tokens) < 40
    assert scores.shape == (len(tokens), 6)
    assert set(tokens.tolist()) <= {1, 2}
