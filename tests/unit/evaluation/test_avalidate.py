"""The async twin of validate works in a thread, leaves the loop free, and stops between two validators."""

import asyncio
import threading
from typing import Any

import pytest

import convsim
from convsim_validators import Marginals
from tests.end_to_end.validating import CLOSE, NAIVE


class Waiting:
    """Waits until it is let go on, and notes in which thread it was asked."""

    def __init__(self, name="waiting"):
        self.name = name
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.thread = None

    def validate(self, real, simulated, *, seed):
        self.thread = threading.current_thread()
        self.asked.set()
        assert self.go_on.wait(20)
        return []


async def test_it_finds_what_validate_finds():
    asked: dict[str, Any] = {"seed": 3, "validators": Marginals(n_resamples=49), "metrics": ["turns"]}
    assert await convsim.avalidate(CLOSE, NAIVE, **asked) == await asyncio.to_thread(
        convsim.validate, CLOSE, NAIVE, **asked
    )


async def test_the_loop_goes_on_while_it_works():
    waiting = Waiting()
    task = asyncio.create_task(convsim.avalidate(CLOSE, NAIVE, seed=1, validators=waiting, metrics=["turns"]))
    while not waiting.asked.is_set():
        await asyncio.sleep(0.01)
    waiting.go_on.set()
    assert (await task).findings == ()
    assert waiting.thread is not threading.main_thread()


async def test_once_cancelled_it_returns_at_once_and_asks_no_other_validator():
    first, second = Waiting("first"), Waiting("second")
    second.go_on.set()
    task = asyncio.create_task(
        convsim.avalidate(CLOSE, NAIVE, seed=1, validators=[first, second], metrics=["turns"])
    )
    while not first.asked.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first.go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not second.asked.is_set()


async def test_bad_input_is_refused_as_validate_refuses_it():
    with pytest.raises(convsim.InputError, match="no validator is named"):
        await convsim.avalidate(CLOSE, NAIVE, seed=1, validators=[])


async def test_the_verbs_that_talk_to_no_server_work_in_a_running_loop():
    card = convsim.validate(CLOSE, NAIVE, seed=1, validators=Marginals(n_resamples=49), metrics=["turns"])
    assert len(card.findings) == 1
