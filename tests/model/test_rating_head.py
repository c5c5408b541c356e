from __future__ import annotations

import torch

from trifocal.model.rating_head import RatingHead


def test_a_rating_is_mean_bias_and_an_affine_of_the_score() -> None:
    head = RatingHead(3)
    head.start(3.5)
    with torch.no_grad():
        head.bias.weight[2] = 0.5
        head.slope.fill_(0.25)
        head.intercept.fill_(-1.0)
    ratings = head(torch.tensor([[4.0, -2.0]]), torch.tensor([[2, 0]]))
    # 3.5 + .5 + .25 * 4 - 1, and, for an item without a bias, 3.5 - .25 * 2 - 1.
    torch.testing.assert_close(ratings, torch.tensor([[4.0, 2.0]]))
