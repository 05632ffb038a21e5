"""An adapter for an agent that is an OpenAI-compatible chat endpoint: any chat model that is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from convsim._settings import Seconds, Temperature, check_settings
from convsim._tracing import handing_on
from convsim.agents.answer import Answering, parse_answer
from convsim.agents.llm import ask_model
from convsim.agents.visibility import as_chat
from convsim.lifting import seen_by_agent, to_reply
from convsim.schema.chat_model import ChatMessage, ChatModel
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply


@dataclass(kw_only=True)
class OpenAIChat(Answering):
    """Sends the messages to ``model`` as they are, after ``system`` if there is one, and answers its text.

    It shows no items: a chat completion has none. A model that writes JSON has them where ``content``, ``items`` or
    ``fields`` says how it is read.

    Raises:
        InputError: A setting cannot be used.
    """

    model: ChatModel
    system: str = ""
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 1_024
    temperature: Temperature = 0.7
    timeout_s: Seconds = 600.0
    name: str = "openai_chat"

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        self._form = self.form(self.name)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the model; raises AgentError when it fails, is late, or answers nothing."""
        system = [ChatMessage(role="system", content=self.system)] if self.system else []
        messages = [*system, *as_chat(seen_by_agent(conversation))]
        with handing_on():
            said = await ask_model(self, messages, seed=seed)
        if self._form:
            return parse_answer(said.text.encode(), self.name, form=self._form).but(usage=said.usage)
        return to_reply(said.text, self.name).but(usage=said.usage)
