"""Finds a discriminator's words in a message, so that they can be marked where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from convsim.schema import WORD


class Span(NamedTuple):
    """Where a word, or two in a row, stands in a text, and for which side it speaks."""

    start: int
    end: int
    feature: str


class Segment(NamedTuple):
    """A piece of a message; ``side`` is None where nothing is marked."""

    text: str
    side: str | None


def find_words(text: str, features: Mapping[str, str]) -> Iterator[Span]:
    """Yield the features (words and pairs of words, in lower case) that stand in ``text``, none over another."""
    tokens = [(match.start(), match.end(), match.group().lower()) for match in WORD.finditer(text)]
    index = 0
    while index < len(tokens):
        start, end, word = tokens[index]
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        pair = f"{word} {following[2]}" if following else ""
        if following and pair in features:
            yield Span(start, following[1], pair)
            index += 2
            continue
        if word in features:
            yield Span(start, end, word)
        index += 1


def marked(text: str, features: Mapping[str, str]) -> list[Segment]:
    """Cut ``text`` into segments; ``features`` says for which side each speaks."""
    segments: list[Segment] = []
    done = 0
    for span in find_words(text, features):
        if span.start > done:
            segments.append(Segment(text[done : span.start], None))
        segments.append(Segment(text[span.start : span.end], features[span.feature]))
        done = span.end
    if done < len(text):
        segments.append(Segment(text[done:], None))
    return segments
