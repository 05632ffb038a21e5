"""An adapter for your own Python: a function, or an object with ``reply``, sync or async."""

from __future__ import annotations

from dataclasses import dataclass, field

from convsim.agents.answer import Answering
from convsim.lifting import TIMEOUT_S, Takes, lift_agent
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import Agent, AgentReply


@dataclass(kw_only=True)
class PythonAgent(Answering):
    """Asks ``target``: a function, an object with ``reply``, a class of one, or ``module:attribute``.

    It gets the conversation (``takes = "conversation"``) or a list of OpenAI messages (``"messages"``); ``"auto"`` asks
    how its first parameter is called. ``lift_agent`` says what it may answer. What is not async runs in a thread of
    its own, several at once, so it must bear that.

    Raises:
        PluginError: ``target`` cannot be imported, or is nothing that can be asked.
        InputError: Another setting cannot be used.
    """

    target: object
    takes: Takes = "auto"
    timeout_s: float = TIMEOUT_S
    name: str = "python"
    _lifted: Agent = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._lifted = lift_agent(
            self.target, name=self.name, takes=self.takes, timeout_s=self.timeout_s,
            content=self.content, items=self.items, fields=self.fields,
        )  # fmt: skip

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the target; raises AgentError when it raises, is late, or answers what cannot be used."""
        return await self._lifted.reply(conversation, seed=seed)
