"""UserLM-8b: a model that was trained to write the user's turns, and is asked for them as such."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from inspect import signature
from typing import Any, ClassVar, Literal

from convsim._async import in_thread
from convsim._settings import Positive, TopP
from convsim.errors import InputError
from convsim.models.chat import chat_tokens
from convsim.models.local import Local
from convsim.schema import ChatMessage, Completion, UserMove
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers.presets.ends import EndsByMark
from convsim.shoppers.prompts import said_to_shopper, without_control_tokens
from convsim.text.words import words

END = "<|endconversation|>"
TURN_ENDS = "<|eot_id|>", "<|start_header_id|>"
"""What ends a turn in Llama 3's form of a chat, and begins the next one."""
ROLE = re.compile(r"\b(?:system|user|assistant)\b")
FEWEST_WORDS, MOST_WORDS = 3, 25
FIRST_WORDS = re.compile(r"(?:I|You|Here)\b")


@dataclass(frozen=True)
class UserLM(EndsByMark):
    """Microsoft's UserLM-8b writes the user's next turn: of a folder in this process, or behind a server.

    Its system message is an intent, what the persona wants, in a sentence or two; no character or way of writing, which
    it was not trained to follow. The chat keeps its roles: the shopper's messages are the user's, the agent's the
    assistant's, and the model's own chat template opens a turn of the user. A server must apply that template; where it
    has another, ``style`` "completions" sends the chat written out, over ``/completions``.

    It ends a conversation with ``<|endconversation|>``, which counts from the second turn on, and does not say how: an
    end accepts where the last words take an item (of ``language``), else it leaves. ``guardrails`` ask anew for a
    message that is no end where it has fewer than 3 or more than 25 words, begins with "I", "You" or "Here", or repeats
    a message or the intent; ``attempts`` times at most. Their authors needed them to get usable conversations; they
    also cut off short and long messages, which people do write. Without them the model is as it was trained.

    Source:
        Naous, Laban, Xu and Neville (2026), Flipping the Dialogue: Training and Evaluating User Language Models, ICLR,
        arXiv:2510.06552, appendix C.1 (guardrails; there the end is never allowed), as Handshake's CUE and inspect's
        ``userlm_user`` state it; and the model card of microsoft/UserLM-8b: its chat template, ``<|eot_id|>`` and
        ``<|endconversation|>``, temperature 1 and top_p .8. It was trained on English of at most 2,048 tokens.
    """

    name: ClassVar[str] = "userlm"
    marks: ClassVar[Sequence[str]] = (END,)
    prompt_names: ClassVar[tuple[str, ...]] = ("intent",)
    _: KW_ONLY
    style: Literal["chat", "completions"] = "chat"
    top_p: TopP = 0.8
    guardrails: bool = True
    attempts: Positive = 12
    """How often a message is asked for before the conversation fails."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style == "completions" and isinstance(self.model, Local):
            raise InputError(
                'shopper.style: "completions" is for servers; a model in this process has its own template'
            )

    async def check_ready(self) -> None:
        """Load a model in this process; raises InputError where it has not UserLM's end token and chat template."""
        if isinstance(self.model, Local):
            await in_thread(partial(self._check_local, self.model))

    def doubts(self, personas: Sequence[Persona]) -> list[str]:
        """Say, a line each, why this may not be how UserLM is meant to be asked."""
        del personas
        if self._nucleus:
            return []
        return [
            f"the model {self.model.name} takes no top_p with a request; UserLM is meant to have {self.top_p:g}"
        ]

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Ask for the next turn; raises ModelError when the model has no usable words."""
        messages = self.asked(conversation, persona)
        before = {_folded(message.content) for message in messages} | {_folded(persona.need)}

        def refused(text: str) -> str | None:
            return _against_guardrails(text, before) if self.guardrails else None

        return await self._moved(
            conversation, lambda draw: self._complete(messages, seed=draw), seed=seed, refused=refused,
            attempts=self.attempts,
        )  # fmt: skip

    def asked(self, conversation: Conversation, persona: Persona) -> list[ChatMessage]:
        """Return the intent and what has been said, in the roles of those who said it."""
        asked = [ChatMessage(role="system", content=self._prompts.render("intent", persona=persona))]
        for message in conversation.messages:
            if message.role == "user":
                asked.append(ChatMessage(role="user", content=without_control_tokens(message.content)))
            elif message.role == "assistant":
                heard = without_control_tokens(said_to_shopper(message, self.n_items))
                asked.append(ChatMessage(role="assistant", content=heard))
        return asked

    @property
    def _nucleus(self) -> dict[str, Any]:
        """What a request has beside, where the model takes it."""
        return {"top_p": self.top_p} if "top_p" in signature(self.model.complete).parameters else {}

    async def _complete(self, messages: Sequence[ChatMessage], *, seed: int) -> Completion:
        if self.style == "completions":
            return await self.model.continue_text(
                written_out(messages), max_tokens=self.max_tokens, temperature=self.temperature, seed=seed,
                stop=TURN_ENDS, **self._nucleus,
            )  # fmt: skip
        return await self.model.complete(
            messages, max_tokens=self.max_tokens, temperature=self.temperature, seed=seed, stop=TURN_ENDS,
            **self._nucleus,
        )  # fmt: skip

    def _check_local(self, model: Local) -> None:
        checkpoint = model.load()
        tokenizer = checkpoint.tokenizer
        wanted = "shopper userlm needs UserLM-8b, or a model trained in its form"
        end = next((one for one in tokenizer.added_tokens_decoder.values() if one.content == END), None)
        if end is None:
            raise InputError(f"{wanted}, but {model.name} has no token {END}")
        if end.special:
            raise InputError(
                f"{wanted}, but {model.name} has {END} as a special token, which no answer holds as text"
            )
        probe = [ChatMessage(role=role, content="-") for role in ("system", "user", "assistant")]
        opened = tokenizer.decode(chat_tokens(checkpoint, probe))
        if ROLE.findall(opened)[-1:] != ["user"]:
            raise InputError(
                f"{wanted}, but the chat template of {model.name} does not end with a turn of the user"
            )


def written_out(messages: Sequence[ChatMessage]) -> str:
    """Write a chat as UserLM's chat template does: it ends where a turn of the user begins."""
    turns = [f"<|start_header_id|>{one.role}<|end_header_id|>\n{one.content}<|eot_id|>" for one in messages]
    return "".join([*turns, "<|start_header_id|>user<|end_header_id|>"])


def _against_guardrails(text: str, before: set[str]) -> str | None:
    n_words = len(text.split())
    if not FEWEST_WORDS <= n_words <= MOST_WORDS:
        return f"said {n_words:,} words, where the guardrails ask for {FEWEST_WORDS} to {MOST_WORDS}"
    if FIRST_WORDS.match(text):
        return f"began with {text.split()[0][:20]!r}, which the guardrails refuse"
    if _folded(text) in before:
        return "repeated what has been said"
    return None


def _folded(text: str) -> str:
    return " ".join(words(text))
