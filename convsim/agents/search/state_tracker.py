"""Which values a conversation asks for or refuses; what was said last wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from convsim.agents.search.preferences import Facet, Judgement, Wish, Wishes
from convsim.agents.search.vocabulary import Mention, Vocabulary
from convsim.schema.conversation import Conversation, Message
from convsim.text.constraints import Budget, budget_in, sizes_in
from convsim.text.english import english
from convsim.text.folding import Token, phrase_in, plain_text, tokens

CLAUSE_END = re.compile(r"[!?;\n]|\.(?!\d)|(?<!anything )\bbut\b|\b(?:though|however)\b", re.IGNORECASE)


class Reading(NamedTuple):
    """One value that a message names: wanted or not, and whether it replaces what was said before."""

    mention: Mention
    said: str
    wanted: bool
    corrects: bool


def read_clauses(text: str, vocabulary: Vocabulary) -> tuple[list[Reading], tuple[str, ...]]:
    """Read a message that went through ``plain_text``: its values, and the words to search for."""
    readings: list[Reading] = []
    words: list[str] = []
    for clause in CLAUSE_END.split(_without_harmless(text)):
        said = tokens(clause)
        found = _Clause(clause, said, list(vocabulary.mentions(said)))
        judged = found.readings()
        readings += judged
        unwanted = {at for reading in judged if not reading.wanted for at in _span(reading.mention)}
        skipped = unwanted | found.possessions()
        words += [token.word for at, token in enumerate(said) if at not in skipped]
    return readings, tuple(word for word in words if word not in english().ignored)


def _without_harmless(text: str) -> str:
    pattern = "|".join(re.escape(phrase) for phrase in english().negating.harmless)
    return re.sub(rf"(?i:\b(?:{pattern})\b)", " ", text)


def _span(mention: Mention) -> range:
    return range(mention.first, mention.last + 1)


class _Clause:
    """One clause: its text, its words, and the values that it names."""

    def __init__(self, text: str, said: Sequence[Token], mentions: Sequence[Mention]):
        self.text, self.said, self.mentions = text, said, mentions
        self.mentioned = {at for mention in mentions for at in _span(mention)}

    def readings(self) -> list[Reading]:
        """Judge every value but those of possessions ("my black jacket")."""
        unwanted = self._unwanted()
        owned = self.possessions()
        correcting = self._correcting()
        return [
            Reading(mention, self._written(mention), mention.first not in unwanted, mention in correcting)
            for mention in self.mentions
            if mention.facet == "occasion" or mention.first not in owned
        ]

    def possessions(self) -> set[int]:
        """Return the values that stand right after "my" and its like."""
        owned: set[int] = set()
        for at in range(1, len(self.said)):
            if at in self.mentioned and (at - 1 in owned or self.said[at - 1].word in english().possessive):
                owned.add(at)
        return owned

    def _unwanted(self) -> set[int]:
        unwanted: set[int] = set()
        negator, negator_end = "", -1
        for at in range(len(self.said)):
            if at and negator and self._comma_before(at) and not self._list_goes_on(at, negator):
                negator = ""
            if found := self._negator_at(at):
                negator, negator_end = found, at + found.count(" ")
            elif (
                negator and at > negator_end and at not in self.mentioned and self._ends_negation(at, negator)
            ):
                negator = ""
            if at in self.mentioned and (negator or self._word(at + 1) in english().negating.after):
                unwanted.add(at)
        return unwanted

    def _negator_at(self, at: int) -> str:
        pair = f"{self.said[at].written} {self._written_at(at + 1)}"
        written = self.said[at].written
        if pair in english().negating.before:
            return pair
        # "no, black" answers a question; it refuses nothing.
        if written in english().negating.before and not (written == "no" and self._comma_before(at + 1)):
            return written
        return ""

    def _ends_negation(self, at: int, negator: str) -> bool:
        token = self.said[at]
        if token.written in english().negating.pointing:
            return at + 1 not in self.mentioned
        directly = at > 0 and self.said[at - 1].written == negator and negator != "no"
        return token.written in english().negating.closing and not directly

    def _list_goes_on(self, at: int, negator: str) -> bool:
        """Tell whether a comma only separates refused values: "no black, white or grey"."""
        if negator not in english().negating.listing or at - 1 not in self.mentioned:
            return False
        rest = [(i, self.said[i].written) for i in range(at, len(self.said))]
        joined = False
        for i, written in rest:
            if written in ("or", "nor", "and"):
                joined = True
            elif i not in self.mentioned:
                break
        return at in self.mentioned and joined

    def _comma_before(self, at: int) -> bool:
        if not 0 < at < len(self.said):
            return False
        return "," in self.text[self.said[at - 1].end : self.said[at].start]

    def _correcting(self) -> set[Mention]:
        """Return, for each facet, the first value after a word such as "actually", or else the clause's first."""
        place = next(
            (at for at in range(len(self.said)) if self._starts_with_any(at, english().correcting)), None
        )
        if place is None:
            return set()
        first: dict[Facet, Mention] = {}
        for mention in sorted(self.mentions, key=lambda mention: (mention.first < place, mention.first)):
            first.setdefault(mention.facet, mention)
        return set(first.values())

    def _starts_with_any(self, at: int, phrases: Sequence[str]) -> bool:
        written = " ".join(token.written for token in self.said[at : at + 2]) + " "
        return any(written.startswith(f"{phrase} ") for phrase in phrases)

    def _word(self, at: int) -> str:
        return self.said[at].word if at < len(self.said) else ""

    def _written_at(self, at: int) -> str:
        return self.said[at].written if at < len(self.said) else ""

    def _written(self, mention: Mention) -> str:
        return self.text[self.said[mention.first].start : self.said[mention.last].end].lower()


MAX_CHARACTERS = 4_000
"""How much of one message is read; nobody asks for shoes at greater length."""
MAX_MESSAGES = 200
"""How many of the last messages are read."""


def listen(conversation: Conversation, vocabulary: Vocabulary, prices: Mapping[str, float | None]) -> Wishes:
    """Return what the user's messages ask for; ``prices`` are the catalogue's, by id."""
    wishes = Wishes()
    for message in conversation.messages[-MAX_MESSAGES:]:
        if message.role == "assistant":
            wishes.last_shown = tuple(item.id for item in message.items)
            wishes.shown.extend(wishes.last_shown)
        elif message.role == "user":
            _hear(message, wishes, vocabulary, prices)
    return wishes


def _hear(
    message: Message, wishes: Wishes, vocabulary: Vocabulary, prices: Mapping[str, float | None]
) -> None:
    text = plain_text(message.content[:MAX_CHARACTERS])
    lower = text.lower()
    _forget(wishes, lower)
    known = [price for item in wishes.last_shown if (price := prices.get(item)) is not None]
    wishes.budget = budget_in(lower, wishes.budget, cheapest_shown=min(known, default=None))
    if any(re.search(pattern, lower) for pattern in english().asides.any):
        wishes.set_aside.update(wishes.shown)
    readings, words = read_clauses(text, vocabulary)
    wishes.words.append(words)
    _replace_kind(readings, wishes, vocabulary)
    heard: set[Facet] = set()
    if any(phrase in lower for phrase in english().adding):
        heard.update(wishes.wanted)
    for reading in readings:
        _judge(reading, wishes, heard)
    if sizes := sizes_in(text, vocabulary.sizes):
        wishes.wanted["sizes"] = tuple(Wish((size,), f"size {size.upper()}") for size in sizes)


def _judge(reading: Reading, wishes: Wishes, heard: set[Facet]) -> None:
    """Take one value in; in one message alternatives add up, a correction or later message replaces them."""
    facet, phrase = reading.mention.facet, reading.mention.phrase
    wishes.judgements.append(Judgement(facet, phrase, reading.wanted))
    before = wishes.wanted.get(facet, ())
    if reading.wanted:
        keep = facet in heard and not reading.corrects
        others = tuple(wish for wish in before if keep and wish.phrase != phrase)
        wishes.wanted[facet] = (*others, Wish(phrase, reading.said))
        heard.add(facet)
    elif left := tuple(wish for wish in before if not phrase_in(phrase, wish.phrase)):
        wishes.wanted[facet] = left
    else:
        wishes.wanted.pop(facet, None)


def _replace_kind(readings: list[Reading], wishes: Wishes, vocabulary: Vocabulary) -> None:
    """Make room for another kind or category: the old one goes, and a size goes with its category."""
    kinds = [r.mention.phrase for r in readings if r.wanted and r.mention.facet == "kind"]
    categories = [r.mention.phrase for r in readings if r.wanted and r.mention.facet == "category"]
    if not kinds and not categories:
        return
    was = _homes(wishes, vocabulary)
    if kinds:
        wishes.wanted.pop("category", None)
    elif any(r.corrects for r in readings) or not was & set(categories):
        wishes.wanted.pop("kind", None)
    now = {home for kind in kinds for home in vocabulary.homes[kind]} | set(categories)
    if was and now and not was & now:
        wishes.wanted.pop("sizes", None)


def _homes(wishes: Wishes, vocabulary: Vocabulary) -> set[tuple[str, ...]]:
    kinds = {home for wish in wishes.wanted.get("kind", ()) for home in vocabulary.homes[wish.phrase]}
    return kinds | {wish.phrase for wish in wishes.wanted.get("category", ())}


def _forget(wishes: Wishes, lower: str) -> None:
    """Drop the wishes that a message takes back: "any color is fine"."""
    for name, pattern in _forgetting():
        if re.search(pattern, lower):
            if name == "price":
                wishes.budget = Budget()
            wishes.wanted = {facet: wanted for facet, wanted in wishes.wanted.items() if facet != name}
            wishes.judgements = [judgement for judgement in wishes.judgements if judgement.facet != name]


@cache
def _forgetting() -> tuple[tuple[str, str], ...]:
    table = english().forgetting
    return tuple(
        (name, "|".join(pattern.replace("FACET", words) for pattern in table.any))
        for name, words in table.facets.items()
    )
