"""The circle of `test_training`, with lists that were shown and ratings: who goes round clicks on what comes next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.train.test_training import CYCLE, HOUR, START, circle_data

from trifocal.train.data import TrainingData
from trifocal.train.judgements import Judgements


def judged_circle(folder: Path) -> TrainingData:
    """Return the circle; before its third event each user saw three items and took the next one of the circle."""
    data = circle_data(folder)
    users = tuple(data.histories)
    count = len(users)
    first = np.array([int(data.histories[user].item_rows[0]) for user in users])
    shown = np.stack([(first + 2) % CYCLE, (first + 4) % CYCLE, (first + 5) % CYCLE], axis=1)
    lists = Judgements(
        user_ids=users,
        before=np.full(count, 2),
        newest_codes=np.ones(count, np.int64),
        timestamps_s=np.full(count, START + 2 * HOUR),
        device_codes=np.ones(count, np.int64),
        country_codes=np.ones(count, np.int64),
        queries=(None,) * count,
        starts=np.arange(0, 3 * count + 1, 3),
        item_rows=shown.reshape(-1),
        values=np.tile(np.array([1, 0, 0], np.float32), count),
    )
    # Item n of the circle is rated n / 2 by everybody.
    rated = replace(
        lists,
        starts=np.arange(count + 1),
        item_rows=shown[:, 0],
        values=(shown[:, 0] / 2).astype(np.float32),
    )
    return replace(data, shown=lists, rated=rated)
