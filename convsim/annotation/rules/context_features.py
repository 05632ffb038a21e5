"""Where a message stands: what the agent offered or asked before it, and whether the user said it already."""

from __future__ import annotations

from dataclasses import dataclass, field

from convsim.annotation.rules.language import Language
from convsim.annotation.rules.tokenizer import is_shouted, sentences
from convsim.schema.conversation import Message

MAX_EARLIER = 50
"""With how many of the user's last messages a message is compared."""
SAME_SHARE = 0.8
"""So much of the content of both messages must be shared for one to repeat the other."""
ASKING = {
    "asking_purchase": "ask_purchase",
    "asking_known": "ask_known",
    "asking_more": "ask_more",
    "asking_opinion": "ask_opinion",
}
QUESTIONS = frozenset({"asked", *ASKING.values()})


@dataclass
class Place:
    """What was said so far, message by message."""

    language: Language
    offered: bool = False
    spoken: bool = False
    answered: bool = False
    heard_user: bool = False
    now: set[str] = field(default_factory=set)
    """What the agent's messages since the user last spoke do."""
    earlier: list[frozenset[str]] = field(default_factory=list)
    """The content of what the user said and the agent answered."""
    waiting: list[frozenset[str]] = field(default_factory=list)
    """The same, not answered yet."""

    def hear_agent(self, message: Message) -> None:
        """Take in a message of the agent."""
        if self.heard_user:
            self.now, self.heard_user = set(), False
        self.now -= QUESTIONS
        if message.items:
            self.now.add("offer")
        for sentence in sentences(message.content, self.language.spelling):
            cues = self.language.agent.cues(sentence.words, self.language.agent.hits(sentence.words))
            if "offering" in cues:
                self.now.add("offer")
            if sentence.asked:
                about = {asked for cue, asked in ASKING.items() if cue in cues}
                self.now |= about or (set() if "offering" in cues else {"asked"})
        self.offered = self.offered or "offer" in self.now
        self.answered = self.spoken
        self.earlier.extend(self.waiting)
        self.waiting.clear()

    def of_message(self, message: Message, content: frozenset[str]) -> set[str]:
        """Return the places of a user's message that says ``content``, and take it in."""
        places = set(self.now)
        if not self.earlier and not self.waiting:
            places.add("first")
        for name, holds in (
            ("offered", self.offered),
            ("answered", self.answered),
            ("repeats", self._repeats(content)),
            ("shouted", is_shouted(message.content)),
        ):
            if holds:
                places.add(name)
        if message.content and not message.content.isspace():
            self.spoken = True
        if content:
            self.waiting.append(content)
        self.heard_user = True
        return places

    def _repeats(self, content: frozenset[str]) -> bool:
        return bool(content) and any(
            len(content & said) >= SAME_SHARE * max(len(content), len(said))
            for said in self.earlier[-MAX_EARLIER:]
        )
