"""Agents of others that raise, block, fork or never end: each is a record with a reason, bounded in time."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator

import pytest

from convsim import _aside
from convsim.agents import PythonAgent
from convsim.schema.conversation import Conversation
from convsim.simulation import Study
from tests.doubles import Told, people, say
from tests.end_to_end.runs import held
from tests.hanging import ended_if_it_hangs

STOP = threading.Event()


class Late(BaseException):
    """As gevent.Timeout and func_timeout's are."""


def raises_base(conversation: Conversation) -> str:
    raise Late("too late")


async def raises_base_later(conversation: Conversation) -> str:
    raise Late("too late")


def interrupts(conversation: Conversation) -> str:
    raise KeyboardInterrupt


async def interrupts_later(conversation: Conversation) -> str:
    raise KeyboardInterrupt


async def exits_later(conversation: Conversation) -> str:
    sys.exit(0)


def closes(conversation: Conversation) -> str:
    raise GeneratorExit


async def cancels_itself(conversation: Conversation) -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)
    return "went on"


async def swallows(conversation: Conversation) -> str:
    while not STOP.is_set():
        with contextlib.suppress(BaseException):  # as people write ``except:``
            await asyncio.sleep(0.01)
    return "late"


async def blocks(conversation: Conversation) -> str:
    time.sleep(1.5)
    return "late"


def shows_without_end(conversation: Conversation) -> dict[str, object]:
    return {"content": "these?", "items": ({"id": str(n)} for n in itertools.count())}


async def shows_without_end_later(conversation: Conversation) -> dict[str, object]:
    return shows_without_end(conversation)


class Slow:
    """An answer that takes its time when it is read."""

    @property
    def content(self) -> str:
        STOP.wait(30)
        return "late"


def answers_slowly(conversation: Conversation) -> Slow:
    return Slow()


LATE = "python did not answer within 0.3 s"


@pytest.fixture(autouse=True)
def _stopped(monkeypatch) -> Iterator[None]:
    STOP.clear()
    monkeypatch.setattr(_aside, "GRACE_S", 0.2)
    yield
    STOP.set()


def held_with(folder, target: object, timeout_s: float = 60.0) -> list[dict]:
    agent = PythonAgent(target=target, timeout_s=timeout_s)
    study = Study(Told(lambda turn: say()), agent, people(3), seed=1, n=3, max_turns=2, concurrency=3)
    with ended_if_it_hangs():
        outcome = study.run(folder)
    assert (outcome.held, outcome.missing, outcome.stop) == (3, 0, "finished")
    return held(folder)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (raises_base, "python raised Late: too late"),
        (raises_base_later, "python raised Late: too late"),
        (interrupts, "python raised KeyboardInterrupt"),
        (interrupts_later, "python raised KeyboardInterrupt"),
        (exits_later, "python raised SystemExit: 0"),
        (closes, "python raised GeneratorExit"),
        (cancels_itself, "python cancelled itself"),
        (shows_without_end, "python answered with more than 100,000 items"),
        (shows_without_end_later, "python answered with more than 100,000 items"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whatever_it_raises_or_shows_every_conversation_is_a_record(tmp_path, target, reason):
    assert [c["failure"]["reason"] for c in held_with(tmp_path, target)] == [reason] * 3


@pytest.mark.parametrize("target", [swallows, blocks, answers_slowly], ids=lambda value: value.__name__)
def test_one_that_never_comes_back_is_given_up_in_its_time(tmp_path, target):
    assert [c["failure"]["reason"] for c in held_with(tmp_path, target, timeout_s=0.3)] == [LATE] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_copy_that_an_agent_forks_writes_nothing_of_ours(tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()

    def forks(conversation: Conversation) -> str:
        if child := os.fork():
            (copies / str(child)).touch()
        return "this one?"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as of Python 3.12, of forks beside threads
        conversations = held_with(tmp_path / "run", forks)
    children = [int(path.name) for path in copies.iterdir()]
    assert len(children) == 6
    assert {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children} == {0}
    assert len({c["id"] for c in conversations}) == len(conversations) == 3
    assert not any("failure" in c for c in conversations)
