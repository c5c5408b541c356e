from __future__ import annotations

import asyncio
import threading

import pytest

from trifocal.serve.explaining.pool import BoundedPool
from trifocal.serve.statuses import OverloadedError, UnavailableError


def test_so_many_run_side_by_side() -> None:
    pool, both = BoundedPool(2, 2), threading.Barrier(2)

    def work(number: int) -> int:
        both.wait(5)
        return number

    async def asked() -> list[int]:
        return list(await asyncio.gather(pool.run(lambda: work(1), 5), pool.run(lambda: work(2), 5)))

    assert asyncio.run(asked()) == [1, 2]
    pool.close()
    assert pool.busy == 0


def test_late_is_given_up_and_full_is_refused_until_it_has_ended() -> None:
    pool, gate = BoundedPool(1, 1), threading.Event()

    async def asked() -> None:
        with pytest.raises(UnavailableError, match=r"longer than 10 ms.*serve\.explain_ms"):
            await pool.run(lambda: gate.wait(5), 0.01)
        assert pool.busy == 1, "it still runs"
        with pytest.raises(OverloadedError, match="1 explained answers run or wait, the limit is 1"):
            await pool.run(lambda: True, 1)
        gate.set()

    asyncio.run(asked())
    pool.close()
    assert pool.busy == 0
