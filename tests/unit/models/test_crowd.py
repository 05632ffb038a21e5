"""Crowds do all of the work, however many of them are wanted meanwhile."""

import asyncio
from collections.abc import Callable

import pytest

from convsim.models.crowd import AUTO, Crowd


class Workers:
    """Say how many are wanted."""

    def __init__(self, wanted: int):
        self.wanted = wanted
        self.on_change: Callable[[], None] = lambda: None

    def listen(self, on_change: Callable[[], None]) -> None:
        self.on_change = on_change


@pytest.mark.parametrize("then_wanted", [1, 4, 9])
async def test_where_many_end_in_one_moment_and_fewer_are_wanted_some_go_on(then_wanted):
    workers, done, at_once, most_later = Workers(10), [], asyncio.Event(), 0
    under_way = 0
    left = iter(range(40))

    async def one_more() -> bool:
        nonlocal under_way, most_later
        if (number := next(left, None)) is None:
            return False
        under_way += 1
        if number >= 10:
            most_later = max(most_later, under_way)
        await at_once.wait()
        await asyncio.sleep(0)
        under_way -= 1
        done.append(number)
        return True

    crowd = Crowd(one_more, AUTO, most=100, elsewhere=workers)
    running = asyncio.ensure_future(crowd.run())
    await asyncio.sleep(0.01)
    workers.wanted = then_wanted
    at_once.set()
    assert await asyncio.wait_for(running, 10) == []
    assert sorted(done) == list(range(40))
    assert most_later <= 10


async def test_one_that_fails_ends_the_others_where_that_is_wanted():
    def fail() -> bool:
        raise ValueError("no")

    async def one_more() -> bool:
        await asyncio.sleep(0)
        return fail()

    assert [type(each) for each in await Crowd(one_more, 3, most=3).run(ends_together=True)] == [
        ValueError
    ] * 3
