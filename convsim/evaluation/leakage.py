"""What a simulator copied from the people it is compared with: conversations and titles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from convsim.evaluation.comparison import Overlap
from convsim.evaluation.guards import find_overlap
from convsim.evaluation.memorisation import Learned, Memorisation, memorisation
from convsim.evaluation.nearness import Near, Nearness, nearness
from convsim.evaluation.sides import Side
from convsim.io import Transcripts
from convsim.schema.conversation import Conversation
from convsim.schema.units import independent_unit
from convsim.stats.proportions import Proportion, proportion
from convsim.text.titles import Title, padded, title_words
from convsim.text.words import words

MIN_WORDS = 3
"""Shorter titles ("Rain boots") are what anybody might ask for."""
UNIT = "conversations"


@dataclass(frozen=True)
class Titles:
    """Titles, and how many words those have that begin alike, the most first."""

    all: frozenset[Title]
    lengths: Mapping[Title, Sequence[int]]
    """By a title's first three words."""


def known_titles(conversations: Iterable[Conversation]) -> Titles:
    """Gather the titles, of three words or more, of every item that any agent showed."""
    found = {title_words(item.title) for c in conversations for m in c.messages for item in m.items}
    titles = frozenset(title for title in found if len(title) >= MIN_WORDS)
    lengths: dict[Title, set[int]] = {}
    for title in titles:
        lengths.setdefault(title[:MIN_WORDS], set()).add(len(title))
    return Titles(titles, {start: sorted(known, reverse=True) for start, known in lengths.items()})


def titles_named_early(conversations: Sequence[Conversation], titles: Titles) -> Proportion:
    """In what proportion of conversations does the user name a full title that the agent had neither shown nor said?

    Titles are those of every item that was shown in any conversation of the comparison, so that people and all
    simulators are held to the same ones.

    Source:
        Zhu et al. (2024), How reliable is your simulator?, arXiv 2403.16416: data leakage. There the target is known;
        here any title counts, which needs no record of targets, and people's share tells what is usual.
    """
    if not any(message.items for c in conversations for message in c.messages):
        return Proportion(unit=UNIT, reason="no items are recorded, so what the agent had shown is unknown")
    if not titles.all:
        return Proportion(unit=UNIT, reason=f"no item's title has {MIN_WORDS} words or more")
    hits = [_names_early(conversation, titles) for conversation in conversations]
    units = [independent_unit(conversation) for conversation in conversations]
    return proportion(hits, units, unit=UNIT, undefined="there are no conversations")


def _names_early(conversation: Conversation, titles: Titles) -> bool:
    heard: list[str] = []
    for message in conversation.messages:
        said = words(message.content)
        if message.role == "user":
            # Part of a title that was shown may be another item's whole title.
            if any(not any(padded(title) in each for each in heard) for title in _named(said, titles)):
                return True
        elif message.role == "assistant":
            heard += [padded(said), *(padded(words(item.title)) for item in message.items)]
    return False


def _named(said: Sequence[str], titles: Titles) -> Iterator[Title]:
    """Yield the titles in a message, the longest at each place and none inside another."""
    start = 0
    while start <= len(said) - MIN_WORDS:
        for length in titles.lengths.get(tuple(said[start : start + MIN_WORDS]), ()):
            title = tuple(said[start : start + length])
            if title in titles.all:
                yield title
                start += length - 1
                break
        start += 1


UNSEEN = (
    "some of what it learned from is not in the files given by --learned, so its word-for-word repetition is a lower "
    "bound"
)


@dataclass(frozen=True)
class Copied:
    """What one side has from others."""

    overlap: Overlap
    titles: Proportion
    memorisation: Memorisation
    nearness: Nearness
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copying:
    """The yardstick of all sides: the people, the titles that anybody was shown, what shoppers learned from."""

    real: Side
    titles: Titles
    learned: Learned | None

    @classmethod
    def of(
        cls, real: Side, simulated: Sequence[Side], learned: Sequence[Transcripts | Sequence[Conversation]]
    ) -> Copying:
        """Gather the yardstick; nothing was learned from where ``learned`` is empty."""
        everybody = chain(real.conversations, *(side.conversations for side in simulated))
        return cls(real, known_titles(everybody), Learned.of(learned) if learned else None)

    @cached_property
    def people(self) -> Copied:
        """The people's own shares: what is usual among those who copied nothing."""
        nothing = Overlap(n_learned=0, n_identical=0, share_learned=None, reason=None)
        return self._copied(self.real, nothing, are_people=True)

    @cached_property
    def _near_people(self) -> Near | None:
        return self._near(self.real, are_people=True)

    def _near(self, side: Side, *, are_people: bool) -> Near | None:
        if self.learned is None:
            return None
        return Near.of(side.conversations, self.learned.conversations, leave_out_learned=are_people)

    def by_simulator(self, side: Side) -> Copied:
        """Return what a simulator's conversations have from others."""
        hashes = (self.real.summary.sha256, side.summary.sha256)
        found = find_overlap(self.real.conversations, side.conversations, hashes=hashes)
        n = len(side.conversations)
        overlap = Overlap(
            n_learned=found.n_learned,
            n_identical=found.n_identical,
            share_learned=found.n_learned / n if n else None,
            reason=found.reason,
        )
        return self._copied(side, overlap, are_people=False)

    def _copied(self, side: Side, overlap: Overlap, *, are_people: bool) -> Copied:
        conversations = side.conversations
        return Copied(
            overlap,
            titles_named_early(conversations, self.titles),
            memorisation(conversations, self.learned, leave_out_learned=are_people),
            nearness(
                self._near_people if are_people else self._near(side, are_people=False), self._near_people
            ),
            (UNSEEN,) if self.learned and self.learned.misses_some_of(conversations) else (),
        )
