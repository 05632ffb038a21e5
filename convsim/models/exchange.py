"""Asks a server as it is known to take it; a refusal is learned from by one request, while the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from pydantic import JsonValue

from convsim.errors import ModelError
from convsim.models.answers import Answer, read_answer
from convsim.models.failures import words_of
from convsim.models.learned import ENVELOPE, FIRST_ROOM, Learned, Lesson
from convsim.models.refusals import (
    RefusedRequestError,
    named_parameters,
    refusals,
    says,
    teaches_nothing,
)
from convsim.models.requests import Api, Body, Request, Ways, body_of

MOST_LESSONS = 20
"""From one request: more than any server has parameters to refuse."""

Result = TypeVar("Result")


class Posts(Protocol):
    """What takes a request to the server and brings back what was read of the answer."""

    @property
    def address(self) -> str:
        """Where requests go, as meters call it."""
        ...

    async def post(
        self,
        path: str,
        body: Mapping[str, JsonValue],
        *,
        who: str,
        seed: int,
        read: Callable[[bytes], Result],
    ) -> Result:
        """Post a body; raises ModelError, and RefusedRequestError where the request could be another."""
        ...

    async def key(self) -> str:
        """Find the key; raises InputError where there is none."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Requests to one server, and what has been learned of it.

    ``extra`` is sent along with each request; ``explicit`` names the parameters whose values the user has set.
    """

    posts: Posts
    learned: Learned
    who: str
    model: str
    api: Api
    extra: Mapping[str, JsonValue]
    explicit: Collection[str]
    _waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = field(
        init=False, repr=False, default_factory=WeakKeyDictionary
    )

    async def ask(self, request: Request) -> tuple[Answer, Ways]:
        """Ask as the server is known to be asked; where it refuses that, find out how, while other requests wait."""
        lock = self._lock
        if lock.locked():
            async with lock:
                pass
        ways = self.learned.ways
        try:
            return await self._post(request, ways), ways
        except RefusedRequestError as error:
            refused = error
        async with lock:
            for _ in range(MOST_LESSONS):
                if ways == self.learned.ways and not self._learns(refused, request, ways):
                    return await self._without_form(refused, request, ways)
                ways = self.learned.ways
                try:
                    return await self._post(request, ways), ways
                except RefusedRequestError as error:
                    refused = error
        raise refused

    async def look_for_thought(self, request: Request, sent: Ways) -> Answer | None:
        """Ask again with room, once in a run, after an answer was cut off: some thoughts have a mark only at their end.

        Returns:
            The answer; None where somebody has looked before, or nothing came.
        """
        async with self._lock:
            if not self.learned.looks_first():
                return None
            try:
                answer = await self._post(request, sent.but({"room": FIRST_ROOM}))
            except ModelError:  # it was worth a try
                return None
            if answer.thought and answer.has_words:
                self.learned.give_room(sent)
            return answer

    @property
    def _lock(self) -> asyncio.Lock:
        """Held while something is found out; each event loop has its own."""
        return self._waiting.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    async def _post(self, request: Request, ways: Ways) -> Answer:
        path, body = self._body(request, ways)
        return await self.posts.post(
            path,
            body,
            who=self.who,
            seed=request.seed,
            read=lambda received: read_answer(received, who=self.who),
        )

    def _body(self, request: Request, ways: Ways) -> tuple[str, Body]:
        return body_of(request, ways, model=self.model, api=self.api, more=self.extra)

    def _learns(self, error: RefusedRequestError, request: Request, ways: Ways) -> bool:
        """Learn from a refusal how to ask otherwise; False where it teaches nothing."""
        lesson = self.learned.lesson(
            error, request, self._body(request, ways)[1], before=ways, api=self.api, explicit=self.explicit
        )
        if lesson is None:
            return False
        self.learned.take(lesson, why=words_of(error.said))
        return True

    async def _without_form(
        self, error: RefusedRequestError, request: Request, ways: Ways
    ) -> tuple[Answer, Ways]:
        """Ask without the schema after a refusal that names nothing; that it was the schema shows in the answer."""
        name = "text" if self.api == "responses" else "response_format"
        _, body = self._body(request, ways)
        if name not in body or error.status not in (400, 422) or teaches_nothing(error.said):
            raise self._with_advice(error, body)
        lesson = Lesson({"omit": frozenset((name,))}, {name: "left out: the server refuses it"})
        without = ways.but(lesson.change)
        try:
            answer = await self._post(request, without)
        except RefusedRequestError:
            raise self._with_advice(error, body) from None
        self.learned.take(lesson, why=words_of(error.said))
        return answer, without

    def _with_advice(self, error: RefusedRequestError, body: Body) -> ModelError:
        """Add to a refusal the setting that helps, where it names a parameter."""
        if teaches_nothing(error.said):
            return error
        if body.get("stream") and says("streams_only", error.said):
            return _with_words(error, "it was asked for a stream, and refuses that, too")
        advice = [
            refusals().advice.get(name, f'set it in extra_body, or leave it out with omit = ["{name}"]')
            for name in named_parameters(error.said, body)
            if name not in ENVELOPE and (name != "stream" or "stream" in self.explicit)
        ]
        return _with_words(error, advice[0]) if advice else error


def _with_words(error: RefusedRequestError, words: str) -> ModelError:
    told = ModelError(f"{error}; {words}")
    told.kind = error.kind
    return told
