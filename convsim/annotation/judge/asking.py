"""Asks a model for votes, checks their form, and makes labels of what more than half of them say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from convsim.annotation.definitions import OTHER, Definitions, definitions
from convsim.annotation.judge.prompts import render, shuffled
from convsim.errors import ModelError
from convsim.models.fallback import FALLBACK, noting_fallbacks
from convsim.schema import ChatMessage, ChatModel, Completion
from convsim.schema.conversation import Label
from convsim.seeds import child_seed

ACCEPT, WOULD_BUY = "accept_recommendation", "purchase_intent"
"""By their definitions the first does not hold without the second."""


class ConversationVerdict(BaseModel):
    """How a user fares: one field a name in the definitions, each 0 or 1, all of them there and no other."""

    model_config = ConfigDict(extra="forbid")

    @property
    def experience(self) -> dict[str, int]:
        """The value of each name."""
        return {name: int(value) for name, value in self if name != "acts"}


class MessageVerdict(ConversationVerdict):
    """The same of one message, and its acts."""

    acts: list[str]

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> Self:
        if not self.acts:
            raise ValueError(f"acts must list at least one act; {OTHER!r} where no other holds")
        if len(set(self.acts)) < len(self.acts):
            raise ValueError("acts must list each act once")
        if OTHER in self.acts and len(self.acts) > 1:
            beside = next(act for act in self.acts if act != OTHER)
            raise ValueError(f"acts must not list {OTHER!r} beside {beside!r}: it holds where no act does")
        if ACCEPT in self.acts and self.experience.get(WOULD_BUY) == 0:
            raise ValueError(f"{ACCEPT!r} contradicts {WOULD_BUY} 0: who takes an item would have it")
        return self


Verdict = TypeVar("Verdict", bound=ConversationVerdict)


def message_schema(stated: Definitions) -> type[MessageVerdict]:
    """Return the schema of a message's labels, acts and names in the order stated."""
    acts = cast(Any, list)[cast(Any, Literal)[stated.act_names]]
    return create_model(
        "MessageLabels", __base__=MessageVerdict, **{"acts": (acts, ...), **_feelings(stated)}
    )


def conversation_schema(stated: Definitions) -> type[ConversationVerdict]:
    """Return the schema of a whole conversation's labels, names in the order stated."""
    return create_model("ConversationLabels", __base__=ConversationVerdict, **_feelings(stated))


def read_verdict(text: str, schema: type[Verdict], *, who: str) -> Verdict:
    """Read an answer that the schema has accepted.

    Raises:
        ModelError: It names something twice, of which a reader of JSON keeps the last in silence.
    """

    def check(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ModelError(f"{who} gave {twice[0]!r} twice in one answer")

    json.loads(text, object_pairs_hook=check)
    return schema.model_validate_json(text)


def _feelings(stated: Definitions) -> dict[str, Any]:
    return dict.fromkeys(stated.experience_names, (Literal[0, 1], ...))


ACTS = "acts"


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One answer about one message, or about a conversation, which has no acts."""

    experience: Mapping[str, int]
    completions: tuple[Completion, ...]
    acts: frozenset[str] = frozenset()
    fallbacks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Models that answered in place of the first, by the name of the label."""


def labels_of(votes: Sequence[Vote], *, source: str) -> dict[str, Label]:
    """Return the labels that the votes carry.

    A value, or an act, needs more than half of the votes. A tie gives no label, neither the one value nor the other:
    either would be made up. Several votes leave ``agreement`` in a label's metadata, from 0 to 1: the proportion of
    votes with the label's value; for acts the mean overlap (shared acts over acts of either) of a vote with the label.
    ``fallback`` there names the models that answered for a vote in place of the judge's own.
    """
    labels: dict[str, Label] = {}
    acts = Counter(act for vote in votes for act in vote.acts)
    if carried := sorted(act for act, n in acts.items() if 2 * n > len(votes)):
        agreement = sum(_overlap(vote.acts, frozenset(carried)) for vote in votes) / len(votes)
        labels[ACTS] = Label(value=[*carried], source=source, metadata=_kept(ACTS, agreement, votes))
    for name in sorted(votes[0].experience):
        share = sum(vote.experience[name] for vote in votes) / len(votes)
        if share != 0.5:
            kept = _kept(name, max(share, 1 - share), votes)
            labels[name] = Label(value=int(share > 0.5), source=source, scale=(0, 1), metadata=kept)
    return labels


def _kept(name: str, agreement: float, votes: Sequence[Vote]) -> dict[str, object]:
    kept: dict[str, object] = {"agreement": agreement} if len(votes) > 1 else {}
    stood_in = sorted({model for vote in votes for model in vote.fallbacks.get(name, ())})
    return {**kept, FALLBACK: stood_in} if stood_in else kept


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


YES, NO, ACT = "yes", "no", "act"


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
        ModelError: The model fails, or its answers are not such labels; the message says why.
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
    with noting_fallbacks() as noted:
        completion = await model.complete(
            asked, max_tokens=max_tokens, temperature=temperature, seed=task.seed, schema=schema
        )
    verdict = read_verdict(completion.text, schema, who=model.name)
    acts = frozenset(getattr(verdict, "acts", ()))
    return Vote(
        acts=acts,
        experience=verdict.experience,
        completions=(completion,),
        fallbacks={name: [*noted] for name in (ACTS, *verdict.experience)},
    )


async def vote_by_choices(model: ChatModel, task: Task, *, temperature: float) -> Vote:
    """Ask one question after another, each with its options: yes or no of each feeling, and which act above all.

    Every question is asked by itself, so that two answers may disagree; that is the annotator's error, and measured
    as such.

    Raises:
        ModelError: The model fails, or chooses none of the options.
    """
    completions: list[Completion] = []
    fallbacks: dict[str, list[str]] = {}

    async def choose(prompt: str, options: list[str], name: str) -> str:
        asked = [ChatMessage(role="user", content=prompt)]
        seed = child_seed(task.seed, name)
        with noting_fallbacks() as fallbacks[name]:
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
        acts = frozenset([await choose(prompt, list(stated.act_names), ACT)])
    if asked_act := fallbacks.pop(ACT, None):
        fallbacks[ACTS] = asked_act
    return Vote(acts=acts, experience=experience, completions=tuple(completions), fallbacks=fallbacks)
