"""What a shopper could see after a reply of the agent, as numbers: the only inputs of a decision policy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from convsim.metrics.items import PRICE, attribute_texts, holds_of, limits_of, number
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona
from convsim.text.lexicons import ALL, Lexicon, read_character_class
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

MAX_CHARACTERS = 4_000
"""Of a message, that are read."""
MAX_ITEMS = 50
"""Of a carousel, that are read."""
TURNS = tuple(f"turn_is_{turn}" for turn in range(1, 7))
FEATURES: Mapping[str, str] = {
    "turns": "runs of the user's messages so far",
    "log_turns": "its logarithm",
    **dict.fromkeys(TURNS, "1 at that turn, else 0"),
    "items_shown": "1 if the agent has shown an item so far",
    "items_now": "items in the agent's last run of messages",
    "items_so_far": "log(1 + different items so far)",
    "runs_since_items": "runs of the agent's messages since it last showed items",
    "items_seen_before": "proportion of the items shown now that were shown before",
    "fit_best": "best proportion of the persona's wishes that hold of an item shown last",
    "fit_mean": "mean proportion of the persona's wishes that hold of the items shown last",
    "limits_broken": "proportion of the items shown last that break a dealbreaker or the budget",
    "price_to_budget": "log(lowest price shown last / budget)",
    "price_lowest": "log(1 + lowest price shown last)",
    "need_in_reply": "proportion of the need's content words that the agent's last run of messages has",
    "need_in_items": "highest proportion of the need's content words that an item shown last has",
    "said_in_reply": "proportion of the content words of the user's last run that the agent's last run has",
    "said_in_items": "highest proportion of the content words of the user's last run that an item shown last has",
    "reply_repeated": "highest overlap (Jaccard) of the agent's last run with an earlier one",
    "reply_words": "log(1 + words of the agent's last run)",
    "reply_asks": "1 if the agent's last run has a question mark",
    "reply_empty": "1 if the agent's last run has no word and no item",
    "replies_empty": "how many of the agent's runs so far were empty",
    "reply_apologises": "1 if the agent's last run has a word of apology",
    "replies_apologising": "how many of the agent's runs so far had one",
    "reply_refuses": "1 if the agent's last run has a word of refusal",
    "said_words": "log(1 + words of the user's last run)",
    "said_words_mean": "log(1 + words of the user's runs so far, on average)",
    "said_question": "1 if the user's last run has a question mark",
    "said_refusal": "1 if the user's last run has a word of refusal",
    "said_assent": "1 if the user's last run has a word of agreement",
    "said_thanks": "1 if the user's last run has a word of thanks",
    "said_hedge": "1 if the user's last run leaves something open",
    "said_complaint": "1 if the user's last run complains",
    "complaints": "how many of the user's runs so far complained",
    "said_taking": "1 if the user's last run has a phrase of taking something",
    "said_giving_up": "1 if the user's last run has a phrase of giving up",
}
"""By name: what each is. One that cannot be told, as nothing was shown or no word list is there, is NaN, never 0."""


@dataclass(frozen=True)
class Read:
    """One text: its words, and what the word lists of a language find in it."""

    words: tuple[str, ...]
    content: frozenset[str]
    """Words that are no stop words."""
    asks: float
    found: Mapping[str, float]
    """1 or 0 by the name of a list; NaN where the language has none."""


LISTS = ("sorry", "thanks", "complaints", "refusal", "assent", "hedges", "taking", "giving_up")


@lru_cache(maxsize=16_384)
def read_text(text: str, language: str | None) -> Read:
    """Read a text by the word lists of a language (None: by none)."""
    text, lexicon = text[:MAX_CHARACTERS], Lexicon()
    said = tuple(words(text))
    conduct, endings = lexicon.conduct(language), lexicon.endings(language)
    lists = {
        "sorry": lexicon.words("sorry", language),
        "thanks": lexicon.words("thanks", language),
        "complaints": lexicon.complaints(language).get(ALL),
        **{name: conduct.get(name) for name in ("refusal", "assent", "hedges")},
        **{name: endings.get(name) for name in ("taking", "giving_up")},
    }
    found = {name: math.nan if (finds := lists[name]) is None else float(finds(text, said)) for name in LISTS}
    stop_words = lexicon.entries("stop_words", language) or frozenset()
    asks = float(_question_marks().search(text) is not None)
    return Read(said, frozenset(said) - stop_words, asks, found)


@lru_cache(maxsize=1)
def _question_marks() -> re.Pattern[str]:
    return read_character_class("question_marks")


def items_shown_last(conversation: Conversation) -> tuple[Item, ...]:
    """Return the items that the agent showed last, each id once."""
    shown = next((m.items for m in reversed(conversation.messages) if m.role == "assistant" and m.items), ())
    return tuple({item.id: item for item in shown[:MAX_ITEMS]}.values())


def words_of_item(item: Item, language: str | None) -> frozenset[str]:
    """Return the content words of an item's title and attributes."""
    return read_text(" \n ".join([item.title, *attribute_texts(item.attributes)]), language).content


def fit(item: Item, persona: Persona) -> float:
    """Return the proportion of a persona's wishes that hold of an item, of those that it tells of; NaN of none."""
    told = [holds for wish in persona.constraints if (holds := holds_of(item, wish)) is not None]
    return sum(told) / len(told) if told else math.nan


def breaks(item: Item, persona: Persona) -> float:
    """Return 1 if an item breaks a dealbreaker or the budget, 0 if it breaks none that it tells of; NaN of none."""
    told = [holds for limit in limits_of(persona) if (holds := holds_of(item, limit)) is not None]
    return float(any(told)) if told else math.nan


def price_to_budget(item: Item, persona: Persona) -> float:
    """Return log(price / budget); NaN where either is not known or not above 0."""
    budget = number(persona.budget.value) if persona.budget else None
    price = price_of(item)
    return math.log(price) - math.log(budget) if budget and price and budget > 0 < price else math.nan


def price_of(item: Item) -> float | None:
    """Return what an item costs; None where it does not say."""
    return item.price if item.price is not None else number(item.attributes.get(PRICE))


def proportion_in(sought: frozenset[str], there: frozenset[str]) -> float:
    """Return the proportion of some words that are there; NaN of no words."""
    return len(sought & there) / len(sought) if sought else math.nan


def features_of(seen: Conversation, persona: Persona, language: str | None) -> FloatArray:
    """Return what a shopper can see of a conversation so far; shape (features,), in the order of ``FEATURES``.

    Args:
        seen: What was said so far; an agent's reply is last.
        persona: Who looks at it.
        language: ISO 639 code of the word lists that are looked at.
    """
    import numpy as np

    found = {**_of_turns(seen), **_of_items(seen, persona, language), **_of_words(seen, persona, language)}
    return np.asarray([found[name] for name in FEATURES], np.float64)


def _runs(seen: Conversation, role: str) -> list[list[Message]]:
    runs: list[list[Message]] = []
    before = None
    for message in seen.messages:
        if message.role not in ("user", "assistant"):
            continue
        if message.role == role:
            if before != role:
                runs.append([])
            runs[-1].append(message)
        before = message.role
    return runs


def _of_turns(seen: Conversation) -> dict[str, float]:
    turns = len(_runs(seen, "user"))
    return {
        "turns": float(turns),
        "log_turns": math.log(max(1, turns)),
        **{name: float(turns == turn) for turn, name in enumerate(TURNS, start=1)},
    }


def _of_items(seen: Conversation, persona: Persona, language: str | None) -> dict[str, float]:
    runs = [[item.id for m in run for item in m.items] for run in _runs(seen, "assistant")]
    now, before = set(runs[-1] if runs else ()), {item for run in runs[:-1] for item in run}
    since = next((n for n, run in enumerate(reversed(runs)) if run), None)
    last = items_shown_last(seen)
    fits = [known for item in last if not math.isnan(known := fit(item, persona))]
    broken = [known for item in last if not math.isnan(known := breaks(item, persona))]
    ratios = [known for item in last if not math.isnan(known := price_to_budget(item, persona))]
    prices = [price for item in last if (price := price_of(item)) is not None and price >= 0]
    need = read_text(persona.need, language).content
    said = _content(_last_run(seen, "user"), language)
    there = [words_of_item(item, language) for item in last]
    return {
        "items_shown": float(bool(last)),
        "items_now": float(len(now)),
        "items_so_far": math.log1p(len(now | before)),
        "runs_since_items": math.nan if since is None else float(since),
        "items_seen_before": len(now & before) / len(now) if now else math.nan,
        "fit_best": max(fits, default=math.nan),
        "fit_mean": _mean(fits),
        "limits_broken": _mean(broken),
        "price_to_budget": min(ratios, default=math.nan),
        "price_lowest": math.log1p(min(prices)) if prices else math.nan,
        "need_in_items": max((proportion_in(need, each) for each in there), default=math.nan),
        "said_in_items": max((proportion_in(said, each) for each in there), default=math.nan),
    }


def _of_words(seen: Conversation, persona: Persona, language: str | None) -> dict[str, float]:
    agent = [_texts(run) for run in _runs(seen, "assistant")]
    user = [_texts(run) for run in _runs(seen, "user")]
    read = [read_text(text, language) for text in agent]
    said = [read_text(text, language) for text in user]
    nothing = read_text("", language)
    reply, own = (read or [nothing])[-1], (said or [nothing])[-1]
    empty = [
        float(not each.words and not any(m.items for m in run))
        for each, run in zip(read, _runs(seen, "assistant"), strict=True)
    ]
    lengths = [len(each.words) for each in said]
    return {
        "need_in_reply": proportion_in(read_text(persona.need, language).content, reply.content),
        "said_in_reply": proportion_in(own.content, reply.content),
        "reply_repeated": max((_overlap(reply, each) for each in read[:-1]), default=0.0),
        "reply_words": math.log1p(len(reply.words)),
        "reply_asks": reply.asks,
        "reply_empty": (empty or [0.0])[-1],
        "replies_empty": sum(empty),
        "reply_apologises": reply.found["sorry"],
        "replies_apologising": sum(each.found["sorry"] for each in read),
        "reply_refuses": reply.found["refusal"],
        "said_words": math.log1p(len(own.words)),
        "said_words_mean": math.log1p(_mean(lengths) if lengths else 0.0),
        "said_question": own.asks,
        "said_refusal": own.found["refusal"],
        "said_assent": own.found["assent"],
        "said_thanks": own.found["thanks"],
        "said_hedge": own.found["hedges"],
        "said_complaint": own.found["complaints"],
        "complaints": sum(each.found["complaints"] for each in said),
        "said_taking": own.found["taking"],
        "said_giving_up": own.found["giving_up"],
    }


def _last_run(seen: Conversation, role: str) -> Sequence[Message]:
    runs = _runs(seen, role)
    return runs[-1] if runs else ()


def _texts(run: Iterable[Message]) -> str:
    return "\n".join(m.content for m in run)


def _content(run: Iterable[Message], language: str | None) -> frozenset[str]:
    return read_text(_texts(run), language).content


def _overlap(one: Read, other: Read) -> float:
    either = one.content | other.content
    return len(one.content & other.content) / len(either) if either else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
