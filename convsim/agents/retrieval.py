"""The agent that needs no model: BM25 over a catalogue, and it remembers what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from convsim._settings import check_whole
from convsim.agents.search import Shelf, find, listen
from convsim.agents.wording import known_topics, question, sentence
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply
from convsim.seeds import child_seed

MAX_ITEMS = 12


@dataclass(kw_only=True)
class Retrieval:
    """Answers in words with up to ``n_items`` items that fit what was said so far.

    It reads nothing but the messages of the conversation that it is handed, so whoever alters that
    conversation alters what is searched for. The same conversation and seed give the same reply; the seed
    draws the wording only. ``currency`` stands before every price it says. Where nothing fits it says so and
    shows the nearest, but never what was refused ("no leather") or set aside ("something else").

    Raises:
        InputError: ``n_items`` does not lie between 1 and 12.
    """

    catalogue: Catalogue
    n_items: int = 6
    currency: str = "$"
    name: str = "retrieval"

    def __post_init__(self) -> None:
        check_whole("retrieval", "n_items", self.n_items, low=1, high=MAX_ITEMS)

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self.catalogue)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Answer the conversation so far."""
        wishes = listen(conversation, self._shelf.vocabulary, self._shelf.price_of)
        found = find(self._shelf, wishes, self.n_items)
        said = [message.content for message in conversation.messages if message.role == "assistant"]
        draw = child_seed(seed, "reply", len(conversation.messages))
        parts = (
            sentence(found, wishes, currency=self.currency, seed=draw),
            question(known_topics(found, wishes), self._shelf.offered, said, seed=draw),
        )
        return AgentReply(
            content=" ".join(part for part in parts if part),
            items=tuple(item.to_shown() for item in found.items),
        )
