"""Whole conversations as they are: other people, and copies of the people who are judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.talk import drawn, pieces, users_of, with_texts
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from numpy.random import Generator


@adversary(least_changed=0)
def other_people(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Other people: what nothing may catch."""
    return list(people)


@adversary(caught_by=("copies",), made_of="judged")
def copies_with_a_word_swapped(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The judged people's own conversations with one word replaced in each."""
    return swapped_words(people, rng)


@adversary(caught_by=("copies",), made_of="judged")
def copies_cut_by_a_character(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The judged people's own conversations without the last character of each message."""
    return [with_texts(c, [m.content[:-1] for m in users_of(c)]) for c in people]


def swapped_words(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Replace one word of each conversation by a word of anybody's."""
    vocabulary = [part for c in people for m in users_of(c) for part in pieces(m.content).parts]
    if not vocabulary:
        return list(people)
    return [_swapped(c, drawn(vocabulary, rng), rng) for c in people]


def _swapped(conversation: Conversation, word: str, rng: Generator) -> Conversation:
    texts = [m.content for m in users_of(conversation)]
    places = [(n, at) for n, text in enumerate(texts) for at in range(len(pieces(text).parts))]
    if not places:
        return conversation
    n, at = drawn(places, rng)
    cut = pieces(texts[n])
    texts[n] = cut.text([*cut.parts[:at], word, *cut.parts[at + 1 :]])
    return with_texts(conversation, texts)
