"""Giveaway words, marked in the messages that contain them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from convsim._text import readable
from convsim.evaluation.layout import WORDS_VIEW, in_section
from convsim.report.html.text import name
from convsim.schema import Finding
from convsim.schema.conversation import Conversation
from convsim.schema.details import DiscriminatorDetails, GiveawayWord
from convsim.text.folding import typed
from convsim.text.words import word_spans


class Span(NamedTuple):
    """Where a word, or two in a row, is in a text, and which side it gives away."""

    start: int
    end: int
    feature: str


class Segment(NamedTuple):
    """A piece of a message; ``side`` is None where nothing is marked."""

    text: str
    side: str | None


def find_words(text: str, features: Mapping[str, str]) -> Iterator[Span]:
    """Yield the features (words and pairs of words, in lower case) that stand in ``text``, none over another."""
    tokens = [(start, end, typed(text[start:end]).lower()) for start, end in word_spans(text)]
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
    if not features:
        return [Segment(text, None)] if text else []
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


Side = Literal["simulated", "human"]
N_GIVEAWAYS = 8
N_EXAMPLES = 2
MAX_CHARACTERS = 80
"""Of a word or pair of words."""
CONTEXT = 60
"""Characters shown on either side of a word."""
MAX_SEARCHED = 20_000
"""Characters of a message that are searched."""


class Example(NamedTuple):
    """A word as somebody said it."""

    conversation: str
    before: str
    word: str
    after: str


@dataclass
class Giveaway:
    """A feature that speaks for one side, and the proportion of conversations on either side that have it."""

    feature: str
    side: Side
    people: float
    simulated: float
    examples: list[Example] = field(default_factory=list)


def find_giveaways(findings: Iterable[Finding], view: str = WORDS_VIEW) -> list[Giveaway]:
    """Return what the discriminator of one view listed, the strongest of either side first."""
    finding = next((f for f in in_section(findings, "recognition") if f.metric == view), None)
    if finding is None or not isinstance(finding.details, DiscriminatorDetails):
        return []
    listed = finding.details.tells
    sides: tuple[tuple[Side, Sequence[GiveawayWord]], ...] = (
        ("simulated", listed.simulated),
        ("human", listed.human),
    )
    return [
        Giveaway(
            readable(word.feature[:MAX_CHARACTERS]), side,
            _share(word.n_real, finding.n_real), _share(word.n_simulated, finding.n_simulated),
        )
        for side, words in sides
        for word in words[:N_GIVEAWAYS]
    ]  # fmt: skip


def add_examples(
    words: Sequence[Giveaway], people: Sequence[Conversation], simulated: Sequence[Conversation]
) -> None:
    """Look for each word in the messages of the side that it speaks for."""
    for side, conversations in (("simulated", simulated), ("human", people)):
        wanted = {word.feature: word for word in words if word.side == side}
        for conversation in conversations:
            if not wanted:
                break
            for example, feature in _said(conversation, dict.fromkeys(wanted, side)):
                wanted[feature].examples.append(example)
                if len(wanted[feature].examples) == N_EXAMPLES:
                    del wanted[feature]


def _said(conversation: Conversation, features: dict[str, str]) -> Iterable[tuple[Example, str]]:
    """Yield the first place of each feature in a conversation."""
    left = dict(features)
    for message in conversation.user_messages:
        text = readable(message.content[:MAX_SEARCHED])
        for span in find_words(text, left):
            if left.pop(span.feature, None) is None:
                continue
            before, after = text[: span.start], text[span.end :]
            yield (
                Example(name(conversation.id), _last(before), text[span.start : span.end], _first(after)),
                span.feature,
            )


def _last(before: str) -> str:
    """Return the end of a text, from the beginning of a word where there is one."""
    if len(before) <= CONTEXT:
        return before
    cut, _, rest = before[-CONTEXT:].partition(" ")
    return "…" + (rest or cut)


def _first(after: str) -> str:
    if len(after) <= CONTEXT:
        return after
    rest, _, cut = after[:CONTEXT].rpartition(" ")
    return (rest or cut) + "…"


def _share(count: int, of: int) -> float:
    return min(1.0, count / of) if of else 0.0
