from __future__ import annotations

import asyncio
import threading

import pytest

from trifocal.serve.explaining.pool import BoundedPool
from trifocal.serve.statuses import OverloadedError, UnavailableError


def test_results_in_order_side_by_side() -> None:
    pool, both = BoundedPool(2, 2), threading.Barrier(2)

    def work(number: int) -> int:
        both.wait(5)
        return number

    assert asyncio.run(pool.run([lambda: work(1), lambda: work(2)], 5)) == [1, 2]
    pool.close()
    assert pool.busy == 0


def test_late_is_given_up_and_full_is_refused_until_it_has_ended() -> None:
    pool, gate = BoundedPool(1, 2), threading.Event()

    async def asked() -> None:
        with pytest.raises(UnavailableError, match=r"longer than 10 ms.*serve\.explain_ms"):
            await pool.run([lambda: gate.wait(5)], 0.01)
        assert pool.busy == 1, "it still runs"
        with pytest.raises(OverloadedError, match="1 explanations run or wait, the limit is 2"):
            await pool.run([lambda: True, lambda: True], 1)
        gate.set()
        assert await pool.run([lambda: True], 5) == [True]

    asyncio.run(asked())
    pool.close()
    assert pool.busy == 0
