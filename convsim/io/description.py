"""Describes a file of conversations: what is in it, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from math import fsum
from statistics import fmean, median

from pydantic import BaseModel, ConfigDict, JsonValue

from convsim._text import path_text
from convsim.io.finishing import silent_agents
from convsim.io.problems import shown
from convsim.io.repeats import repeated_conversations
from convsim.io.survey import SurveyReport
from convsim.io.transcripts import Transcripts
from convsim.schema.conversation import Conversation, Label, Labels
from convsim.text.language import Language, tell_language
from convsim.text.words import words

MAX_VALUES = 5

Kind = tuple[str, str, str, tuple[float, float] | None]
"""Name, level, source, scale."""


class LabelCount(BaseModel):
    """The labels of one name, level, source and scale.

    ``level`` is ``conversation`` or a message's role; ``mean`` is over the ``n_numbers`` values that are
    numbers; ``values`` counts the others, the five most frequent ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    level: str
    source: str
    scale: tuple[float, float] | None
    n: int
    n_numbers: int
    mean: float | None
    values: dict[str, int]


@dataclass
class _Tally:
    numbers: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def add(self, value: JsonValue) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.numbers.append(value)
        else:
            self.others[value[:60] if isinstance(value, str) else shown(value)] += 1


def count_labels(conversations: Iterable[Conversation]) -> tuple[LabelCount, ...]:
    """Count all labels, in the order of name, level and source."""
    tallies: dict[Kind, _Tally] = {}
    for conversation in conversations:
        for kind, label in _labels(conversation):
            tallies.setdefault(kind, _Tally()).add(label.value)
    return tuple(
        _count(kind, tallies[kind]) for kind in sorted(tallies, key=lambda kind: (kind[:3], kind[3] or ()))
    )


def _labels(conversation: Conversation) -> Iterator[tuple[Kind, Label]]:
    yield from _of(conversation.labels, "conversation")
    for message in conversation.messages:
        yield from _of(message.labels, message.role)


def _of(labels: Labels, level: str) -> Iterator[tuple[Kind, Label]]:
    for name, given in labels.items():
        for label in given:
            yield (name, level, label.source, label.scale), label


def _count(kind: Kind, tally: _Tally) -> LabelCount:
    name, level, source, scale = kind
    return LabelCount(
        name=name,
        level=level,
        source=source,
        scale=scale,
        n=len(tally.numbers) + tally.others.total(),
        n_numbers=len(tally.numbers),
        mean=_mean(tally.numbers) if tally.numbers else None,
        values=dict(tally.others.most_common(MAX_VALUES)),
    )


def _mean(numbers: Sequence[float]) -> float:
    """Return a mean, also of numbers whose sum is beyond what a float can be."""
    try:
        return fmean(numbers)
    except OverflowError:
        return fsum(number / len(numbers) for number in numbers)


NONE = "-"
"""Stands for what is not stated, in counts by name."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stratum(_Part):
    """The conversations of one task and arm, null where not stated."""

    task: str | None
    arm: str | None
    n: int


class Spread(_Part):
    """Of ``n`` numbers; null where there are none."""

    n: int
    mean: float | None
    median: float | None
    min: float | None
    max: float | None

    @classmethod
    def of(cls, values: Sequence[int]) -> Spread:
        """Summarise ``values``."""
        if not values:
            return cls(n=0, mean=None, median=None, min=None, max=None)
        return cls(n=len(values), mean=fmean(values), median=median(values), min=min(values), max=max(values))


class Users(_Part):
    """How many users are known, and of how many conversations."""

    known: int
    conversations: int


class Alternation(_Part):
    """Conversations in which user and agent do not take turns, the user first."""

    agent_first: int
    user_twice: int
    """Two user messages stand in a row."""
    agent_twice: int
    no_user: int
    no_agent: int = 0


class Description(_Part):
    """What ``convsim data describe`` says; all counts are of conversations where nothing else is said."""

    path: str
    sha256: str
    format: str
    warnings: tuple[str, ...]
    skipped: int
    conversations: int
    strata: tuple[Stratum, ...]
    agents: dict[str, int]
    simulators: dict[str, int]
    states_users: bool = True
    """Whether the file says of all conversations that people or a simulator had them."""
    sources: dict[str, int]
    users: Users
    messages: dict[str, int]
    """Messages by role."""
    empty_messages: dict[str, int]
    """Messages that hold nothing but white space, by role."""
    turns: Spread
    """Turns a conversation."""
    language: Language
    """What the users write in."""
    user_words: Spread
    """Words a user message, empty ones included; characters where its words cannot be told."""
    labels: tuple[LabelCount, ...]
    endings: dict[str, int]
    failures: dict[str, int]
    alternation: Alternation
    items_shown: int
    items_accepted: int
    conversations_with_accepted: int
    survey: SurveyReport | None


def describe(transcripts: Transcripts) -> Description:
    """Count what is in a file of conversations; repairs and drops nothing."""
    conversations = transcripts.conversations
    messages = [message for c in conversations for message in c.messages]
    accepted = [sum(len(m.accepted) for m in c.messages) for c in conversations]
    odd = (repeated_conversations(conversations), silent_agents(conversations))
    with_user = [c.user for c in conversations if c.user is not None]
    return Description(
        path=path_text(transcripts.path),
        sha256=transcripts.sha256,
        format=transcripts.format,
        warnings=(*transcripts.warnings, *filter(None, odd)),
        skipped=transcripts.skipped,
        conversations=len(conversations),
        strata=_strata(conversations),
        agents=_counts(c.agent for c in conversations),
        simulators=_counts(c.simulator for c in conversations),
        states_users=all(map(partial(_states_user, transcripts.format), conversations)),
        sources=_counts(c.source for c in conversations),
        users=Users(known=len(set(with_user)), conversations=len(with_user)),
        messages=_counts(m.role for m in messages),
        empty_messages=_counts(m.role for m in messages if not m.content or m.content.isspace()),
        turns=Spread.of([sum(1 for _ in c.turns()) for c in conversations]),
        language=tell_language("\n".join(m.content for m in c.user_messages) for c in conversations),
        user_words=Spread.of([len(words(m.content)) for m in messages if m.role == "user"]),
        labels=count_labels(conversations),
        endings=_counts(c.ending for c in conversations),
        failures=_counts(c.failure.reason for c in conversations if c.failure),
        alternation=_alternation(conversations),
        items_shown=sum(len(m.items) for m in messages),
        items_accepted=sum(accepted),
        conversations_with_accepted=sum(map(bool, accepted)),
        survey=transcripts.survey,
    )


STATED = frozenset({"convsim", "convsim-parquet", "convapparel", "tau2", "mirrorbench"})
"""Formats that say of each conversation whether people had it, or by themselves; no other one does."""
NEVER_STATED = "dialoguekit"
"""A source that stays such where its conversations were converted."""


def _states_user(format: str, conversation: Conversation) -> bool:
    return conversation.simulator is not None or (format in STATED and conversation.source != NEVER_STATED)


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(NONE if value is None else value for value in values).most_common())


def _strata(conversations: Sequence[Conversation]) -> tuple[Stratum, ...]:
    counted = Counter((c.task, c.arm) for c in conversations)
    ordered = sorted(counted, key=lambda stratum: tuple((name is None, name or "") for name in stratum))
    return tuple(Stratum(task=task, arm=arm, n=counted[task, arm]) for task, arm in ordered)


def _alternation(conversations: Sequence[Conversation]) -> Alternation:
    agent_first = user_twice = agent_twice = no_user = no_agent = 0
    for conversation in conversations:
        roles = [m.role for m in conversation.messages if m.role in ("user", "assistant")]
        pairs = set(pairwise(roles))
        agent_first += roles[:1] == ["assistant"]
        user_twice += ("user", "user") in pairs
        agent_twice += ("assistant", "assistant") in pairs
        no_user += "user" not in roles
        no_agent += "assistant" not in roles
    return Alternation(
        agent_first=agent_first,
        user_twice=user_twice,
        agent_twice=agent_twice,
        no_user=no_user,
        no_agent=no_agent,
    )
