"""Whether a chat model keeps its contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ValidationError

from convsim.errors import ModelError
from convsim.lifting import lift_model
from convsim.plugins import make
from convsim.schema import ChatMessage, ChatModel, Choice, Completion
from convsim.testing.asking import check_answers
from convsim.testing.samples import HOSTILE, SEED, make_or_refuse, name_of, require, require_text

OPTIONS = ("say something", "accept an item", "leave")
MAX_TOKENS = 48
ASK = "Which size do you take?"
TALKS: dict[str, tuple[tuple[str, str], ...]] = {
    "one message": (("user", ASK),),
    "a system message first": (("system", "You buy boots."), ("user", ASK)),
    "several turns": (("user", "Hi"), ("assistant", "Hello. What do you need?"), ("user", ASK)),
    "its own message last": (("user", "Hi"), ("assistant", "Hello. What do you need?")),
    "an empty message": (("user", ""),),
    "other scripts": (("user", "サイズはいくつですか 👢 ما هو مقاسك؟"),),
    "hostile text": (("user", HOSTILE),),
}


class Size(BaseModel):
    """What an answer in JSON is asked for."""

    size: int


@dataclass(frozen=True)
class Request:
    """One request: a chat to complete or to choose in, or its text to continue."""

    kind: Literal["complete", "continue_text", "choose"]
    chat: list[ChatMessage]
    stop: tuple[str, ...] = ()
    as_json: bool = False

    @property
    def text(self) -> str:
        """The chat as a text that goes on with the next answer."""
        lines = [f"{message.role}: {message.content}" for message in self.chat]
        return "\n".join([*lines, "assistant:"])

    def to_json(self) -> str:
        """Return the messages, which nobody may change."""
        return json.dumps([message.model_dump() for message in self.chat])

    async def of(self, model: ChatModel) -> Completion | Choice:
        """Make the request."""
        if self.kind == "continue_text":
            return await model.continue_text(
                self.text, max_tokens=MAX_TOKENS, temperature=0.7, seed=SEED, stop=self.stop
            )
        if self.kind == "choose":
            return await model.choose(self.chat, OPTIONS, temperature=0.7, seed=SEED)
        if self.as_json:
            return await model.complete(
                self.chat, max_tokens=MAX_TOKENS, temperature=0.7, seed=SEED, schema=Size
            )
        return await model.complete(
            self.chat, max_tokens=MAX_TOKENS, temperature=0.7, seed=SEED, stop=self.stop
        )


@dataclass(frozen=True)
class Refusal:
    """That it could not, and why."""

    reason: str


Answer = Completion | Choice | Refusal


def check_model(model: object, *, deterministic: bool = True) -> None:
    """Assert that a chat model completes, continues and chooses, or says in one line why it cannot.

    It is asked some twenty times for at most 48 tokens, three times as often where it is to be deterministic.

    Args:
        model: An object with ``name``, ``complete``, ``continue_text`` and ``choose``, a class of one, a plugin's name
            or ``module:thing``.
        deterministic: The same request, seed included, has the same answer; False for a server that heeds no seeds.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    found = make_or_refuse(
        lambda: make("models", model) if isinstance(model, str) else lift_model(model), model
    )
    require_text(name_of(model), "name", found.name)
    requests = _requests()

    async def ask(request: Request) -> Answer:
        try:
            return await request.of(found)
        except ModelError as error:
            return Refusal(str(error))

    def asked(further: dict[str, Request]) -> dict[str, Answer]:
        return check_answers(found.name, ask, _check, further, deterministic=deterministic, called="request")

    answers = asked(requests)
    for kind in ("complete", "choose"):
        told = [answer for place, answer in answers.items() if requests[place].kind == kind]
        reason = next((answer.reason for answer in told if isinstance(answer, Refusal)), "")
        require(
            any(not isinstance(answer, Refusal) for answer in told),
            f"{found.name}: {kind} answered none of {len(told)} requests: {reason}",
        )
    asked(
        {
            **_stopped(requests, answers),
            "an answer as JSON": Request("complete", _chat("one message"), as_json=True),
        }
    )


def _requests() -> dict[str, Request]:
    kinds: Sequence[Literal["complete", "continue_text", "choose"]] = ("complete", "continue_text", "choose")
    return {f"{kind}, {place}": Request(kind, _chat(place)) for place in TALKS for kind in kinds}


def _chat(place: str) -> list[ChatMessage]:
    return [ChatMessage.model_validate({"role": role, "content": said}) for role, said in TALKS[place]]


def _stopped(requests: dict[str, Request], answers: dict[str, Answer]) -> dict[str, Request]:
    """Make requests again that were answered with two words or more: now one of them is to stop the answer."""
    again: dict[str, Request] = {}
    for place, answer in answers.items():
        words = answer.text.split() if isinstance(answer, Completion) else []
        words = [word for word in words if "\ufffd" not in word]  # half a character, which nobody wrote
        if len(words) > 1:
            request = requests[place]
            again[f"{place}, stopped"] = Request(request.kind, request.chat, stop=(words[len(words) // 2],))
    return again


def _check(place: str, request: Request, answer: object) -> None:
    __tracebackhide__ = True
    if isinstance(answer, Refusal):
        require(
            bool(answer.reason.strip()) and "\n" not in answer.reason,
            f"{place}: it failed, but did not say why in one line: {name_of(answer.reason)}",
        )
        return
    wanted = Choice if request.kind == "choose" else Completion
    require(
        isinstance(answer, wanted), f"{place}: answered {name_of(answer)}, which is not a {wanted.__name__}"
    )
    if isinstance(answer, Choice):
        require(
            answer.index < len(OPTIONS),
            f"{place}: chose option {answer.index} of {len(OPTIONS)}, which are counted from 0",
        )
    if isinstance(answer, Completion):
        for stop in request.stop:
            require(stop not in answer.text, f"{place}: the text holds {stop!r}, at which it was to stop")
        if request.as_json:
            try:
                Size.model_validate_json(answer.text)
            except ValidationError:
                raise AssertionError(
                    f"{place}: the text does not fit the schema: {name_of(answer.text[:80])}"
                ) from None
