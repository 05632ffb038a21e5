"""An adapter for a LangChain Runnable, known by its ``ainvoke`` or ``invoke``; it needs no LangChain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from convsim.agents.answer import to_reply
from convsim.agents.foreign import answer_of
from convsim.agents.seen import as_chat, seen_by_agent
from convsim.agents.settings import check_timeout
from convsim.agents.target import resolve
from convsim.contracts.agent import AgentReply
from convsim.conversation import Conversation
from convsim.errors import InputError


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
        answer = await answer_of(self.name, self.timeout_s, self._invoke, given)
        return to_reply(_plain(answer), self.name)


def _plain(answer: object) -> object:
    """Turn LangChain's messages and states into a text or an object with ``content``."""
    if isinstance(answer, Mapping):
        items = {"items": answer["items"]} if "items" in answer else {}
        last = answer.get("messages")
        if isinstance(last, list) and last:
            said = last[-1]
            return {"content": _text(said["content"] if isinstance(said, Mapping) else said.content), **items}
        if "output" in answer and "content" not in answer:
            return {"content": _text(answer["output"]), **items}
        return {**answer, "content": _text(answer["content"])} if "content" in answer else answer
    if hasattr(answer, "content") and not isinstance(answer, AgentReply):
        return {"content": _text(answer.content)}
    return answer


def _text(content: object) -> object:
    """Join the text parts of a content that is a list of parts."""
    if not isinstance(content, list):
        return content
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    return "".join(part for part in parts if isinstance(part, str))
