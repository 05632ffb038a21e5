"""What a simulator has from the people it stands beside: conversations, titles, whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from convsim.evaluation.comparison import Overlap
from convsim.evaluation.guards import find_overlap
from convsim.evaluation.memorisation import Learned, Memorisation, memorisation
from convsim.evaluation.sides import Side
from convsim.evaluation.titles import Titles, known_titles, titles_named_early
from convsim.io import Transcripts
from convsim.schema.conversation import Conversation
from convsim.stats.proportions import Share

UNSEEN = (
    "what it says that it learned from is not all in the files that were given (--learned): how much it says word for "
    "word is a lower bound"
)


@dataclass(frozen=True)
class Copied:
    """What one side has from others."""

    overlap: Overlap
    titles: Share
    memorisation: Memorisation
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
            (UNSEEN,) if self.learned and self.learned.misses_some_of(conversations) else (),
        )
