from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from trifocal.baselines.sasrec_network import SasrecNetwork, full_softmax_loss, sampled_softmax_loss


def small_network() -> SasrecNetwork:
    torch.manual_seed(0)
    return SasrecNetwork(9, embedding_size=8, layers=2, heads=2, history_length=5, dropout=0.5).eval()


def states_of(network: SasrecNetwork, rows: list[list[int]], lengths: list[int]) -> Tensor:
    with torch.inference_mode():
        found: Tensor = network(torch.tensor(rows), torch.tensor(lengths))
    return found


def test_a_state_sees_no_later_event_and_all_earlier_ones() -> None:
    network = small_network()
    first, later, earlier = states_of(network, [[1, 2, 3, 4], [1, 2, 3, 7], [6, 2, 3, 4]], [4, 4, 4])
    torch.testing.assert_close(first[:3], later[:3])
    assert not torch.allclose(first[3], later[3], atol=1e-3)
    assert not torch.isclose(first, earlier, atol=1e-5).all(dim=1).any()


def test_padding_changes_nothing() -> None:
    network = small_network()
    alone = states_of(network, [[1, 2]], [2])
    beside = states_of(network, [[1, 2, 0, 0], [3, 4, 5, 6]], [2, 4])
    otherwise = states_of(network, [[1, 2, 8, 7], [3, 4, 5, 6]], [2, 4])
    torch.testing.assert_close(alone[0], beside[0, :2])
    torch.testing.assert_close(alone[0], otherwise[0, :2])


def test_order_matters() -> None:
    network = small_network()
    found = states_of(network, [[1, 2, 3], [2, 1, 3]], [3, 3])
    assert not torch.allclose(found[0, 2], found[1, 2], atol=1e-5)


@pytest.mark.parametrize("positions", [5, 1024, 2500])
def test_the_softmax_loss_and_its_slopes_are_those_of_torch(positions: int) -> None:
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(positions, 4, generator=generator, requires_grad=True)
    table = torch.randn(7, 4, generator=generator, requires_grad=True)
    targets = torch.randint(7, (positions,), generator=generator)
    ours, theirs = full_softmax_loss(states, table, targets), functional.cross_entropy(states @ table.T, targets)
    torch.testing.assert_close(ours, theirs)
    wanted = torch.autograd.grad(3 * theirs, (states, table))
    torch.testing.assert_close(torch.autograd.grad(3 * ours, (states, table)), wanted)


def test_the_softmax_loss_in_bfloat16_is_near() -> None:
    generator = torch.Generator().manual_seed(2)
    states = torch.randn(50, 16, generator=generator).bfloat16()
    table = torch.randn(30, 16, generator=generator, requires_grad=True)
    targets = torch.randint(30, (50,), generator=generator)
    ours, theirs = (
        full_softmax_loss(states, table, targets),
        functional.cross_entropy(states.float() @ table.T, targets),
    )
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=0.02)
    (slope,), (wanted,) = torch.autograd.grad(ours, table), torch.autograd.grad(theirs, table)
    assert slope.dtype == torch.float32
    assert float((slope - wanted).norm() / wanted.norm()) < 0.02


def test_every_other_item_as_negative_gives_the_full_softmax() -> None:
    states, table = torch.randn(1, 3), torch.randn(4, 3)
    target = torch.tensor([2])
    # 3 of 3 other items are drawn, so that each counts once.
    sampled = sampled_softmax_loss(states, table, target, torch.tensor([0, 1, 3]))
    torch.testing.assert_close(sampled, full_softmax_loss(states, table, target))


def test_a_negative_that_is_the_target_is_left_out() -> None:
    states, table = torch.zeros(2, 1), torch.zeros(3, 1)
    # First position: items 0 and 1 drawn, 0 is its target: log(1 + 1 * 2/2); second: log(1 + 2 * 2/2).
    found = sampled_softmax_loss(states, table, torch.tensor([0, 2]), torch.tensor([0, 1]))
    assert float(found) == pytest.approx((math.log(2) + math.log(3)) / 2)
