from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel

from trifocal.features.text_backbone import upper_states
from trifocal.model.text_layers import TextLayers


def layers(count: int, rank: int = 0, dropout: float = 0.0) -> TextLayers:
    return TextLayers(layers=count, width=16, heads=2, feed_forward=24, epsilon=1e-12, dropout=dropout, rank=rank)


def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24)
    network = BertModel(config)
    network.train(False)
    return network


@pytest.mark.parametrize("rank", [0, 3])
@pytest.mark.parametrize("count", [1, 3])
def test_the_layers_do_what_those_of_transformers_do(count: int, rank: int) -> None:
    network, own = bert(), layers(count, rank)
    own.load(upper_states(network, count))
    ids = torch.randint(20, (4, 6))
    mask = torch.arange(6) < torch.tensor([[6], [3], [1], [5]])
    with torch.inference_mode():
        states = network(ids, attention_mask=mask.long(), output_hidden_states=True).hidden_states
        found = own(states[3 - count], mask)
    torch.testing.assert_close(found[mask], states[3][mask], atol=1e-5, rtol=1e-5)


def test_a_row_without_tokens_gives_numbers_and_no_gradient_that_is_none() -> None:
    own = layers(2)
    hidden = torch.randn(2, 3, 16, requires_grad=True)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    found = own(hidden, mask)
    found[0, :2].sum().backward()
    assert torch.isfinite(found).all()
    assert hidden.grad is not None
    assert torch.isfinite(hidden.grad).all()
    assert mask.tolist() == [[True, True, False], [False, False, False]]


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    own, hidden = layers(2), torch.randn(1, 5, 16)
    mask = torch.tensor([[True, True, True, False, False]])
    torch.testing.assert_close(own(hidden, mask)[:, :3], own(hidden[:, :3], mask[:, :3]))


def test_low_rank_adaptation_trains_the_maps_beside_queries_and_values_alone() -> None:
    trained = {name.split(".", 2)[2] for name, p in layers(2, rank=3).named_parameters() if p.requires_grad}
    assert trained == {"query.down", "query.up", "value.down", "value.up"}


def test_dropout_only_while_training() -> None:
    own, hidden, mask = layers(1, dropout=0.5), torch.randn(1, 4, 16), torch.ones(1, 4, dtype=torch.bool)
    assert not torch.equal(own(hidden, mask), own(hidden, mask))
    own.eval()
    assert torch.equal(own(hidden, mask), own(hidden, mask))
