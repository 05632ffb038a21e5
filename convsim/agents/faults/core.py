"""Where a fault takes hold of a reply: in what the agent hears, in what it answers, or in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from convsim.agents.search.preferences import Phrase
from convsim.agents.search.vocabulary import Vocabulary
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.conversation import Conversation, Item
from convsim.schema.protocols import AgentReply
from convsim.seeds import child_seed
from convsim.text.constraints import NAME, NUMBER, SIGN
from convsim.text.folding import plain_text, tokens, words_of

T = TypeVar("T")


@dataclass(frozen=True)
class Draws:
    """Draws named by fault and unit, from a reply's seed: no fault moves another's, and arms share them."""

    seed: int
    fault: str
    severity: float

    def hits(self, *unit: str | int) -> bool:
        """Tell whether this unit is degraded; what is hit at one severity is hit at every greater one."""
        return self.uniform(*unit) < self.severity

    def uniform(self, *unit: str | int) -> float:
        """Return the number of a unit, from 0 to below 1, whatever the severity."""
        return (child_seed(self.seed, "fault", self.fault, "hit", *unit) >> 10) / 2**53

    def one_of(self, options: Sequence[T], *unit: str | int) -> T:
        """Choose among ``options``, of which there must be one, whatever the severity."""
        return options[child_seed(self.seed, "fault", self.fault, "choice", *unit) % len(options)]


@dataclass(frozen=True)
class Heard:
    """A conversation as the agent hears it, and the place of each message in the one that was held."""

    conversation: Conversation
    places: tuple[int, ...]

    @classmethod
    def whole(cls, conversation: Conversation) -> Heard:
        """Hear everything."""
        return cls(conversation, tuple(range(len(conversation.messages))))

    def said(self) -> Iterator[tuple[int, str]]:
        """Yield place and text of each user message."""
        for place, message in zip(self.places, self.conversation.messages, strict=True):
            if message.role == "user":
                yield place, message.content

    def rewritten(self, texts: Mapping[int, str]) -> Heard:
        """Hear these texts at these places; ids, roles and items stay."""
        messages = tuple(
            message.model_copy(update={"content": texts[place]}) if place in texts else message
            for place, message in zip(self.places, self.conversation.messages, strict=True)
        )
        return Heard(self.conversation.model_copy(update={"messages": messages}), self.places)

    def without(self, places: Collection[int]) -> Heard:
        """Do not hear the messages at these places."""
        kept = [
            (place, message)
            for place, message in zip(self.places, self.conversation.messages, strict=True)
            if place not in places
        ]
        messages = tuple(message for _, message in kept)
        return Heard(
            self.conversation.model_copy(update={"messages": messages}), tuple(place for place, _ in kept)
        )


@dataclass
class Stock:
    """A catalogue, read when a fault first asks; a category is known by its folded words."""

    catalogue: Catalogue

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that the catalogue itself uses."""
        return Vocabulary.of(self.catalogue)

    @cached_property
    def by_category(self) -> dict[Phrase, tuple[CatalogueItem, ...]]:
        """The items of each category; those without one stand under the empty phrase."""
        found: dict[Phrase, list[CatalogueItem]] = {}
        for item in self.catalogue.items:
            found.setdefault(words_of(item.text_of("category")), []).append(item)
        return {category: tuple(items) for category, items in found.items()}

    @cached_property
    def nouns(self) -> dict[Phrase, tuple[str, ...]]:
        """The nouns of each category's titles as they are written, such as "boots"; those of two stand in neither.

        A category whose titles have no noun of their own has its name.
        """
        written: dict[str, str] = {}
        for item in self.catalogue.items:
            for last in tokens(plain_text(item.title.split(",")[0]))[-1:]:
                written.setdefault(last.word, last.written)
        homes = self.vocabulary.homes
        return {
            category: tuple(
                written[kind] for (kind, *_), home in homes.items() if home == {category} and kind in written
            )
            or ((" ".join(category),) if category else ())
            for category in self.by_category
        }

    def category_of(self, item: Item) -> Phrase | None:
        """Return the category of an item that was shown, None where the catalogue does not hold it."""
        if item.id not in self.catalogue:
            return None
        return words_of(self.catalogue.item(item.id).text_of("category"))

    def categories_said(self, text: str) -> frozenset[Phrase]:
        """Return the categories that a text names, or names a kind of."""
        found: set[Phrase] = set()
        for mention in self.vocabulary.mentions(tokens(plain_text(text))):
            if mention.facet == "kind":
                found.update(self.vocabulary.homes[mention.phrase])
            elif mention.facet == "category":
                found.add(mention.phrase)
        return frozenset(found)

    def outside(self, categories: Collection[Phrase]) -> list[CatalogueItem]:
        """Return the items of all other categories, in the catalogue's order of categories."""
        return [
            item
            for category, items in self.by_category.items()
            if category not in categories
            for item in items
        ]


REPLY = "reply"
"""The unit of a fault that a whole reply has or has not."""
NOT_DRAWN = "not drawn for this reply"
MAX_LISTED = 12
"""How many words or items a record names."""


@dataclass(frozen=True)
class Scene:
    """One reply that a fault may degrade: the conversation as it was held, the shop's stock, the fault's draws."""

    conversation: Conversation
    stock: Stock | None
    draws: Draws


@dataclass(frozen=True)
class Draft:
    """A reply on its way; ``own_words`` is false once a fault has put other words in the place of the agent's."""

    reply: AgentReply
    own_words: bool = True


class Done(NamedTuple, Generic[T]):
    """What came of a fault, and what it did, in words for its record."""

    result: T
    detail: str


class NotDone(NamedTuple):
    """Why a fault left everything as it was."""

    reason: str


@dataclass(frozen=True)
class Hearing:
    """A fault of what the agent hears, so that what it says stays true of what it shows."""

    name: str
    unit: str
    alter: Callable[[Heard, Scene], Done[Heard] | NotDone]


@dataclass(frozen=True)
class Answering:
    """A fault of what the agent answered."""

    name: str
    unit: str
    alter: Callable[[Draft, Scene], Done[Draft] | NotDone]


@dataclass(frozen=True)
class Silencing:
    """A fault that answers in the agent's place, which is not asked."""

    name: str
    unit: str
    answer: Callable[[Scene], Done[AgentReply]]


AnyFault = Hearing | Answering | Silencing


def listed(parts: list[str], *, separator: str = ", ") -> str:
    """Name the first parts of a list, and how many more there are."""
    more = f" and {len(parts) - MAX_LISTED} more" if len(parts) > MAX_LISTED else ""
    return separator.join(parts[:MAX_LISTED]) + more


NO_PRICE = "a price on request"
PRICE = rf"(?P<sign>{SIGN})\s*{NUMBER}|{NUMBER}\s*(?P<name>{SIGN}|{NAME})"


def short_title(item: Item) -> str:
    """Return what a text calls an item: its title up to the first comma."""
    return item.title.split(",")[0].strip() or item.title.strip()


def with_items(reply: AgentReply, items: Sequence[Item], swaps: Sequence[tuple[Item, Item]]) -> AgentReply:
    """Show ``items``, and name the new item of each swap where the text names the old one.

    A price is put right where it is that of the item whose title stands before it; what else the text says of
    an item, such as its material, is not known to be about it and stays.
    """
    content = _reworded(reply.content, swaps) if swaps else reply.content
    return reply.model_copy(update={"items": tuple(items), "content": content})


def _reworded(text: str, swaps: Sequence[tuple[Item, Item]]) -> str:
    called: dict[str, tuple[Item, str]] = {}
    partner: dict[str, Item] = {}
    for old, new in swaps:
        partner.setdefault(old.id, new)
        for title, other in ((short_title(old), short_title(new)), (old.title.strip(), new.title.strip())):
            if title and other:
                called.setdefault(title.lower(), (old, other))
    titles = "|".join(re.escape(title) for title in sorted(called, key=len, reverse=True)) or "(?!)"
    pattern = re.compile(rf"(?<!\w)(?P<title>{titles})(?!\w)|{PRICE}", re.IGNORECASE)
    spoken_of: Item | None = None

    def instead(match: re.Match[str]) -> str:
        nonlocal spoken_of
        if match["title"] is not None:
            spoken_of, title = called.get(match["title"].lower(), (spoken_of, match["title"]))
            return title
        return _price(match, spoken_of, partner)

    return pattern.sub(instead, text)


def _price(match: re.Match[str], spoken_of: Item | None, partner: Mapping[str, Item]) -> str:
    """Return the new price in the manner of the old one, or what stands there where it is another amount."""
    number = next(group for group in match.groups()[1:] if group and group[0].isdigit())
    if spoken_of is None or spoken_of.price is None or float(number.replace(",", "")) != spoken_of.price:
        return match[0]
    price = partner[spoken_of.id].price
    if price is None:
        return NO_PRICE
    amount = f"{price:,.2f}".removesuffix(".00")
    return f"{match['sign']}{amount}" if match["sign"] else f"{amount} {match['name']}"
