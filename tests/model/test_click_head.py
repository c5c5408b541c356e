from __future__ import annotations

import math

import torch

from trifocal.model.click_head import ClickHead


def test_it_starts_from_the_share_of_clicks_and_a_better_score_raises_it() -> None:
    head = ClickHead()
    head.start(clicked=99, shown=399)
    # (99 + 1) / (300 + 1), whatever the item's score is at 0; then by the slope.
    odds = head(torch.tensor([0.0, 10.0]))
    assert math.isclose(odds[0].item(), math.log(100 / 301), rel_tol=1e-5)
    assert math.isclose((odds[1] - odds[0]).item(), 1.0, rel_tol=1e-5)
