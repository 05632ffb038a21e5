"""Asks a model for one vote: as JSON of a schema, or by one choice after another."""

from __future__ import annotations

from dataclasses import dataclass

from convsim.annotation.definitions import Definitions, definitions
from convsim.annotation.judge.prompts import render, shuffled
from convsim.annotation.judge.verdict import conversation_schema, message_schema, read_verdict
from convsim.annotation.judge.votes import Vote
from convsim.schema import ChatMessage, ChatModel, Completion
from convsim.seeds import child_seed

YES, NO = "yes", "no"


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be labelled, and the draw with which it is asked for."""

    chat: str
    """The lines of the chat up to the message; all of them where it is the whole chat."""
    whole: bool
    seed: int
    """Moves the order in which acts, questions and options are listed, and what the model draws."""

    @property
    def stated(self) -> Definitions:
        """The definitions in this draw's order."""
        return shuffled(definitions(), self.seed)


async def vote_by_schema(model: ChatModel, task: Task, *, max_tokens: int, temperature: float) -> Vote:
    """Ask for all labels in one answer.

    Raises:
        ModelError: The model fails, or its answers are no such labels; it says what was wrong.
    """
    stated = task.stated
    schema = conversation_schema(stated) if task.whole else message_schema(stated)
    system = render(
        "conversation" if task.whole else "message", acts=stated.acts, experience=stated.experience
    )
    asked = [
        ChatMessage(role="system", content=system),
        ChatMessage(role="user", content=render("chat", chat=task.chat, whole=task.whole)),
    ]
    completion = await model.complete(
        asked, max_tokens=max_tokens, temperature=temperature, seed=task.seed, schema=schema
    )
    verdict = read_verdict(completion.text, schema, who=model.name)
    acts = frozenset(getattr(verdict, "acts", ()))
    return Vote(acts=acts, experience=verdict.experience, completions=(completion,))


async def vote_by_choices(model: ChatModel, task: Task, *, temperature: float) -> Vote:
    """Ask one question after another, each with its options: yes or no of each feeling, and which act above all.

    Every question is asked by itself, so that two answers may disagree; that is the annotator's error, and measured
    as such.

    Raises:
        ModelError: The model fails, or chooses none of the options.
    """
    completions: list[Completion] = []

    async def choose(prompt: str, options: list[str], name: str) -> str:
        asked = [ChatMessage(role="user", content=prompt)]
        seed = child_seed(task.seed, name)
        choice = await model.choose(asked, options, temperature=temperature, seed=seed)
        completions.append(choice.completion)
        return options[choice.index]

    stated = task.stated
    experience: dict[str, int] = {}
    for feeling in stated.experience:
        prompt = render("question", chat=task.chat, whole=task.whole, feeling=feeling)
        options = [YES, NO] if child_seed(task.seed, feeling.name, "order") % 2 else [NO, YES]
        experience[feeling.name] = int(await choose(prompt, options, feeling.name) == YES)
    acts: frozenset[str] = frozenset()
    if not task.whole:
        prompt = render("act", chat=task.chat, acts=stated.acts)
        acts = frozenset([await choose(prompt, list(stated.act_names), "act")])
    return Vote(acts=acts, experience=experience, completions=tuple(completions))
