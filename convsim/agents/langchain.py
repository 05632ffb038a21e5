"""An adapter for a LangChain Runnable, known by its ``ainvoke`` or ``invoke``; it needs no LangChain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from convsim._async import answer_of
from convsim._settings import Seconds, check_settings
from convsim.agents.answer import Answering
from convsim.agents.visibility import as_chat
from convsim.errors import AgentError, InputError
from convsim.lifting import make_class, resolve, seen_by_agent, to_reply
from convsim.models.metering import IN_PROCESS, measured_call, used_as_told
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply


@dataclass(kw_only=True)
class LangChain(Answering):
    """Asks ``runnable``: a Runnable, or ``module:attribute`` of one.

    It is given a list of ``{"role", "content"}``, or with ``input_key`` an object that has the list under
    that key (``"messages"`` for a LangGraph agent). It answers a text, a message with ``content``, an object
    with ``messages``, or one with ``content`` or ``output`` and perhaps ``items``. Of messages, those of the agent
    since the user's last are joined, and the artifacts of its tools may hold the items.

    Raises:
        PluginError: ``runnable`` cannot be imported.
        InputError: It is not a Runnable, or ``timeout_s`` cannot be used.
    """

    runnable: object
    input_key: str = ""
    timeout_s: Seconds = 60.0
    name: str = "langchain"
    _invoke: Callable[..., object] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        self._form = self.form(self.name)
        runnable = self.runnable
        found = resolve(runnable, self.name) if isinstance(runnable, str) else runnable
        found = make_class(found, self.name) if isinstance(found, type) else found
        invoke = getattr(found, "ainvoke", None) or getattr(found, "invoke", None)
        if not callable(invoke):
            raise InputError(
                f"{self.name}: {found!r:.80} is not a Runnable: it has neither 'ainvoke' nor 'invoke'"
            )
        self._invoke = invoke

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Invoke the Runnable; raises AgentError when it raises, is late, or answers what cannot be used.

        A Runnable takes no seed, so the same conversation may be answered differently.
        """
        del seed
        messages = [{"role": m.role, "content": m.content} for m in as_chat(seen_by_agent(conversation))]
        given = {self.input_key: messages} if self.input_key else messages
        with measured_call(self.name, IN_PROCESS):
            reply = await answer_of(
                self.name,
                self.timeout_s,
                AgentError,
                lambda answer: to_reply(answer, self.name, self._form),
                self._invoke,
                given,
            )
        used_as_told(self.name, IN_PROCESS, reply.usage)
        return reply
