"""An adapter for a LangChain Runnable, known by its ``ainvoke`` or ``invoke``; it needs no LangChain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from convsim.agents.answer import to_reply
from convsim.agents.foreign import answer_of
from convsim.agents.seen import as_chat, seen_by_agent
from convsim.agents.target import resolve
from convsim.checks import check_timeout
from convsim.contracts.agent import AgentReply
from convsim.conversation import Conversation
from convsim.errors import AgentError, InputError
from convsim.one_line import one_line


@dataclass(kw_only=True)
class LangChain:
    """Asks ``runnable``: a Runnable, or ``module:attribute`` of one.

    It is given a list of ``{"role", "content"}``, or with ``input_key`` an object that has the list under
    that key (``"messages"`` for a LangGraph agent). It answers a text, a message with ``content``, an object
    with ``messages`` (the last one counts), or one with ``content`` or ``output`` and perhaps ``items``.

    Raises:
        PluginError: ``runnable`` cannot be imported.
        InputError: It is no Runnable, or ``timeout_s`` cannot be used.
    """

    runnable: object
    input_key: str = ""
    timeout_s: float = 60.0
    name: str = "langchain"
    _invoke: Callable[..., object] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_timeout(self.name, self.timeout_s)
        found = resolve(self.name, self.runnable)
        invoke = getattr(found, "ainvoke", None) or getattr(found, "invoke", None)
        if not callable(invoke):
            raise InputError(
                f"{self.name}: {found!r:.80} is no Runnable: it has neither 'ainvoke' nor 'invoke'"
            )
        self._invoke = cast("Callable[..., object]", invoke)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Invoke the Runnable; raises AgentError when it raises, is late, or answers what cannot be used.

        A Runnable takes no seed, so the same conversation may be answered differently.
        """
        del seed
        messages = [{"role": m.role, "content": m.content} for m in as_chat(seen_by_agent(conversation))]
        given = {self.input_key: messages} if self.input_key else messages
        return to_reply(
            _plain(await answer_of(self.name, self.timeout_s, self._invoke, given), self.name), self.name
        )


def _plain(answer: object, agent: str) -> object:
    """Turn LangChain's messages and states into a text or an object with ``content``."""
    if isinstance(answer, AgentReply):
        return answer
    if not isinstance(answer, Mapping):
        return {"content": _text(answer.content)} if hasattr(answer, "content") else answer
    items = {"items": answer["items"]} if "items" in answer else {}
    messages = answer.get("messages")
    if isinstance(messages, list) and messages:
        return {"content": _text(_content(messages[-1], agent)), **items}
    if "output" in answer and "content" not in answer:
        return {"content": _text(answer["output"]), **items}
    return {**answer, "content": _text(answer["content"])} if "content" in answer else answer


def _content(message: object, agent: str) -> object:
    if isinstance(message, Mapping) and "content" in message:
        return message["content"]
    if hasattr(message, "content"):
        return message.content
    found = f"{type(message).__name__} {one_line(repr(message)[:300]):.80}"
    raise AgentError(f"{agent} answered wrongly: the last of its messages has no content, but is {found}")


def _text(content: object) -> object:
    """Join the text parts of a content that is a list of parts."""
    if not isinstance(content, list):
        return content
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    return "".join(part for part in parts if isinstance(part, str))
