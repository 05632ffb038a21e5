"""Requests that wait together run together."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from convsim.models.generation import Batcher, Ticket

Work = Batcher[int, int]


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Doubling:
    """Doubles numbers, slowly, and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, batch: Sequence[Ticket[int, int]]) -> list[int]:
        self.batches.append([ticket.job for ticket in batch])
        assert self.may_go_on.wait(5)
        if any(ticket.job < 0 for ticket in batch):
            raise ValueError("negative")
        return [2 * ticket.job for ticket in batch]


async def test_requests_that_wait_together_run_together_in_order(worker: ThreadPoolExecutor) -> None:
    run = Doubling()
    batcher = Work(run, max_batch=4, worker=worker)
    assert await asyncio.gather(*map(batcher.submit, range(10))) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert run.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_an_error_reaches_every_request_of_its_batch_and_no_other(worker: ThreadPoolExecutor) -> None:
    batcher = Work(Doubling(), max_batch=2, worker=worker)
    said = await asyncio.gather(*map(batcher.submit, [1, -1, 3, 4]), return_exceptions=True)
    assert [type(one) for one in said] == [ValueError, ValueError, int, int]


async def test_a_request_cancelled_while_it_waits_is_not_run(worker: ThreadPoolExecutor) -> None:
    run = Doubling()
    run.may_go_on.clear()
    batcher = Work(run, max_batch=4, worker=worker)
    first = asyncio.create_task(batcher.submit(1))
    while not run.batches:
        await asyncio.sleep(0.005)
    second, third = asyncio.create_task(batcher.submit(2)), asyncio.create_task(batcher.submit(3))
    await asyncio.sleep(0)
    second.cancel()
    run.may_go_on.set()
    assert [await first, await third] == [2, 6]
    assert run.batches == [[1], [3]]


async def test_a_request_cancelled_while_it_runs_is_marked_and_harms_no_other(
    worker: ThreadPoolExecutor,
) -> None:
    abandoned: list[bool] = []

    def run(batch: Sequence[Ticket[int, int]]) -> list[int]:
        time.sleep(0.15)
        abandoned.extend(ticket.is_abandoned for ticket in batch)
        return [ticket.job for ticket in batch]

    batcher = Work(run, max_batch=4, worker=worker)
    first, second = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0.08)
    first.cancel()
    assert await second == 2
    assert abandoned == [True, False]


def test_loops_in_several_threads_may_share_a_batcher(worker: ThreadPoolExecutor) -> None:
    batcher = Work(Doubling(), max_batch=3, worker=worker)

    async def many(start: int) -> list[int]:
        return await asyncio.gather(*map(batcher.submit, range(start, start + 50)))

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda start: asyncio.run(many(start)), [0, 100, 200, 300]))
    assert said == [[2 * number for number in range(start, start + 50)] for start in (0, 100, 200, 300)]
