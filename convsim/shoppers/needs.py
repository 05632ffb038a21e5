"""What real users wanted, in their own first words: greetings are skipped, and who states nothing has no need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from convsim.schema.conversation import Conversation
from convsim.text.language import tell_language
from convsim.text.small_talk import languages_of, stated_words, states_something

FIRST_MESSAGES = 5
"""Of a user, among which a need is looked for."""
MAX_CHARACTERS = 2_000


@dataclass(frozen=True)
class Needs:
    """How the needs of a set of conversations are told: in its languages."""

    languages: frozenset[str]

    @classmethod
    def of(cls, conversations: Iterable[Conversation]) -> Needs:
        """Take the languages that the users of ``conversations`` open in."""
        opened = (" ".join(m.content for m in c.user_messages[:FIRST_MESSAGES]) for c in conversations)
        return cls(languages_of(tell_language(opened)))

    def stated(self, conversation: Conversation) -> str:
        """Return what a user said first that states something; empty where that is nothing.

        Only greeting, thanks, yes or no, and asking for help state nothing. Messages in a row that state something are
        joined. Nothing counts that was said after the agent had shown items, or had written a number, as of a list, a
        price or a year: it named something then, and what follows may be a reaction to that.
        """
        return self.stated_by(conversation)[0]

    def stated_by(self, conversation: Conversation) -> tuple[str, int]:
        """Return what a user stated first, and how many messages the conversation has by then."""
        for messages, end in _opening_runs(conversation):
            if any(states_something(text, self.languages) for text in messages):
                # A number alone states nothing, but is part of what is stated around it.
                stated = (text for text in messages if stated_words(text, self.languages))
                return "\n".join(stated)[:MAX_CHARACTERS].rstrip(), end
        return "", 0


def _opening_runs(conversation: Conversation) -> Iterator[tuple[Sequence[str], int]]:
    """Yield what the user says in a row, first messages alone, and where that ends, for as long as it may count."""
    n, run, end = 0, list[str](), 0
    for place, message in enumerate(conversation.messages, start=1):
        if message.role == "assistant":
            if run:
                yield run, end
                run = []
            if message.items or any(map(str.isdigit, message.content)):
                return
        elif message.role == "user":
            n += 1
            if n > FIRST_MESSAGES or message.action in ("accept", "leave"):
                break
            if text := message.content.strip():
                run.append(text)
                end = place
    if run:
        yield run, end
