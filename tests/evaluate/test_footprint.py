from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from trifocal.baselines.item_item import ItemItemRecommender
from trifocal.baselines.late_fusion import LateFusionRecommender
from trifocal.baselines.popularity import PopularityRecommender
from trifocal.evaluate.footprint import footprint


def test_arrays_of_parts_are_counted_and_what_is_shared_once() -> None:
    scores = np.zeros(250_000, np.float32)
    one, other = PopularityRecommender(scores, "one"), PopularityRecommender(scores, "other")
    assert footprint(one) == (250_000, 1.0)
    assert footprint(LateFusionRecommender((one, other), (1.0, 1.0), 250_000)) == (250_000, 1.0)


def test_sparse_links_count_values_and_places() -> None:
    links = csr_matrix(np.eye(3, dtype=np.float32))
    # 3 values, 3 columns, 4 row starts, and 3 numbers of popularity.
    assert footprint(ItemItemRecommender(links, np.zeros(3, np.float32), "eye"))[0] == 13
