"""People whose messages a model has put into other words: what they do stays, a share of what they say does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

import convsim
from convsim.schema import ChatModel
from convsim.schema.conversation import Conversation
from convsim.seeds import child_seed
from tests.evidence.kept import Kept

ASKED = """\
Message: hi, i need a warm hat for skiing
In other words: Hello! I'm looking for a warm hat that I can wear when I go skiing.

Message: not bad but do you have another one
In other words: That's quite nice, but could you show me a different one?

Message: {said}
In other words:"""
MAX_TOKENS, TEMPERATURE = 60, 0.7


def rewritten(conversations: Sequence[Conversation], file: Path, *, seed: int) -> dict[str, list[str]]:
    """Return every user message in the embedded model's words, by the id of its conversation; kept in ``file``.

    A message stays as it is where the model says nothing.
    """
    kept, model = Kept(file), convsim.make_model("embedded")
    return {
        c.id: kept.row({"id": c.id, "seed": seed}, partial(_rewritten, model, c, seed))["found"]["said"]
        for c in conversations
    }


def _rewritten(model: ChatModel, conversation: Conversation, seed: int) -> dict[str, list[str]]:
    async def one(number: int, said: str) -> str:
        answer = await model.continue_text(
            ASKED.format(said=" ".join(said.split())), max_tokens=MAX_TOKENS, temperature=TEMPERATURE,
            seed=child_seed(seed, conversation.id, number), stop=("\n",),
        )  # fmt: skip
        return answer.text.strip() or said

    async def every() -> list[str]:
        return await asyncio.gather(
            *(one(number, m.content) for number, m in enumerate(conversation.user_messages))
        )

    return {"said": asyncio.run(every())}


def with_rewritten(
    conversations: Sequence[Conversation],
    words: Mapping[str, Sequence[str]],
    share: float,
    rng: np.random.Generator,
) -> list[Conversation]:
    """Put the model's words in place of a share of all user messages, drawn at random."""
    places = [(c.id, number) for c in conversations for number in range(len([*c.user_messages]))]
    chosen = {places[i] for i in rng.permutation(len(places))[: round(share * len(places))].tolist()}
    return [_with(c, words, chosen) for c in conversations]


def _with(c: Conversation, words: Mapping[str, Sequence[str]], chosen: set[tuple[str, int]]) -> Conversation:
    messages, number = [], 0
    for message in c.messages:
        if message.role == "user":
            if (c.id, number) in chosen:
                message = message.but(content=words[c.id][number])
            number += 1
        messages.append(message)
    return c.but(messages=messages)
