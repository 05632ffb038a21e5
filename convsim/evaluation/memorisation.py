"""Whether a shopper repeats, word for word, what people said in the conversations it learned from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from convsim.io import Transcripts
from convsim.schema.conversation import Conversation
from convsim.schema.record import Count, Record
from convsim.schema.units import independent_unit
from convsim.stats.proportions import Proportion, proportion
from convsim.text.words import words

MIN_WORDS = 5
"""Shorter messages ("yes please") are said twice by chance."""
UNIT = f"messages of at least {MIN_WORDS} words"
NOT_GIVEN = "what shoppers learned from was not given (--learned FILE)"


class Memorisation(Record):
    """Proportions of user messages that stand in what was learned from."""

    messages: Proportion
    after_first: Proportion
    """The same without each conversation's first message, which is often the persona's own: the need itself."""
    n_personas_drawn: Count = 0
    """Conversations whose persona was drawn from a conversation of what was learned from."""


@dataclass(frozen=True)
class Learned:
    """What users said in the conversations that shoppers learned from."""

    said: frozenset[str]
    """Messages and runs of messages, without case, punctuation and extra white space."""
    ids: frozenset[str]
    fingerprints: frozenset[str]
    conversations: tuple[Conversation, ...]
    files: frozenset[str]
    """SHA-256 of the files that these came from."""

    @classmethod
    def of(cls, sources: Sequence[Transcripts | Sequence[Conversation]]) -> Learned:
        """Gather what users said in several files, all together."""
        files = [source for source in sources if isinstance(source, Transcripts)]
        conversations = [
            c for each in sources for c in (each.conversations if isinstance(each, Transcripts) else each)
        ]
        return cls(
            frozenset(text for c in conversations for text in _messages_and_runs(c)),
            frozenset(c.id for c in conversations),
            frozenset(c.fingerprint for c in conversations),
            tuple(conversations),
            frozenset(file.sha256 for file in files),
        )

    def misses_some_of(self, simulated: Iterable[Conversation]) -> bool:
        """Tell whether simulated conversations say that they learned from what is not here."""
        for conversation in simulated:
            source = conversation.learned_from
            if source is None or (source.sha256 is not None and source.sha256 in self.files):
                continue
            if not source.conversations or not self.fingerprints.issuperset(source.conversations):
                return True
        return False


def memorisation(
    conversations: Sequence[Conversation], learned: Learned | None, *, leave_out_learned: bool
) -> Memorisation:
    """In what proportion of their longer messages do users say exactly what somebody said in ``learned``?

    A message counts as the same where all its words are, in order: case, punctuation and white space aside. It has to
    be a whole message, or a whole run of messages, of what was learned from; a part of one is not found, so the share
    is a lower bound.

    Args:
        conversations: Of one side.
        learned: What shoppers learned from; None where that was not given.
        leave_out_learned: Leave out conversations that are themselves in ``learned``: of people, they say nothing of
            how often two people say the same.
    """
    if learned is None:
        unknown = Proportion(unit=UNIT, reason=NOT_GIVEN)
        return Memorisation(messages=unknown, after_first=unknown)
    hits: list[bool] = []
    owners: list[object] = []
    is_first: list[bool] = []
    n_drawn = n_own = 0
    for conversation in conversations:
        if leave_out_learned and conversation.fingerprint in learned.fingerprints:
            n_own += 1
            continue
        n_drawn += _drawn(conversation, learned)
        for index, message in enumerate(conversation.user_messages):
            said = normalised(message.content)
            if said is not None:
                hits.append(said in learned.said)
                owners.append(independent_unit(conversation))
                is_first.append(index == 0)
    undefined = (
        "all its conversations are among those learned from"
        if n_own and n_own == len(conversations)
        else f"there are no {UNIT}"
    )
    later = [index for index, first in enumerate(is_first) if not first]
    return Memorisation(
        messages=proportion(hits, owners, unit=UNIT, undefined=undefined),
        after_first=proportion(
            [hits[i] for i in later], [owners[i] for i in later], unit=f"later {UNIT}", undefined=undefined
        ),
        n_personas_drawn=n_drawn,
    )


def normalised(text: str) -> str | None:
    """Return the words of a message in lower case, one space between; None under five words."""
    said = words(text)
    return " ".join(said) if len(said) >= MIN_WORDS else None


def _messages_and_runs(conversation: Conversation) -> Iterator[str]:
    texts = [message.content for message in conversation.user_messages]
    runs = ["\n".join(m.content for m in turn.user) for turn in conversation.turns()]
    for text in (*texts, *runs):
        said = normalised(text)
        if said is not None:
            yield said


def _drawn(conversation: Conversation, learned: Learned) -> bool:
    persona = conversation.persona
    if persona is None:
        return False
    return persona.metadata.get("drawn_from") in learned.ids or normalised(persona.need) in learned.said
