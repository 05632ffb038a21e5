"""Conversations as tokens: what the model reads, and which of it is the user's own and is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from convsim.models.chat import (
    answer_end,
    answer_tokens,
    chat_tokens,
    text_tokens,
    whole_chat_tokens,
)
from convsim.models.checkpoint import Checkpoint
from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned.script import Script, script

IGNORED = -100
"""The label of a token that is read and not learned (torch's own default)."""


@dataclass(frozen=True)
class Span:
    """Where a user message stands in a sequence: its opening from ``start``, its words from ``words``, to ``end``."""

    start: int
    words: int
    end: int

    @property
    def n_words(self) -> int:
        """Tokens of the words, the one that ends them not counted."""
        return self.end - 1 - self.words


@dataclass(frozen=True)
class Example:
    """One sequence to learn from."""

    tokens: tuple[int, ...]
    spans: tuple[Span, ...]

    @property
    def labels(self) -> list[int]:
        """The tokens that are learned, all else ignored."""
        labels = [IGNORED] * len(self.tokens)
        for span in self.spans:
            labels[span.start : span.end] = self.tokens[span.start : span.end]
        return labels


@dataclass(frozen=True)
class Encoded:
    """The sequences of many conversations, and what was cut, dropped or empty."""

    examples: tuple[Example, ...]
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def n_learned_tokens(self) -> int:
        """Tokens that are learned."""
        return sum(span.end - span.start for example in self.examples for span in example.spans)

    @property
    def longest_message(self) -> int:
        """Tokens of the longest message, with the one that ends it."""
        spans = (span for example in self.examples for span in example.spans)
        return max((span.n_words + 1 for span in spans), default=1)


def encode(
    checkpoint: Checkpoint, conversations: Iterable[Conversation], *, max_tokens: int, n_items: int
) -> Encoded:
    """Write each conversation as one sequence, or several where it is longer than ``max_tokens``.

    A long one is cut at message borders: each part begins with the system's message and goes on where the one before
    it ended. An exchange that is too long by itself is dropped. All of it is counted.

    Raises:
        ModelError: The model's chat template refuses a conversation.
    """
    examples: list[Example] = []
    counts: Counter[str] = Counter()
    for conversation in conversations:
        whole = script(conversation, n_items=n_items)
        counts["empty_turns"] += whole.n_empty
        parts = list(_parts(checkpoint, whole, max_tokens))
        counts["cut_conversations"] += len(parts) > 1
        for part in parts:
            fitting = [e for e in _examples(checkpoint, part) if len(e.tokens) <= max_tokens]
            counts["dropped_messages"] += len(part.openings) - sum(len(e.spans) for e in fitting)
            examples += fitting
    return Encoded(tuple(examples), +counts)


def _parts(checkpoint: Checkpoint, whole: Script, max_tokens: int) -> Iterator[Script]:
    """Cut a script so that each part fits, where it can; parts end with a user message."""
    start, ends = 1, [place + 1 for place in sorted(whole.openings)]
    while ends:
        fits = ends[:1]
        for end in ends[1:]:
            if len(whole_chat_tokens(checkpoint, _part(whole, start, end).messages)) > max_tokens:
                break
            fits.append(end)
        yield _part(whole, start, fits[-1])
        start, ends = fits[-1], ends[len(fits) :]


def _part(whole: Script, start: int, end: int) -> Script:
    if start == 1:
        return Script(whole.messages[:end], {p: o for p, o in whole.openings.items() if p < end})
    messages = (whole.messages[0], *whole.messages[start:end])
    openings = {place - start + 1: o for place, o in whole.openings.items() if start <= place < end}
    return Script(messages, openings)


def _examples(checkpoint: Checkpoint, part: Script) -> list[Example]:
    """Write a script as one sequence; as one a message where the template writes what is past in another way."""
    if not part.openings:
        return []
    tokens = whole_chat_tokens(checkpoint, part.messages)
    spans: list[Span] = []
    for place, opening in sorted(part.openings.items()):
        asked = chat_tokens(checkpoint, part.messages[:place])
        end = answer_end(checkpoint, asked, tokens)
        if end is None:
            return [_alone(checkpoint, part, place) for place in sorted(part.openings)]
        opened = answer_tokens(checkpoint, part.messages[:place], opening)[:-1]
        words = len(asked) + len(opened)
        if tokens[len(asked) : words] != opened:
            # Its last token runs into the first word: what is learned would not be how an answer is opened.
            return [_alone(checkpoint, part, place) for place in sorted(part.openings)]
        spans.append(Span(len(asked), words, end))
    return [Example(tuple(tokens[: spans[-1].end]), tuple(spans))]


def _alone(checkpoint: Checkpoint, part: Script, place: int) -> Example:
    before, opening = part.messages[:place], part.openings[place]
    asked = chat_tokens(checkpoint, before)
    *opened, end = answer_tokens(checkpoint, before, opening)
    words = part.messages[place].content.removeprefix(opening)
    said = text_tokens(checkpoint, words, is_start=False) if words else []
    span = Span(len(asked), len(asked) + len(opened), len(asked) + len(opened) + len(said) + 1)
    return Example((*asked, *opened, *said, end), (span,))
