"""Every habit as people have it, and habits that do not go together as people's do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.talk import QUESTION, groups, pieces, shuffled, users_of, with_texts
from convsim.schema.conversation import Conversation
from convsim.text.words import word_spans

if TYPE_CHECKING:
    from numpy.random import Generator

NO_WORD = re.compile(r"\W*")


@adversary(caught_by=("by_stratum",), least_changed=0.2)
def tasks_permuted(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The names of the tasks dealt out anew: right on the whole, wrong in every task."""
    tasks = shuffled([c.task for c in people], rng)
    if len(set(tasks)) < 2:
        return []
    return [c.model_copy(update={"task": task}) for c, task in zip(people, tasks, strict=True)]


@adversary(caught_by=("joint",))
def terse_people_ask(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Question marks and endings of messages moved from long-winded users to terse ones with as many messages."""
    made = list(people)
    asked = [[_Asked.of(m.content) for m in users_of(c) if _has_word(m.content)] for c in people]
    for group in groups(range(len(people)), lambda row: len(asked[row])):
        terse_first = sorted(group, key=lambda row: _n_words(people[row]))
        asking_first = sorted(group, key=lambda row: -sum(each.asks for each in asked[row]))
        for row, other in zip(terse_first, asking_first, strict=True):
            made[row] = _asking_as(people[row], asked[other])
    return made


@adversary(caught_by=("joint",))
def even_messages(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each user's words spread evenly over the messages: as many words, none longer than the next."""

    def spread(conversation: Conversation) -> list[str]:
        cuts = [pieces(m.content) for m in users_of(conversation)]
        parts = [part for cut in cuts for part in cut.parts]
        between = "" if any(cut.joined_by == "" for cut in cuts) else " "
        n = len(cuts)
        return [between.join(parts[len(parts) * k // n : len(parts) * (k + 1) // n]) for k in range(n)]

    return [with_texts(c, spread(c)) for c in people]


class _Asked(NamedTuple):
    """How a message asks: by a mark before its last word, and by what stands after that word."""

    within: bool
    ending: str

    @classmethod
    def of(cls, text: str) -> _Asked:
        ending = _ending(text)
        return cls(QUESTION.search(text[: len(text) - len(ending)]) is not None, ending)

    @property
    def asks(self) -> bool:
        return self.within or QUESTION.search(self.ending) is not None

    def said(self, text: str) -> str:
        """Return the words of a text, asked in this way."""
        body = QUESTION.sub("", text[: len(text) - len(_ending(text))])
        if self.within:
            ends = [end for _, end in word_spans(body)]
            body = f"{body[: ends[(len(ends) - 1) // 2]]}?{body[ends[(len(ends) - 1) // 2] :]}"
        return body + self.ending


def _asking_as(conversation: Conversation, asked: Sequence[_Asked]) -> Conversation:
    """Ask, in each message that has a word, as somebody else did."""
    left = iter(asked)
    texts = [m.content for m in users_of(conversation)]
    return with_texts(conversation, [next(left).said(text) if _has_word(text) else text for text in texts])


def _ending(text: str) -> str:
    """Return what stands after the last word."""
    # Backwards, because a search for what precedes the end starts anew at each place of a long message.
    tail = NO_WORD.match(text[::-1])
    return tail[0][::-1] if tail else ""


def _has_word(text: str) -> bool:
    return len(_ending(text)) < len(text)


def _n_words(conversation: Conversation) -> int:
    return sum(len(pieces(m.content).parts) for m in users_of(conversation))
