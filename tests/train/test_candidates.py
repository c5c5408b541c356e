from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trifocal.model.losses import sampled_softmax_loss
from trifocal.train.candidates import accidental_hits, softmax_candidates


def test_items_never_taken_are_no_negatives() -> None:
    rows, log_q = softmax_candidates(torch.tensor([4]), torch.tensor([3.0, 0.0, 1.0, 0.0, 0.0]), 10)
    assert rows.tolist() == [0, 2, 4]
    assert log_q is None


def test_a_large_catalogue_is_sampled_and_corrected() -> None:
    torch.manual_seed(1)
    counts = torch.ones(1000)
    counts[7] = 500
    rows, log_q = softmax_candidates(torch.tensor([3, 999]), counts, 50)
    assert log_q is not None
    assert {3, 7, 999} <= set(rows.tolist())
    assert len(rows) == 52
    # Item 7 is drawn almost surely: q near 1; the others share the 49 places that are left.
    assert log_q[rows == 7].exp().item() > 0.98
    others = log_q[(rows != 7) & log_q.isfinite()].exp()
    assert len(others) == 49
    assert 0.048 < others.min().item() == others.max().item() < 0.050
    # The two targets were not drawn: they stand for themselves alone.
    assert log_q[(rows == 3) | (rows == 999)].tolist() == [torch.inf, torch.inf]


def test_other_targets_of_the_same_user_are_accidental_hits() -> None:
    targets = torch.tensor([[2, 5, -1], [5, -1, -1]])
    users = torch.tensor([0, 0, 1])
    hits = accidental_hits(targets, users, torch.tensor([2, 3, 5]))
    assert hits.tolist() == [[True, False, True], [True, False, True], [False, False, True]]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-1, 11), min_size=4, max_size=4), min_size=1, max_size=4),
    st.integers(2, 14),
    st.integers(0, 1000),
)
def test_the_corrected_loss_is_that_of_a_softmax_written_out(histories: list[list[int]], limit: int, seed: int) -> None:
    """One target at a time: its candidates but the user's other targets, each taken as often as it stands for."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.tensor(histories)
    users, places = torch.nonzero(targets >= 0, as_tuple=True)
    wanted = targets[users, places]
    if len(wanted) == 0:
        return
    counts = torch.randint(0, 5, (12,), generator=generator).float() + torch.bincount(wanted, minlength=12)
    every = torch.randn(len(wanted), 12, generator=generator, dtype=torch.float64)
    torch.manual_seed(seed)
    rows, log_q = softmax_candidates(wanted, counts, min(limit, int((counts > 0).sum())))
    hits = accidental_hits(targets, users, rows)
    columns = torch.searchsorted(rows, wanted)
    found = sampled_softmax_loss(every[:, rows], columns, torch.ones(len(wanted)).double(), log_q=log_q, hits=hits)
    q = np.ones(len(rows)) if log_q is None else log_q.exp().double().numpy()
    expected = []
    for line, (user, target) in enumerate(zip(users.tolist(), wanted.tolist(), strict=True)):
        others = set(histories[user]) - {target}
        terms = {
            item: math.exp(every[line, item]) / (1 if item == target else share)
            for item, share in zip(rows.tolist(), q, strict=True)
            if item not in others
        }
        expected.append(-math.log(terms[target] / sum(terms.values())))
    assert math.isclose(float(found), float(np.mean(expected)), rel_tol=1e-5, abs_tol=1e-6)


def test_drawing_and_correcting_estimates_the_sum_over_the_whole_catalogue() -> None:
    """The mean over many draws of sum_c exp(s_c) / q_c is the whole sum (Horvitz and Thompson, 1952)."""
    torch.manual_seed(3)
    counts = torch.tensor([900.0, 40.0, 40.0, 20.0] + 36 * [1.0])
    odds = torch.linspace(-1, 1, 40).exp()
    targets = torch.tensor([5, 6])
    sums = []
    for _ in range(600):
        rows, log_q = softmax_candidates(targets, counts, 20)
        assert log_q is not None
        sums.append(float((odds[rows] / log_q.exp()).sum()))
    # Within the spread of the mean, half a per cent of the sum.
    assert math.isclose(float(np.mean(sums)), float(odds.sum()), rel_tol=0.01)
