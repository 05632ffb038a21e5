"""The agent that needs no model: BM25 over a catalogue, and it remembers what was asked for."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from convsim._inputs import read_toml
from convsim._settings import check_settings
from convsim.agents.search import Results, Shelf, Wishes, find, listen
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply
from convsim.seeds import child_seed
from convsim.text.folding import words_of

Manner = Literal["fitting", "only_one", "others", "nearest", "no_more", "unknown"]
Topic = Literal["kind", "occasion", "sizes", "price", "colors", "material"]
TOPICS: tuple[Topic, ...] = ("kind", "occasion", "sizes", "price", "colors", "material")
"""What to ask about, the most useful first."""
ENOUGH_KNOWN = 3
"""From how many known wishes on nothing more is asked."""
MAX_LISTED = 5
"""How many colors or sizes a sentence names."""


class Replies(BaseModel):
    """All of ``replies.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    say: dict[Manner, tuple[str, ...]]
    ask: dict[Topic, tuple[str, ...]]
    names: dict[str, str]


@cache
def replies() -> Replies:
    """Return the sentences, from the file beside this module."""
    return Replies.model_validate(read_toml(Path(__file__).with_name("replies.toml")))


def sentence(results: Results, wishes: Wishes, *, currency: str, seed: int) -> str:
    """Say what was found, in one variant."""
    manner = _manner(results, wishes)
    slots = _slots(results, wishes, currency)
    feasible = [
        variant for variant in replies().say[manner] if all(slots.get(name) for name in _names(variant))
    ]
    return _drawn(feasible, seed, manner).format(**slots)


def known_topics(results: Results, wishes: Wishes) -> frozenset[str]:
    """Return what need not be asked; nor the kind, where the best item's title has a word that was said."""
    known = set(wishes.known)
    titled = words_of(results.items[0].title) if results.items else ()
    if "category" in known or any(word in titled for message in wishes.words for word in message):
        known.add("kind")
    return frozenset(known - {"category", "brand"})


def question(known: frozenset[str], offered: Iterable[str], said: Sequence[str], *, seed: int) -> str:
    """Return one question about what is not known yet, empty where enough is.

    ``offered`` are the facets that the catalogue has, ``said`` the agent's messages so far: nothing is asked
    twice.
    """
    if len(known) >= ENOUGH_KNOWN:
        return ""
    worth_asking = {"kind", "price", *offered} - known
    for topic in TOPICS:
        variants = replies().ask[topic]
        if topic in worth_asking and not any(variant in text for variant in variants for text in said):
            return _drawn(variants, seed, topic)
    return ""


def _manner(results: Results, wishes: Wishes) -> Manner:
    if not results.items:
        return "no_more" if wishes.known or wishes.judgements or wishes.set_aside else "unknown"
    if not results.n_fitting:
        return "nearest"
    if wishes.set_aside.intersection(wishes.last_shown):
        return "others"
    return "only_one" if results.n_fitting == 1 else "fitting"


def _slots(results: Results, wishes: Wishes, currency: str) -> Mapping[str, str]:
    slots = {
        "count": str(len(results.items)),
        "wishes": described(wishes, currency),
        "unmet": _joined([replies().names[name] for name in results.unmet], "and"),
    }
    if results.items:
        first = results.items[0]
        slots |= {
            "title": _title(first),
            "price": "" if first.price is None else amount(first.price, currency),
            "colors": ", ".join(first.list_of("colors")[:MAX_LISTED]),
            "sizes": ", ".join(first.list_of("sizes")[:MAX_LISTED]),
            "material": first.text_of("material"),
            "occasion": first.text_of("occasion"),
        }
    if len(results.items) > 1:
        slots["second"] = _title(results.items[1])
    return slots


def described(wishes: Wishes, currency: str) -> str:
    """Say what was asked for, such as "boots, black or brown, size 9, under $80"; empty where nothing was."""
    parts = [
        _joined([wish.said for wish in wishes.wanted[facet]], "or")
        for facet in ("kind", "category", "colors", "material", "sizes")
        if facet in wishes.wanted
    ]
    floor, ceiling = wishes.budget.floor, wishes.budget.ceiling
    if floor is not None and ceiling is not None:
        parts.append(f"{amount(floor, currency)} to {amount(ceiling, currency)}")
    elif ceiling is not None:
        parts.append(f"{'under' if wishes.budget.below else 'at most'} {amount(ceiling, currency)}")
    elif floor is not None:
        parts.append(f"at least {amount(floor, currency)}")
    return ", ".join(parts)


def amount(price: float, currency: str) -> str:
    """Write a price, without cents where it has none."""
    return f"{currency}{price:,.2f}".removesuffix(".00")


def _title(item: CatalogueItem) -> str:
    return item.title.split(",")[0].strip() or item.title


def _joined(words: Sequence[str], conjunction: str) -> str:
    unique = list(dict.fromkeys(words))
    if len(unique) < 2:
        return "".join(unique)
    return f"{', '.join(unique[:-1])} {conjunction} {unique[-1]}"


def _names(variant: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(variant) if name]


def _drawn(variants: Sequence[str], seed: int, *names: str) -> str:
    return variants[child_seed(seed, "wording", *names) % len(variants)]


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
    n_items: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = 6
    currency: str = "$"
    name: str = "retrieval"

    def __post_init__(self) -> None:
        check_settings(self, "retrieval")

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self.catalogue)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Answer the conversation so far."""
        wishes = listen(conversation, self._shelf.vocabulary, self._shelf.price_of)
        results = find(self._shelf, wishes, self.n_items)
        said = [message.content for message in conversation.messages if message.role == "assistant"]
        draw = child_seed(seed, "reply", len(conversation.messages))
        parts = (
            sentence(results, wishes, currency=self.currency, seed=draw),
            question(known_topics(results, wishes), self._shelf.offered, said, seed=draw),
        )
        return AgentReply(
            content=" ".join(part for part in parts if part),
            items=tuple(item.to_shown() for item in results.items),
        )
