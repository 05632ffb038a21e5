"""Chat servers on loopback that take only so much at a time, and tell what they saw."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.unit.models.loopback import Loopback, Reply, Request, chat, failure

SAID = "red boots please"
CHOICE = '{"choice": "go on"}'


@dataclass
class Busy:
    """Serves ``places`` requests at a time, ``seconds`` each; others wait their turn, or are pushed back."""

    places: int
    seconds: float
    pushes_back: bool = False
    asks_s: float | None = None
    """How long those that are pushed back are asked to wait; for as long nobody is served."""
    loopback: Loopback = field(init=False)
    under_way: int = 0
    most_under_way: int = 0
    pushed_back: int = 0
    too_early: int = 0
    """Requests that came while everybody had been asked to wait."""
    trace: list[int] = field(default_factory=list)
    """How many were under way whenever one came."""

    def __post_init__(self) -> None:
        self.loopback = Loopback([self.reply])
        self.change = asyncio.Condition()
        self.serving, self.closed_until, self.asked_at = 0, 0.0, 0.0

    @property
    def base_url(self) -> str:
        return self.loopback.base_url

    def reply(self, request: Request) -> Reply:
        answer = self.answer(request)

        async def reply(writer: asyncio.StreamWriter) -> None:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            self.trace.append(self.under_way)
            try:
                await self.served(writer, answer)
            finally:
                self.under_way -= 1

        return reply

    def answer(self, request: Request) -> Reply:
        return chat(CHOICE if "response_format" in request.body else SAID)

    async def served(self, writer: asyncio.StreamWriter, answer: Reply) -> None:
        now = asyncio.get_running_loop().time()
        if now < self.closed_until:
            self.too_early += 1
        if self.pushes_back and (self.serving >= self.places or now < self.closed_until):
            self.pushed_back += 1
            asks = {} if self.asks_s is None else {"Retry_After": str(self.asks_s)}
            if self.asks_s is not None and now >= self.closed_until:
                self.closed_until = now + self.asks_s
            await failure(429, "slow down", **asks)(writer)
            return
        async with self.change:
            await self.change.wait_for(lambda: self.serving < self.places)
            self.serving += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            async with self.change:
                self.serving -= 1
                self.change.notify()
        await answer(writer)


@asynccontextmanager
async def serving(*servers: Busy) -> AsyncIterator[None]:
    """Let servers listen."""
    listening = []
    for server in servers:
        at = await asyncio.start_server(server.loopback.serve, "127.0.0.1", 0, backlog=1024)
        server.loopback.port = at.sockets[0].getsockname()[1]
        listening.append(at)
    try:
        yield
    finally:
        for at in listening:
            at.close()
        for server in servers:
            for task in server.loopback.tasks:
                if task is not None:
                    task.cancel()
        await asyncio.sleep(0)
