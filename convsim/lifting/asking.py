"""Gives a function what it asks for, by the names of its parameters, and no more than it may know."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import JsonValue

from convsim._async import answer_of, called
from convsim._settings import Seconds, check_setting
from convsim.errors import ConvsimError, PluginError
from convsim.lifting.targets import Target
from convsim.schema.conversation import Conversation, Message

TIMEOUT_S = 600.0
"""After so many seconds a function that has not answered has failed, unless another bound is set."""
Answer = TypeVar("Answer")
Takes = Literal["auto", "conversation", "messages"]


@dataclass(frozen=True)
class Ask:
    """A function, and which of what convsim offers goes into which of its parameters."""

    name: str
    function: Callable[..., object]
    positional: tuple[str, ...]
    keywords: Mapping[str, str]
    timeout_s: float
    failure: type[ConvsimError]
    takes: Takes

    @classmethod
    def of(
        cls, target: Target, order: Sequence[str], offers: Sequence[str], timeout_s: float,
        failure: type[ConvsimError], *, takes: Takes = "auto",
    ) -> Ask:  # fmt: skip
        """Match a function's parameters to what is offered.

        Raises:
            PluginError: It asks for something else.
            InputError: ``timeout_s`` cannot be used.
        """
        check_setting(target.name, "timeout_s", timeout_s, Seconds)
        positional, keywords = _matched(target, order, offers)
        return cls(target.name, target.function, positional, keywords, timeout_s, failure, takes)

    async def answer(
        self, given: Mapping[str, object], conversation: Conversation, read: Callable[[object], Answer]
    ) -> Answer:
        """Ask in time, off the loop where it blocks, and read the answer; raises ``failure`` whatever is raised."""
        args, keywords = self._arguments({**given, **self._forms(conversation)})
        return await answer_of(
            self.name, self.timeout_s, self.failure, read, self.function, *args, **keywords
        )

    def call(self, given: Mapping[str, object]) -> object:
        """Ask from ordinary code; raises what it raises."""
        args, keywords = self._arguments(given)
        return called(self.function, *args, **keywords)

    def _forms(self, conversation: Conversation) -> dict[str, object]:
        """Return the conversation in the form, or forms, that are asked for."""
        if self.takes == "conversation":
            return {"conversation": conversation, "messages": conversation}
        if self.takes == "messages":
            return dict.fromkeys(("conversation", "messages"), as_openai(conversation))
        asks = "messages" in self.positional or "messages" in self.keywords.values()
        return {"conversation": conversation, **({"messages": as_openai(conversation)} if asks else {})}

    def _arguments(self, given: Mapping[str, object]) -> tuple[list[object], dict[str, object]]:
        return [given[offer] for offer in self.positional], {
            parameter: given[offer] for parameter, offer in self.keywords.items()
        }


def _matched(
    target: Target, order: Sequence[str], offers: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Say what goes into a function's parameters: what they are called, or else the next in ``order``."""
    try:
        parameters = inspect.signature(target.function).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have no signature
        return tuple(order), {}
    positional: list[str] = []
    keywords: dict[str, str] = {}
    queue = list(order)
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += [] if keywords else queue
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords |= {"seed": "seed"} if "seed" in offers else {}
        else:
            offer = _offer_for(parameter, queue, offers)
            if offer is None and parameter.default is parameter.empty:
                raise PluginError(
                    f"{target.name} has a parameter {parameter.name!r} that convsim cannot fill; it can fill: "
                    f"{', '.join(offers)}"
                )
            used = "conversation" if offer == "messages" else offer
            queue = [waiting for waiting in queue if waiting != used]
            if offer is not None and parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(offer)
            elif offer is not None:
                keywords[parameter.name] = offer
    return tuple(positional), keywords


def _offer_for(parameter: inspect.Parameter, queue: Sequence[str], offers: Sequence[str]) -> str | None:
    if parameter.name in offers:
        return parameter.name
    is_free = parameter.kind is not parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    return queue[0] if is_free and queue else None


@dataclass
class _Shown:
    """What an agent was shown last: the messages, and as it has seen them."""

    last: tuple[tuple[Message, ...], tuple[Message, ...]] = (), ()


_shown: ContextVar[_Shown | None] = ContextVar(
    "of the conversation that is held; None: none is", default=None
)


@contextmanager
def showing_once() -> Iterator[None]:
    """Let ``seen_by_agent`` make of a conversation that is held within it only what has been said since."""
    token = _shown.set(_Shown())
    try:
        yield
    finally:
        _shown.reset(token)


def seen_by_agent(conversation: Conversation) -> Conversation:
    """Return the conversation without persona, labels, arm and simulator, which no recommender may know."""
    shown, messages = _shown.get() or _Shown(), conversation.messages
    before, bare = shown.last
    if messages[: len(before)] != before:  # another conversation, or one that was cut
        before, bare = (), ()
    bare = (*bare, *(message.bare() for message in messages[len(before) :]))
    shown.last = messages, bare
    return Conversation(id=conversation.id, task=conversation.task, messages=bare)


def as_openai(conversation: Conversation) -> list[dict[str, JsonValue]]:
    """Return ``{"role", "content"}`` for each message, with ``"items"`` where the agent showed some."""
    return [
        {
            "role": message.role,
            "content": message.content,
            **({"items": [item.model_dump(mode="json") for item in message.items]} if message.items else {}),
        }
        for message in conversation.messages
    ]
