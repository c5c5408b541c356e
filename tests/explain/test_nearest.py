from __future__ import annotations

import numpy as np
import pytest
from tests.explain.small_explained import explained

from trifocal.explain.nearest import nearest_item, shared_category

CONTENT = explained()[1]
VECTORS = np.array([[1, 0], [0, 2], [3, 4], [-1, 0], [0, 1]], np.float32)


def test_the_most_alike_by_angle_and_the_newest_of_equals() -> None:
    found = nearest_item(2, np.array([0, 3, 1, 4]), VECTORS, CONTENT)
    assert found is not None
    assert found.item_row == 4
    assert found.similarity == pytest.approx(0.8)
    assert found.colours == ("red", "blue")
    assert found.words == ("blue", "shirt")  # "cotton" stands in the category
    assert found.category is None


def test_the_item_itself_and_no_history_are_no_reason() -> None:
    assert nearest_item(2, np.array([2]), VECTORS, CONTENT) is None
    assert nearest_item(2, np.zeros(0, np.int64), VECTORS, CONTENT) is None


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("A > B", "A > C", "A"),
        ("A > B", "A > B", "B"),
        ("A > B", "A > B > C", "B"),
        ("A > B", "D > B", None),
        (None, "A", None),
        (None, None, None),
    ],
)
def test_the_narrowest_shared_category(one: str | None, other: str | None, shared: str | None) -> None:
    assert shared_category(one, other) == shared
