from __future__ import annotations

import numpy as np

from trifocal.model.memory import ItemMemory
from trifocal.serve.online.links import GrownLinks, memory_of


def test_a_memory_of_all_links_scores_as_they_do() -> None:
    # Item 0 is linked to 1 by 0.5, item 1 to 0 by 0.25; a third joins, as like to 0 as can be.
    memory = ItemMemory(np.array([0, 1, 2]), np.array([1, 0]), np.array([0.5, 0.25], np.float32))
    assert memory_of(memory, 2) is memory
    grown = GrownLinks.of(memory).with_item(2, np.array([1.0, 0.0, 0.0], np.float32))
    found = memory_of(grown, 3)
    # The new link is as strong as the strongest of item 0, both ways.
    assert found.scores([np.array([0]), np.array([2]), np.array([0, 1])]).tolist() == [
        [0.0, 0.5, 0.5],
        [0.5, 0.0, 0.0],
        [0.25, 0.5, 0.5],
    ]
    assert memory_of(memory, 4).scores([np.array([0, 3])]).tolist() == [[0.0, 0.5, 0.0, 0.0]]
