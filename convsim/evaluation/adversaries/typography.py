"""The same words in another typography."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.talk import drawn, rewritten, users_of, with_texts
from convsim.schema.conversation import Conversation
from convsim.text.words import word_spans

if TYPE_CHECKING:
    from numpy.random import Generator

EMOJI = ("😊", "👍", "🙏", "🎉", "✨")
UNSEEN = "\u200b"
"""A space of no width, as some models and web pages leave behind."""
FIRST_LETTER = re.compile(r"(?<![\w'’])\w")
SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))\w")
TYPOGRAPHIC = (
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(r'(^|(?<=\s))"'), "“"),
    (re.compile(r'"'), "”"),
    (re.compile(r"\s+--?\s+"), " — "),
    (re.compile(r", (?=but|and|or|so)"), " — "),
)


@adversary(caught_by=("typography",))
def lower_case(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Everything in lower case."""
    return rewritten(people, str.lower)


@adversary(caught_by=("typography",))
def title_case(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every Word With A Capital."""
    return rewritten(people, lambda text: FIRST_LETTER.sub(lambda found: found[0].upper(), text))


@adversary(caught_by=("typography",))
def proper_sentences(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every sentence with a capital first letter, every message with a mark at its end."""

    def proper(text: str) -> str:
        text = SENTENCE_START.sub(lambda found: found[0].upper(), text.strip())
        return text + "." if text and (text[-1].isalnum()) else text

    return rewritten(people, proper)


@adversary(caught_by=("typography",), least_changed=0.15)
def typographic_quotes_and_dashes(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Curly quotes and apostrophes, and long dashes."""

    def typeset(text: str) -> str:
        for pattern, character in TYPOGRAPHIC:
            text = pattern.sub(character, text)
        return text

    return rewritten(people, typeset)


@adversary(caught_by=("typography",))
def exclaims_after_the_first_word(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """An exclamation mark after the first word of every message."""
    return rewritten(people, lambda text: _around_first_word(text, "", "!"))


@adversary(caught_by=("typography",))
def markdown(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every message an item of a list with its first word in bold."""
    return rewritten(people, lambda text: f"- {_around_first_word(text, '**', '**')}")


@adversary(caught_by=("typography",))
def emoji(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """An emoji before every message."""
    return rewritten(people, lambda text: f"{drawn(EMOJI, rng)} {text}")


@adversary(caught_by=("typography",))
def unseen_characters(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """A space of no width at the end of every message."""
    return rewritten(people, lambda text: text + UNSEEN)


@adversary(caught_by=("typography", "consistency"))
def typing_changes_midway(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each user's second half without capitals and final marks, the first half with them."""

    def of(conversation: Conversation) -> Conversation:
        texts = [m.content.strip() for m in users_of(conversation)]
        half = (len(texts) + 1) // 2
        neat = [f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else text for text in texts[:half]]
        return with_texts(conversation, [*neat, *(text.lower().rstrip(".!?") for text in texts[half:])])

    return [of(conversation) for conversation in people]


def _around_first_word(text: str, before: str, after: str) -> str:
    start, end = next(word_spans(text), (0, 0))
    return f"{text[:start]}{before}{text[start:end]}{after}{text[end:]}" if end else text
