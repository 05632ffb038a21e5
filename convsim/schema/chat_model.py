"""What a language model promises, whatever the transport: to complete a chat, to continue a text, to choose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from convsim.errors import EmptyAnswerError
from convsim.schema.record import Count, Name, Number, Record, Spending, Text, Tokens


class ChatMessage(BaseModel):
    """One message of a prompt; no record, since prompts are made by the thousand and nothing is kept of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: Text


class Completion(Record):
    """What a model answered and what it cost; unknown tokens and an unknown price are null, never 0."""

    text: Text
    finish_reason: Literal["stop", "length", "content_filter", "other"]
    input_tokens: Tokens | None = 0
    output_tokens: Tokens | None = 0
    reasoning_characters: Count = 0
    """Of what the model thought, and did not say."""
    seconds: Spending = 0.0
    cost_usd: Spending | None = None


class NothingSaidError(EmptyAnswerError):
    """A model answered with nothing that was said; what that cost is in ``completion``, whose text is empty."""

    def __init__(self, message: str, *, completion: Completion):
        super().__init__(message)
        self.completion = completion


class Choice(Record):
    """Which of the stated options a model chose, by index, and what deciding cost."""

    index: Count
    completion: Completion
    probabilities: tuple[Number, ...] = ()
    """How likely each option was to be chosen, in their order, where the model tells."""


@runtime_checkable
class ChatModel(Protocol):
    """A language model behind any transport; raises ModelError, never answers with a stand-in text."""

    @property
    def name(self) -> Name:
        """What the model is called in records."""
        ...

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
    ) -> Completion:
        """Answer a chat; with ``schema`` the text is JSON that the schema has accepted."""
        ...

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        """Continue a written text, without a chat template; ``stop`` is not part of the result."""
        ...

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose one of ``options`` as the answer to a chat: by schema on a server, by likelihood in-process."""
        ...


@runtime_checkable
class OpeningModel(ChatModel, Protocol):
    """A chat model in this process, which can be told how its answer begins: what a fine-tuned shopper needs."""

    @property
    def path(self) -> Path | str:
        """The folder that it was loaded from."""
        ...

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return how many tokens a chat has, up to where the answer begins."""
        ...

    async def draw_opening(
        self, messages: Sequence[ChatMessage], openings: Sequence[str], *, seed: int
    ) -> Choice:
        """Draw how the answer to a chat begins, by the likelihoods of ``openings`` at temperature 1."""
        ...

    async def complete_opened(
        self,
        messages: Sequence[ChatMessage],
        opening: str,
        *,
        max_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> Completion:
        """Complete an answer that begins with ``opening``, which is not part of the text; it may be empty."""
        ...
