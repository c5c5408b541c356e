from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.model.test_two_stage import TEXT, asked, recommender

from trifocal.features.sequences import user_arrays, user_batch
from trifocal.model.online_tower import OnlineTower
from trifocal.model.two_stage import TwoStageRecommender
from trifocal.types import Request


@pytest.mark.parametrize("seed", range(3))
def test_the_exported_form_gives_the_user_vectors_of_the_tower(seed: int) -> None:
    model = recommender(seed)
    requests = [asked(1, 4, 7), asked(0), asked(), asked(2, 3, query=True), asked(1, 2, 3, 4, 5)]
    expected, found = both_vectors(model, requests)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def both_vectors(model: TwoStageRecommender, requests: list[Request]) -> tuple[torch.Tensor, torch.Tensor]:
    tower, table = model.model.user_tower, torch.from_numpy(model.item_vectors)
    users = user_batch(requests, 8, TEXT)
    rows, mask = users.item_rows, users.mask
    queries = users.query_rows.amax(dim=1)
    codes = tower.price_codes
    prices = codes[rows] if len(codes) else torch.zeros_like(rows)
    with torch.inference_mode():
        expected = tower.last(users, table)
        found = OnlineTower(tower)(
            table[rows] * mask[..., None],
            mask.float(),
            users.event_codes,
            users.context,
            prices,
            users.query_vectors[queries],
            (queries > 0).float(),
        )
    return expected, found


def test_padding_changes_nothing() -> None:
    assert user_arrays([asked(1, 4)], 8, TEXT, least_length=5).item_rows.shape == (1, 5)
    assert user_arrays([asked(1, 4)], 8, TEXT).item_rows.shape == (1, 2)
    assert np.array_equal(user_arrays([asked()], 8, TEXT, least_length=1).mask, [[False]])
