"""What is done for conversations of whatever format, once they are read: nothing is misread in silence.

An agent that speaks under ``system`` gets its role; reasoning of a model that stands in a text is cut and kept in
``metadata.reasoning``, control tokens in users' messages in ``metadata.stop_tokens``; a file without any message of an
agent is refused where its format is not convsim's own, of which that is a warning; so are users who mostly say nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pydantic import JsonValue

from convsim._text import listed
from convsim.errors import TranscriptError
from convsim.io.problems import shown
from convsim.io.transcripts import Transcripts
from convsim.schema.conversation import Conversation, Message
from convsim.text.control_tokens import ControlTokens
from convsim.text.reasoning import split_reasoning

PROMPT_WORDS = 60
"""A first system message of so many words is no greeting of an agent's."""
MAX_TOKENS_SHOWN = 5
ANSWERED_SHARE = 0.9
MOST_EMPTY = 0.5
FEW_MESSAGES = 10
"""Users' messages of which more than ``MOST_EMPTY`` may be empty without a warning."""
SPEAKERS = ("user", "assistant")
OPENING_MARKS = re.compile("[<[◁]")
"""A text without any of these holds no mark of a model's reasoning."""


def finished(
    transcripts: Transcripts, tokens: ControlTokens, *, needs_agent: bool, simulator: str | None = None
) -> Transcripts:
    """Return conversations as the rest of convsim takes them, with a warning of each change.

    Args:
        transcripts: What a reader has made.
        tokens: What is cut out of users' messages.
        needs_agent: Refuse a file in which no agent says anything.
        simulator: Names the simulator of conversations that name none.

    Raises:
        TranscriptError: No agent says anything.
    """
    conversations: Sequence[Conversation] = transcripts.conversations
    warnings: list[str] = []
    if silent_agents(conversations):
        if _alternates(conversations):
            conversations, n = _with_agents(conversations)
            warnings.append(
                f"the agent speaks under the role system: {n:,} messages were read as the agent's, since none is of "
                "the role assistant, and those of system answer the user's"
            )
        elif needs_agent:
            raise TranscriptError(transcripts.path, _no_agent(conversations))
    cutting = _Cutting(tokens)
    conversations = tuple(map(cutting.conversation, conversations))
    warnings += cutting.warnings()
    warnings += _silent_users(conversations)
    if simulator:
        conversations = tuple(_named(each, simulator) for each in conversations)
    elif not warnings:
        return transcripts
    return replace(transcripts, conversations=conversations, warnings=(*transcripts.warnings, *warnings))


def _named(conversation: Conversation, simulator: str) -> Conversation:
    if conversation.simulator is not None:
        return conversation
    return conversation.model_copy(update={"simulator": simulator}).compact()


def silent_agents(conversations: Sequence[Conversation]) -> str | None:
    """Say that no agent says anything in any conversation; None where one does."""
    if any(m.role == "assistant" for c in conversations for m in c.messages):
        return None
    return "no conversation has a message of the agent, so that nothing that agents do can be measured"


def _alternates(conversations: Sequence[Conversation]) -> bool:
    """Tell whether system messages answer the user's in nearly all conversations in which a user speaks."""
    roles = [[m.role for m in c.messages if m.role in ("user", "system")] for c in conversations]
    spoken = [each for each in roles if "user" in each]
    answered = sum(("user", "system") in pairwise(each) for each in spoken)
    return answered > 0 and answered >= ANSWERED_SHARE * len(spoken)


def _with_agents(conversations: Sequence[Conversation]) -> tuple[tuple[Conversation, ...], int]:
    n = 0
    made = []
    for conversation in conversations:
        messages = []
        for index, message in enumerate(conversation.messages):
            is_prompt = index == 0 and len(message.content.split()) >= PROMPT_WORDS
            if message.role == "system" and not is_prompt:
                message = message.model_copy(update={"role": "assistant"})
                n += 1
            messages.append(message)
        made.append(conversation.model_copy(update={"messages": tuple(messages)}).compact())
    return tuple(made), n


def _no_agent(conversations: Sequence[Conversation]) -> str:
    roles = Counter(m.role for c in conversations for m in c.messages)
    found = listed([f"{role} ({n:,})" for role, n in roles.most_common()], MAX_TOKENS_SHOWN)
    return (
        f"contains no message of an agent in any conversation; the roles found are {found}; an agent's messages have "
        "the role assistant (or agent, bot, ai, model)"
    )


def _silent_users(conversations: Sequence[Conversation]) -> list[str]:
    """Say how many users' messages are empty and do nothing else either, where most are."""
    users = [m for c in conversations for m in c.messages if m.role == "user"]
    empty = sum(not (m.content.strip() or m.accepted or m.items) and m.action in (None, "say") for m in users)
    if len(users) < FEW_MESSAGES or empty <= MOST_EMPTY * len(users):
        return []
    return [
        f"{empty:,} of {len(users):,} user messages are empty in the file, and count as messages without words; if "
        "their text stands elsewhere, put it into content"
    ]


class _Cutting:
    """Cuts control tokens out of conversations, and remembers what to warn of."""

    def __init__(self, tokens: ControlTokens) -> None:
        self._tokens = tokens
        self._found: Counter[str] = Counter()
        self._n_messages = self._n_dropped = self._n_thought = 0
        self._endings: Counter[str] = Counter()

    def conversation(self, conversation: Conversation) -> Conversation:
        kept: list[Message] = []
        tokens: list[str] = []
        n_thought = self._n_thought
        for message in conversation.messages:
            said = self._without_thought(message)
            made, found = self._message(said) if said.role == "user" else (said, ())
            tokens += found
            if found and not made.content and made.action is None and not made.accepted and not made.items:
                self._n_dropped += 1
            else:
                kept.append(made)
        if not tokens and self._n_thought > n_thought:
            return conversation.model_copy(update={"messages": tuple(kept)}).compact()
        if not tokens:
            return conversation
        before = conversation.metadata.get("stop_tokens")
        stop_tokens: list[JsonValue] = [*(before if isinstance(before, list) else []), *tokens]
        changes: dict[str, object] = {
            "messages": tuple(kept),
            "metadata": {**conversation.metadata, "stop_tokens": stop_tokens},
        }
        ending = self._tokens.ending(tokens)
        if ending and conversation.ending == "unknown" and conversation.failure is None:
            changes["ending"] = ending
            self._endings[ending] += 1
        return conversation.model_copy(update=changes).compact()

    def _without_thought(self, message: Message) -> Message:
        """Return a message without the reasoning of a model that stands in its text."""
        text = message.content
        if message.role not in SPEAKERS or not OPENING_MARKS.search(text):
            return message
        parted = split_reasoning(text)
        if not parted.thought.strip():
            return message
        self._n_thought += 1
        metadata = {**message.metadata, "reasoning": parted.thought.strip()}
        return message.model_copy(update={"content": parted.said.strip(), "metadata": metadata})

    def _message(self, message: Message) -> tuple[Message, tuple[str, ...]]:
        text, tokens = self._tokens.cut(message.content)
        if not tokens:
            return message, ()
        self._found.update(tokens)
        self._n_messages += 1
        before = message.metadata.get("stop_tokens")
        stop_tokens: list[JsonValue] = [*(before if isinstance(before, list) else []), *tokens]
        changes = {"content": text, "metadata": {**message.metadata, "stop_tokens": stop_tokens}}
        return message.model_copy(update=changes), tokens

    def warnings(self) -> list[str]:
        """Say what was cut."""
        thought = []
        if self._n_thought:
            thought.append(
                f"{self._n_thought:,} messages held reasoning of a model (such as <think>), which nobody said: it was "
                "cut, and is kept in metadata.reasoning"
            )
        if not self._found:
            return thought
        named = listed(
            [f"{shown(token, limit=40)} ({n:,})" for token, n in self._found.most_common()], MAX_TOKENS_SHOWN
        )
        dropped = (
            f"; {self._n_dropped:,} of them held nothing else and were left out" if self._n_dropped else ""
        )
        ended = ", ".join(f"{ending} ({n:,})" for ending, n in self._endings.most_common())
        told = f"; endings were told by them: {ended}" if ended else ""
        return [
            *thought,
            f"{self._n_messages:,} user messages held control tokens of a simulator, which are no words of a user's "
            f"and were cut: {named}{dropped}{told}",
        ]
