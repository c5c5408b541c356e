from __future__ import annotations

import torch

from trifocal.model.ranker import Ranker


def ranker(columns: int = 3) -> Ranker:
    return Ranker(columns=columns, width=8, dropout=0.0).eval()


def test_an_untrained_ranker_finds_all_candidates_equal() -> None:
    assert ranker()(torch.randn(2, 4, 3)).tolist() == [[0.0] * 4] * 2


def test_the_evidence_is_standardised_and_cut_off() -> None:
    found = ranker(2)
    found.standardise(torch.tensor([[[1.0, 10.0], [3.0, 10.0]], [[1.0, 10.0], [3.0, 10.0]]]))
    # Column 0: mean 2, and all four values 1 away from it.
    assert found.mean.tolist() == [2.0, 10.0]
    assert found.deviation.tolist() == [1.0, float("inf")]
    found.linear.weight.data = torch.tensor([[1.0, 1.0]])
    # Column 1 never varies: whatever it says later counts as 0.
    scores = found(torch.tensor([[[3.0, 10.0], [2.0, 1e9], [1e9, 10.0], [-1e9, 0.0]]]))
    torch.testing.assert_close(scores, torch.tensor([[1.0, 0.0, 6.0, -6.0]]))


def test_a_single_row_has_no_variance() -> None:
    found = ranker(2)
    found.standardise(torch.tensor([[[1.0, 2.0]]]))
    found.linear.weight.data = torch.tensor([[1.0, 1.0]])
    assert found(torch.tensor([[[5.0, 5.0]]])).tolist() == [[0.0]]


def test_a_candidate_is_scored_by_itself_alone() -> None:
    torch.manual_seed(0)
    found = ranker()
    torch.nn.init.normal_(found.out.weight)
    evidence = torch.randn(1, 5, 3)
    torch.testing.assert_close(found(evidence)[:, 2:4], found(evidence[:, 2:4]))
