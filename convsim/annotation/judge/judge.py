"""The judge: a chat model that labels each message from what came before it, and then the whole conversation."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated

from pydantic import Field

from convsim._settings import Positive, Temperature, check_settings
from convsim.annotation.judge.asking import Task, Vote, labels_of, vote_by_choices, vote_by_schema
from convsim.annotation.judge.prompts import Form, lines_of, prompt_hashes, within
from convsim.errors import InputError
from convsim.schema import Annotation, ChatModel
from convsim.schema.conversation import Conversation, Usage
from convsim.seeds import child_seed

AT_ONCE = 8
"""Requests of one conversation that wait for the model at the same time."""
MIN_CHARACTERS = 100
WHOLE = -1
"""Stands for the place of the whole conversation among its messages."""


@dataclass
class Judge:
    """Asks ``model`` for the acts and the experience of every user message, and for the experience of the whole.

    The model sees words, who wrote them and the titles of items shown; never labels, persona, arm, faults, simulator
    or how the conversation ended. Each message is judged from the conversation up to it. An answer that is not a label,
    or contradicts itself, is an error of the whole conversation, never a label.

    ``form`` "schema" takes all labels of a message in one answer of JSON; "choices" asks for them one by one, with one
    act a message, which a small model without JSON can answer too. With several ``votes``, each drawn anew, a label is
    what more than half of them say; acts and questions are listed in another order each time.
    """

    model: ChatModel
    _: KW_ONLY
    form: Form = "schema"
    votes: Annotated[int, Field(ge=1, le=99)] = 1
    temperature: Temperature = 0.0
    """Above 0 where there are several votes."""
    seed: Annotated[int, Field(ge=0)] = 0
    max_characters: Annotated[int, Field(ge=MIN_CHARACTERS)] = 12_000
    """Of the chat in a prompt: of a longer one its beginning and its latest messages are shown."""
    max_message_characters: Annotated[int, Field(ge=MIN_CHARACTERS)] = 1_500
    """Of a longer message its beginning and its end are shown."""
    max_tokens: Positive = 400
    """Of an answer of JSON."""
    name: str = field(default="judge", init=False)

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)
        if self.votes > 1 and self.temperature == 0:
            raise InputError(
                f"{self.name}: {self.votes} votes at temperature 0 are all the same; set temperature above 0"
            )

    @property
    def source(self) -> str:
        """Who gives the labels: ``judge:``, the model, and eight digits of prompts, definitions and settings.

        Settings that change what the model is asked are part of it, since they make another annotator; the seed,
        which draws again from the same one, is not.
        """
        asked = [
            self.prompt_hashes,
            self.form,
            self.votes,
            float(self.temperature),
            self.max_characters,
            self.max_message_characters,
        ]
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return f"judge:{self.model.name}:{digest[:8]}"

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file of the form, and of the definitions, by name."""
        return prompt_hashes(self.form)

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Label a conversation; one without a message of the user has no label.

        Raises:
            ModelError: The model failed, or did not answer with labels; one line why.
        """
        votes = await self._ask_all(self._chats(conversation))
        source = self.source
        labels = {place: labels_of(cast, source=source) for place, cast in votes.items()}
        whole = labels.pop(WHOLE, {})
        completions = [c for cast in votes.values() for vote in cast for c in vote.completions]
        return Annotation(messages=labels, conversation=whole, usage=Usage.sum(completions))

    def _chats(self, conversation: Conversation) -> dict[int, str]:
        """Return what is shown for each user message, made of nothing that comes later, and for the whole."""
        lines = lines_of(conversation, max_characters=self.max_message_characters)
        shown: list[str] = []
        chats: dict[int, str] = {}
        for place, line in lines.items():
            shown.append(line)
            if conversation.messages[place].role == "user":
                chats[place] = within(shown, self.max_characters)
        return {**chats, WHOLE: within(shown, self.max_characters)} if chats else {}

    async def _ask_all(self, chats: dict[int, str]) -> dict[int, list[Vote]]:
        room = asyncio.Semaphore(AT_ONCE)

        async def vote(place: int, number: int) -> Vote:
            async with room:
                return await self._vote(chats[place], number, whole=place == WHOLE)

        try:
            async with asyncio.TaskGroup() as group:
                asked = {
                    place: [group.create_task(vote(place, number)) for number in range(self.votes)]
                    for place in chats
                }
        except ExceptionGroup as failures:
            # The first failure has cancelled the other requests; the annotator's callers know no groups.
            raise failures.exceptions[0] from None
        return {place: [task.result() for task in tasks] for place, tasks in asked.items()}

    async def _vote(self, chat: str, number: int, *, whole: bool) -> Vote:
        # The draw hangs on what is shown, not on the conversation's name or on what comes later.
        task = Task(chat=chat, whole=whole, seed=child_seed(self.seed, "judge", number, int(whole), chat))
        if self.form == "choices":
            return await vote_by_choices(self.model, task, temperature=self.temperature)
        return await vote_by_schema(
            self.model, task, max_tokens=self.max_tokens, temperature=self.temperature
        )
