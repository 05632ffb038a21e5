"""Runs whose server goes away when some conversations have been held: for a while, or for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from convsim.agents import HTTP
from convsim.models import OpenAICompatible
from convsim.schema import Agent, Shopper, UserMove
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Outcome, Study
from convsim.simulation.failing import EQUAL_FAILURES
from tests.doubles import Obliging, people, say
from tests.hanging import SECONDS
from tests.unit.models.loopback import Loopback, Reply, Request, chat, failure, whole

N = 120
AT_ONCE = 12
HELD_BEFORE = 40
"""Requests that are answered before the server goes away."""
Away = Literal["refuses", "502", "503"]


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.02)
    monkeypatch.setattr("convsim.models.retries.LONGEST_BACK_OFF_S", 0.1)
    monkeypatch.setattr("convsim.models.pace.LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr("convsim.simulation.failing.FIRST_PAUSE_S", 0.02)


@pytest.fixture
def outages_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.OUTAGE_S", 0.5)
    monkeypatch.setattr("convsim.simulation.failing.OUTAGE_S", 0.5)


@dataclass
class Leaving:
    """A server of chats and of an agent's replies that goes away: it stops, or what stands before it says so."""

    how: Away
    back_after_s: float | None
    loopback: Loopback = field(init=False)
    is_away: bool = False
    has_gone: asyncio.Event = field(default_factory=asyncio.Event)
    left: int = HELD_BEFORE
    listening: asyncio.Server | None = None

    def __post_init__(self) -> None:
        self.loopback = Loopback([self.reply])

    def reply(self, request: Request) -> Reply:
        self.left -= 1
        if self.left == 0:
            self.is_away = True
            self.has_gone.set()
        if self.is_away:
            return failure(502 if self.how == "502" else 503, "nobody is there")
        if not request.path.endswith("/chat/completions"):
            return whole(200, b'{"content": "this one?"}')
        return chat('{"choice": "leave"}' if "response_format" in request.body else "red boots")

    async def goes_and_comes(self) -> None:
        """Stop in the middle of what is under way, and listen again at the same address."""
        await self.has_gone.wait()
        if self.how == "refuses":
            self.stop()
        if self.back_after_s is not None:
            await asyncio.sleep(self.back_after_s)
            await self.comes_back()

    async def listen(self) -> None:
        self.listening = await asyncio.start_server(self.loopback.serve, "127.0.0.1", self.loopback.port)
        self.loopback.port = self.listening.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self.listening is not None:
            self.listening.close()
        for task in self.loopback.tasks:
            if task is not None:
                task.cancel()

    async def comes_back(self) -> None:
        self.is_away = False
        if self.how == "refuses":
            await self.listen()


@asynccontextmanager
async def leaving(how: Away, *, back_after_s: float | None) -> AsyncIterator[Leaving]:
    server = Leaving(how, back_after_s)
    await server.listen()
    living = asyncio.ensure_future(server.goes_and_comes())
    try:
        async with asyncio.timeout(SECONDS):
            yield server
    finally:
        living.cancel()
        server.stop()
        await asyncio.sleep(0)


class Asking:
    name = "asking"
    learned_from = None

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        return say("red boots")


def parts(server: Leaving, whose: str) -> tuple[Shopper, Agent]:
    """Return a shopper and an agent, one of which asks the server."""
    if whose == "agent":
        return Asking(), HTTP(url=f"{server.loopback.base_url}/reply")
    return Prompted(OpenAICompatible(model="m", base_url=server.loopback.base_url)), Obliging()


def study(server: Leaving, whose: str, concurrency: int | Literal["auto"]) -> Study:
    shopper, agent = parts(server, whose)
    return Study(shopper, agent, people(N), seed=1, n=N, max_turns=2, concurrency=concurrency)


async def ran(study: Study, folder: Path, *, retry_failed: bool = False) -> Outcome:
    return await asyncio.to_thread(study.run, folder, retry_failed=retry_failed)


CASES = [
    ("refuses", "shopper", AT_ONCE),
    ("503", "shopper", "auto"),
    *(
        pytest.param(*case, marks=pytest.mark.faults)
        for case in (
            ("refuses", "shopper", "auto"),
            ("refuses", "agent", AT_ONCE),
            ("502", "shopper", AT_ONCE),
            ("503", "shopper", AT_ONCE),
            ("503", "agent", "auto"),
        )
    ),
]


@pytest.mark.parametrize(("how", "whose", "concurrency"), CASES)
async def test_a_server_that_is_away_for_a_while_is_waited_for_and_no_conversation_fails(
    tmp_path: Path, how: Away, whose: str, concurrency: int | Literal["auto"]
) -> None:
    async with leaving(how, back_after_s=1.0) as server:
        outcome = await ran(study(server, whose, concurrency), tmp_path)
    assert server.has_gone.is_set()
    assert (outcome.held, outcome.missing, outcome.stop) == (N, 0, "finished")
    # An agent of whose answer half has come may have acted on what it was told: it is not told that again.
    broken_off = AT_ONCE if (how, whose) == ("refuses", "agent") else 0
    assert outcome.failed <= broken_off


@pytest.mark.parametrize(("how", "whose", "concurrency"), CASES)
@pytest.mark.usefixtures("outages_are_short")
async def test_a_run_whose_server_has_gone_for_good_stops_and_the_same_command_goes_on_later(
    tmp_path: Path, how: Away, whose: str, concurrency: int | Literal["auto"]
) -> None:
    async with leaving(how, back_after_s=None) as server:
        stopped = await ran(study(server, whose, concurrency), tmp_path)
        asked = len(server.loopback.requests)
        await server.comes_back()
        on = await ran(study(server, whose, concurrency), tmp_path)
        mended = await ran(study(server, whose, concurrency), tmp_path, retry_failed=True)
    succeeded = stopped.held - stopped.failed
    assert stopped.stop == "failing"
    assert succeeded > 0
    # Those in flight when it went, and those that looked whether it is back.
    assert EQUAL_FAILURES <= stopped.failed <= 3 * AT_ONCE
    assert stopped.missing == N - stopped.held > N / 3
    assert asked < HELD_BEFORE + 40 * AT_ONCE
    assert (on.held, on.failed, on.missing) == (stopped.missing, 0, 0)
    assert (mended.held, mended.failed_in_all) == (stopped.failed, 0)
