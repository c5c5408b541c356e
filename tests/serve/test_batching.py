from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from trifocal.errors import NotFoundError, TrifocalError
from trifocal.serve.admission import Admission
from trifocal.serve.batching import Batches
from trifocal.serve.statuses import OverloadedError, UnavailableError


class Doubler:
    """Doubles numbers; remembers the batches; waits where it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, numbers: Sequence[int]) -> list[int | TrifocalError]:
        self.batches.append(list(numbers))
        if not self.gate.wait(5):
            raise RuntimeError("the gate stayed shut")
        return [2 * number if number >= 0 else NotFoundError(f"{number} is unknown") for number in numbers]


def ask(batches: Batches[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    async def together() -> list[int | BaseException]:
        return await asyncio.gather(*(batches.run(number) for number in numbers), return_exceptions=True)

    return asyncio.run(together())


def test_each_question_gets_its_own_answer() -> None:
    doubler = Doubler()
    batches = Batches[int, int](doubler, size=4, wait_us=2000)
    found = ask(batches, [1, 2, -3, 4, 5, 6, 7])
    assert [value for value in found if isinstance(value, int)] == [2, 4, 8, 10, 12, 14]
    assert isinstance(found[2], NotFoundError)
    assert sorted(number for batch in doubler.batches for number in batch) == [-3, 1, 2, 4, 5, 6, 7]
    assert max(map(len, doubler.batches)) <= 4
    assert batches.busy == 0
    batches.close()


def test_what_comes_while_a_batch_runs_is_the_next_batch() -> None:
    doubler = Doubler()
    batches = Batches[int, int](doubler, size=16, wait_us=0)
    doubler.gate.clear()

    async def run() -> None:
        first = asyncio.create_task(batches.run(1))
        while not doubler.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(batches.run(number)) for number in (2, 3, 4)]
        await asyncio.sleep(0.01)
        doubler.gate.set()
        assert await asyncio.gather(first, *others) == [2, 4, 6, 8]

    asyncio.run(run())
    assert doubler.batches == [[1], [2, 3, 4]]
    batches.close()


def test_an_idle_service_does_not_wait_for_more() -> None:
    batches = Batches[int, int](Doubler(), wait_us=500_000)
    ask(batches, [1])
    started = time.perf_counter()
    assert ask(batches, [2]) == [4]
    assert time.perf_counter() - started < 0.2
    batches.close()


def test_a_full_queue_refuses_at_once() -> None:
    doubler = Doubler()
    batches = Batches[int, int](doubler, size=1, admission=Admission(queue=2))
    doubler.gate.clear()

    async def run() -> None:
        kept = [asyncio.create_task(batches.run(number)) for number in (1, 2)]
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError, match="2 questions run or wait, the limit is 2"):
            await batches.run(3)
        doubler.gate.set()
        assert await asyncio.gather(*kept) == [2, 4]

    asyncio.run(run())
    batches.close()


def test_a_batch_that_breaks_is_told_and_the_next_one_answered(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(numbers: Sequence[int]) -> list[int | TrifocalError]:
        if 0 in numbers:
            raise ZeroDivisionError("secret")
        return list(numbers)

    batches = Batches[int, int](breaks)
    (found,) = ask(batches, [0])
    assert isinstance(found, UnavailableError)
    assert "secret" not in str(found)
    assert "ZeroDivisionError" in caplog.text
    assert ask(batches, [7]) == [7]
    batches.close()


def test_a_batch_that_hangs_is_given_up_and_another_thread_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    released = threading.Event()

    def hangs(numbers: Sequence[int]) -> list[int | TrifocalError]:
        if 0 in numbers:
            released.wait(5)
        return list(numbers)

    batches = Batches[int, int](hangs, size=4, limit_s=0.1)
    started = time.perf_counter()
    found = ask(batches, [0, 1])
    assert all(isinstance(value, UnavailableError) for value in found)
    assert time.perf_counter() - started < 1
    assert ask(batches, [5, 6]) == [5, 6]
    assert batches.hung == 1
    assert "a batch hangs" in caplog.text
    released.set()
    time.sleep(0.05)
    # The one that hung comes back, finds the queue taken over, and ends.
    assert ask(batches, [8]) == [8]
    batches.close()


def test_who_gave_up_is_not_answered_twice() -> None:
    doubler = Doubler()
    batches = Batches[int, int](doubler)

    async def run() -> None:
        doubler.gate.clear()
        task = asyncio.create_task(batches.run(1))
        await asyncio.sleep(0.01)
        task.cancel()
        doubler.gate.set()
        assert await batches.run(2) == 4

    asyncio.run(run())
    assert batches.busy == 0
    batches.close()


class Clock:
    """Stands still but for what a batch takes."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_who_would_wait_too_long_is_refused_at_once() -> None:
    clock, doubler, seen = Clock(), Doubler(), list[tuple[int, float]]()

    def slow(numbers: Sequence[int]) -> list[int | TrifocalError]:
        clock.now_s += 0.25 * len(numbers)
        return doubler(numbers)

    batches = Batches[int, int](
        slow,
        size=1,
        admission=Admission(wait_s=0.1),
        limit_s=5,
        observe=lambda size, s: seen.append((size, s)),
        clock=clock,
    )

    async def run() -> None:
        for _ in range(4):
            assert await batches.run(1) == 2
        # The median of the last nine batches, of which four are known.
        assert (seen[-1], batches.expected_wait_s) == ((1, 0.25), 0)
        assert await batches.run(1) == 2
        doubler.gate.clear()
        kept = asyncio.create_task(batches.run(2))
        await asyncio.sleep(0.01)
        assert batches.expected_wait_s == pytest.approx(0.25)
        with pytest.raises(
            OverloadedError, match="would wait for 250 ms, the limit is 100 ms; try again soon"
        ) as caught:
            await batches.run(5)
        assert caught.value.reason == "wait"
        assert caught.value.retry_after_s == pytest.approx(0.25)
        doubler.gate.set()
        assert await kept == 4

    asyncio.run(run())
    # Nobody waits now: whoever comes is answered, however long it took the others.
    assert ask(batches, [6]) == [12]
    batches.close()


def test_what_comes_back_after_it_was_given_up_does_not_count() -> None:
    released = threading.Event()

    def hangs(numbers: Sequence[int]) -> list[int | TrifocalError]:
        if 0 in numbers:
            released.wait(5)
        return list(numbers)

    seen: list[int] = []
    batches = Batches[int, int](hangs, limit_s=0.1, observe=lambda size, _: seen.append(size))
    ask(batches, [0])
    released.set()
    time.sleep(0.05)
    assert (seen, batches.expected_wait_s) == ([], 0)
    batches.close()


def test_who_waits_when_too_much_comes_is_refused_then_and_not_answered_late() -> None:
    doubler = Doubler()
    admission = Admission(queue=6, overloaded_wait_s=0.02)
    batches = Batches[int, int](doubler, size=1, admission=admission, clock=(ticks := iter(range(1000))).__next__)
    ask(batches, [1, 2, 3, 4, 5])
    assert next(ticks) == 10, "each batch took a second of this clock"
    doubler.gate.clear()

    async def run() -> None:
        kept = [asyncio.create_task(batches.run(number)) for number in range(6)]
        await asyncio.sleep(0.02)
        with pytest.raises(OverloadedError, match="6 questions run or wait"):
            await batches.run(7)
        doubler.gate.set()
        answers = await asyncio.gather(*kept, return_exceptions=True)
        # One runs, one may wait; the four behind are told at once.
        assert answers[:2] == [0, 2]
        assert all(isinstance(answer, OverloadedError) for answer in answers[2:])

    asyncio.run(run())
    batches.close()


def test_under_four_times_the_load_whoever_is_accepted_waits_little() -> None:
    def takes_ten_ms(numbers: Sequence[int]) -> list[int | TrifocalError]:
        time.sleep(0.01 * len(numbers))
        return list(numbers)

    batches = Batches[int, int](
        takes_ten_ms, size=4, admission=Admission(queue=1000, wait_s=0.1, overloaded_wait_s=0.02), limit_s=5
    )
    seconds: list[float] = []
    refused: list[int] = []

    async def one(number: int) -> None:
        started = time.perf_counter()
        try:
            await batches.run(number)
            seconds.append(time.perf_counter() - started)
        except OverloadedError:
            refused.append(number)

    async def run() -> None:
        tasks = []
        for number in range(9):
            await batches.run(number)
        # A hundred a second can be answered; four hundred ask.
        for number in range(400):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(0.0025)
        await asyncio.gather(*tasks)

    asyncio.run(run())
    batches.close()
    assert len(refused) > 200
    # Unloaded: 10 ms. The slack is for machines that do other things as well.
    # The first come while the queue is still filled as in calm times.
    later = sorted(seconds[20:])
    assert later[int(0.99 * len(later))] < 3 * 0.01 + 0.1
