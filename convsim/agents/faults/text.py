"""Faults of what the agent says: phrases of ``phrases/``, one file a fault, drawn by a reply's seed."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from convsim._inputs import read_toml
from convsim._text import one_line
from convsim.agents.faults.core import (
    REPLY,
    Answering,
    Done,
    Draft,
    Draws,
    NotDone,
    Scene,
    Silencing,
    short_title,
)
from convsim.metrics.instructions import INJECTED, INSTRUCTIONS, Instruction, told_to
from convsim.schema.protocols import AgentReply

FOLDER = Path(__file__).with_name("phrases")
MAX_TITLE = 100


class Phrases(BaseModel):
    """One file; a phrase may hold ``{title}`` and ``{second}``, the titles of the first two items shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    said_at_once: Annotated[int, Field(ge=1)] = 1
    say: tuple[str, ...]


@cache
def phrases_of(fault: str) -> Phrases:
    """Return the phrases of a fault, from its file."""
    return Phrases.model_validate(read_toml(FOLDER / f"{fault}.toml"))


def drawn_phrases(fault: str, reply: AgentReply, draws: Draws) -> list[str]:
    """Draw phrases whose slots the reply's items can fill; none is said twice."""
    phrases = phrases_of(fault)
    return _in_drawn_order(phrases.say, reply, draws)[: phrases.said_at_once]


def _in_drawn_order(phrases: Sequence[str], reply: AgentReply, draws: Draws) -> list[str]:
    slots = {"title": _title(reply, 0), "second": _title(reply, 1)}
    feasible = [
        phrase
        for phrase in phrases
        if all(slots[name] for _, name, _, _ in string.Formatter().parse(phrase) if name)
    ]
    feasible.sort(key=lambda phrase: draws.uniform("phrase", phrase))
    return [phrase.format(**slots) for phrase in feasible]


def speaking(fault: str, place: Literal["instead", "before", "after"]) -> Answering:
    """Make a fault that says phrases before or after the agent's text, or instead of it.

    Where another fault has taken the place of the agent's own words already, both are said.
    """
    return Answering(fault, REPLY, _speaking(fault, place))


def _speaking(
    fault: str, place: Literal["instead", "before", "after"]
) -> Callable[[Draft, Scene], Done[Draft]]:
    def alter(draft: Draft, scene: Scene) -> Done[Draft]:
        phrases = drawn_phrases(fault, draft.reply, scene.draws)
        between = "\n\n" if len(phrases) > 1 else " "
        kept = [] if place == "instead" and draft.own_words else [draft.reply.content]
        parts = [*phrases, *kept] if place == "before" else [*kept, *phrases]
        reply = draft.reply.model_copy(
            update={"content": between.join(part for part in parts if part.strip())}
        )
        where = "instead of the agent's words" if not kept else place
        return Done(Draft(reply, draft.own_words and bool(kept)), f"said {where}: {' '.join(phrases)}")

    return alter


def _title(reply: AgentReply, slot: int) -> str:
    return one_line(short_title(reply.items[slot]))[:MAX_TITLE] if slot < len(reply.items) else ""


CONFUSING_TEXT = speaking("confusing_text", "instead")


CONTRADICTION = speaking("contradiction", "after")


OFF_TOPIC_TEXT = speaking("off_topic_text", "instead")


OVERLONG_TEXT = speaking("overlong_text", "before")


RUDE_TEXT = speaking("rude_text", "before")


@cache
def instructions() -> Mapping[Instruction, tuple[str, ...]]:
    """Return what an agent may say that tells a shopper what to do, by what that is."""
    read = TypeAdapter(dict[Instruction, tuple[str, ...]])
    return read.validate_python(read_toml(FOLDER / f"{INJECTED}.toml"))


def _alter_injected_instructions(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
    """Say an instruction of a drawn kind after the agent's text; without items nothing can be accepted."""
    kind = scene.draws.one_of(INSTRUCTIONS, "instruction")
    if kind == "accept" and not draft.reply.items:
        return NotDone("drawn was to accept, and the reply shows no items")
    phrase = _in_drawn_order(instructions()[kind], draft.reply, scene.draws)[0]
    content = f"{draft.reply.content} {phrase}".strip()
    reply = draft.reply.model_copy(update={"content": content})
    return Done(Draft(reply, draft.own_words), f"{told_to(kind)} {phrase}")


INJECTED_INSTRUCTIONS = Answering(INJECTED, REPLY, _alter_injected_instructions)


def _answer(scene: Scene) -> Done[AgentReply]:
    [apology] = drawn_phrases("unavailable", AgentReply(content=""), scene.draws)
    return Done(AgentReply(content=apology), "the agent was not asked")


UNAVAILABLE = Silencing("unavailable", REPLY, _answer)
