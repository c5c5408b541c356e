from __future__ import annotations

import asyncio
import threading

import pytest

from trifocal.serve.statuses import OverloadedError
from trifocal.serve.workers import Workers


def test_work_runs_in_another_thread_and_its_error_comes_back() -> None:
    async def scenario() -> None:
        workers = Workers(1)
        assert await workers.run(threading.get_ident) != threading.get_ident()
        assert await workers.run(int, "12", base=8) == 10
        with pytest.raises(ValueError, match="invalid literal"):
            await workers.run(int, "x")
        assert workers.busy == 0
        workers.close()

    asyncio.run(scenario())


def test_a_full_queue_refuses_at_once() -> None:
    async def scenario() -> None:
        workers, go = Workers(1, queue=2), threading.Event()
        waiting = [asyncio.create_task(workers.run(go.wait, 10)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="2 requests run or wait, the limit is 2"):
            await workers.run(int)
        go.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await workers.run(int) == 0
        workers.close()

    asyncio.run(scenario())
