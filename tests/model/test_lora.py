from __future__ import annotations

import torch
from torch import nn

from trifocal.model.lora import LoraLinear, adapt


def test_by_hand() -> None:
    linear = nn.Linear(2, 1)
    adapted = LoraLinear(linear, 1)
    with torch.no_grad():
        adapted.weight.copy_(torch.tensor([[1.0, 2.0]]))
        adapted.bias.copy_(torch.tensor([0.5]))
        adapted.down.copy_(torch.tensor([[3.0, -1.0]]))
        adapted.up.copy_(torch.tensor([[10.0]]))
    # 1 * 1 + 2 * 2 + 0.5 = 5.5; down 3 - 2 = 1; up 10.
    assert adapted(torch.tensor([1.0, 2.0])).tolist() == [15.5]


def test_nothing_is_changed_at_the_start_and_only_the_low_rank_maps_learn() -> None:
    torch.manual_seed(0)
    network = nn.ModuleDict({"query": nn.Linear(6, 4), "other": nn.Linear(6, 4)})
    features = torch.randn(5, 6)
    before = network["query"](features)
    adapt(network, ("query",), 2)
    torch.testing.assert_close(network["query"](features), before)
    # The map down learns as soon as the map up is no longer zero.
    assert [name for name, p in network.named_parameters() if p.requires_grad] == ["query.down", "query.up"]
    network["query"](features).square().sum().backward()
    learned = {name for name, p in network.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert learned == {"query.up"}


def test_the_change_has_the_rank_that_was_asked_for() -> None:
    torch.manual_seed(0)
    adapted = LoraLinear(nn.Linear(6, 5), 2)
    nn.init.normal_(adapted.up)
    change = adapted(torch.eye(6)) - adapted.bias - adapted.weight.T
    assert int(torch.linalg.matrix_rank(change)) == 2
