"""What led to a decision: every point of a conversation up to it, in order, with the words that were new at each."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.shoppers.policies.features import FEATURES, features_of, read_text
from convsim.shoppers.policies.points import SPOKEN, Point, prefix

WINDOW = 32
"""Of a conversation, the last 33 to 64 points are looked at: all, up to 64."""
BUCKETS = 64
"""Of the words of either side."""
MOST_COUNTED = 255
N_WORDS = 2 * BUCKETS
WordCounts = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Histories:
    """Sequences of points, and where in them each decision stands."""

    features: FloatArray
    """Shape (steps, features), as ``features_of`` gives them; the steps of one sequence after those of another."""
    words: WordCounts
    """Shape (steps, ``N_WORDS``): hashed words that the user said, and that the agent said, since the step before."""
    starts: IntArray
    """Shape (sequences + 1,): the first step of each sequence, and how many steps there are."""
    sequence: IntArray
    """Shape (points,): the sequence of each decision."""
    step: IntArray
    """Shape (points,): its step in that sequence."""

    @classmethod
    def of(cls, points: Sequence[Point], language: str | None) -> Histories:
        """Look at what led to each point; points of one conversation and persona share a sequence."""
        lasts: list[tuple[Point, int]] = []
        sequence, step = [], []
        for point in points:
            begin, at = _window(point.seen)
            if not lasts or not _leads_to(lasts[-1], (point, begin)):
                lasts.append((point, begin))
            lasts[-1] = (point, begin)
            sequence.append(len(lasts) - 1)
            step.append(at)
        found = [steps_of(point.seen, point.persona, language) for point, _ in lasts]
        return cls(
            np.concatenate([np.zeros((0, len(FEATURES))), *(features for features, _ in found)]),
            np.concatenate([np.zeros((0, N_WORDS), np.uint8), *(words for _, words in found)]),
            np.cumsum([0, *(len(words) for _, words in found)]),
            np.asarray(sequence, np.int64),
            np.asarray(step, np.int64),
        )

    @classmethod
    def single(cls, seen: Conversation, persona: Persona, language: str | None) -> Histories:
        """Look at what led to one decision."""
        features, words = steps_of(seen, persona, language)
        n = len(words)
        return cls(features, words, np.asarray([0, n]), np.zeros(1, np.int64), np.asarray([n - 1]))

    def take(self, rows: IntArray) -> Histories:
        """Return the histories of some of the points."""
        used, sequence = np.unique(self.sequence[rows], return_inverse=True)
        lengths = np.diff(self.starts)[used]
        starts = np.cumsum([0, *lengths])
        steps = np.repeat(self.starts[used] - starts[:-1], lengths) + np.arange(starts[-1])
        return Histories(
            self.features[steps],
            self.words[steps],
            starts,
            sequence.ravel().astype(np.int64),
            self.step[rows],
        )

    @property
    def n_sequences(self) -> int:
        """How many sequences there are."""
        return len(self.starts) - 1

    def padded(self, steps: FloatArray, sequences: IntArray) -> FloatArray:
        """Lay out some sequences, shape (sequences, longest of these, width); 0 beyond the end of each.

        Args:
            steps: What belongs to each step, shape (steps, width).
            sequences: Their numbers.
        """
        lengths = np.diff(self.starts)[sequences]
        places = np.arange(int(lengths.max(initial=0)))
        inside = places < lengths[:, None]
        laid = steps[np.where(inside, self.starts[sequences][:, None] + places, 0)]
        return np.asarray(laid * inside[:, :, None], steps.dtype)


def steps_of(seen: Conversation, persona: Persona, language: str | None) -> tuple[FloatArray, WordCounts]:
    """Return what could be seen at each point up to the last, and the words that were new there.

    Returns:
        Shapes (steps, features) and (steps, ``N_WORDS``).
    """
    spoken, ends = _ends(seen)
    begin, _ = _window(seen)
    features, words = [], []
    for place in range(begin, len(ends)):
        features.append(features_of(prefix(seen, spoken[: ends[place]]), persona, language))
        words.append(_hashed(spoken[ends[place - 1] if place else 0 : ends[place]], language))
    return np.asarray(features), np.asarray(words)


def _ends(seen: Conversation) -> tuple[list[Message], list[int]]:
    """Return the messages spoken, and how many of them there are at each point: after a run of the agent's."""
    spoken = [m for m in seen.messages if m.role in SPOKEN]
    first = next((n for n, m in enumerate(spoken) if m.role == "user"), len(spoken))
    ends = [
        n
        for n in range(first + 1, len(spoken))
        if spoken[n].role == "user" and spoken[n - 1].role == "assistant"
    ]
    return spoken, [*ends, len(spoken)]


def _window(seen: Conversation) -> tuple[int, int]:
    """Return the first point of a conversation that is looked at, and how many steps the last is after it."""
    last = len(_ends(seen)[1]) - 1
    begin = max(0, (last // WINDOW - 1) * WINDOW)
    return begin, last - begin


def _leads_to(earlier: tuple[Point, int], later: tuple[Point, int]) -> bool:
    (one, begin), (other, begin_of_other) = earlier, later
    messages = one.seen.messages
    return (
        begin == begin_of_other
        and (one.unit, one.seen.id, one.persona) == (other.unit, other.seen.id, other.persona)
        and other.seen.messages[: len(messages)] == messages
    )


def _hashed(messages: Sequence[Message], language: str | None) -> WordCounts:
    counts = np.zeros(N_WORDS, np.int64)
    for message in messages:
        side = BUCKETS * (message.role == "assistant")
        for word in read_text(message.content, language).words:
            counts[side + zlib.crc32(word.encode("utf-8", "replace")) % BUCKETS] += 1
    return counts.clip(0, MOST_COUNTED).astype(np.uint8)
