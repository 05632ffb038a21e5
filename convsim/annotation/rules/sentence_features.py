"""Reads a user's message: the cues of each sentence, how it is built, and what content it has."""

from __future__ import annotations

from typing import NamedTuple

from convsim.annotation.rules.language import Language
from convsim.annotation.rules.tokenizer import BREAK, Sentence, is_number, sentences

LONGEST_WONDERING = 3
LONGEST_OPENING = 2
"""Words of the longest phrase in ``questions``."""


class ReadSentence(NamedTuple):
    """The facts of one sentence by name, and its content words."""

    facts: frozenset[str]
    content: frozenset[str]


def read_message(text: str, language: Language) -> list[ReadSentence]:
    """Read a message sentence by sentence; none where it says nothing."""
    found = [part for whole in sentences(text, language.spelling) for part in _parts(whole, language)]
    return [
        _read(sentence, language, start=number == 0, alone=len(found) == 1)
        for number, sentence in enumerate(found)
    ]


def _read(sentence: Sentence, language: Language, *, start: bool, alone: bool) -> ReadSentence:
    words = sentence.words
    hits = language.user.hits(words)
    empty = {
        place
        for hit in hits
        if hit.cue in language.rules.reading.empty_cues
        for place in range(hit.first, hit.last + 1)
    }
    grammar = language.rules.reading.grammar.words
    content = frozenset(
        _singular(word)
        for place, word in enumerate(words)
        if place not in empty and word not in grammar and word[0].isascii() and word.isalnum()
    )
    if content:
        content |= language.user.grammar.negating.intersection(words)
    opens = _opens_question(words, language)
    question = sentence.asked or opens
    built = {
        "question": question,
        "opens": opens,
        "exclaimed": sentence.exclaimed,
        "number": any(map(is_number, words)),
        "alone": alone,
        "start": start,
        "content": bool(content),
        "wondering": question and not content and len(words) <= LONGEST_WONDERING,
    }
    facts = language.user.cues(words, hits) | {name for name, holds in built.items() if holds}
    return ReadSentence(frozenset(facts), content)


def _parts(sentence: Sentence, language: Language) -> list[Sentence]:
    """Cut a sentence where a question begins after a comma: "Great, do you have it in blue?"."""
    for at, word in enumerate(sentence.words):
        if word == BREAK and 0 < at < len(sentence.words) - 1:
            rest = sentence.words[at + 1 :]
            if _starts_question(rest, language):
                return [Sentence(sentence.words[:at], False, False), sentence._replace(words=rest)]
    return [sentence]


def _starts_question(words: tuple[str, ...], language: Language) -> bool:
    return any(words[:length] in language.questions for length in range(1, LONGEST_OPENING + 1))


def _opens_question(words: tuple[str, ...], language: Language) -> bool:
    before = language.rules.reading.before_opening
    at = 0
    while at < len(words) - 1 and words[at] in before:
        at += 1
    return _starts_question(words[at:], language)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
