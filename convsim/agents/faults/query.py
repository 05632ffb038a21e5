"""Faults of what the agent hears: part of the message, another category, a lost constraint, no memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Literal, NamedTuple

from convsim.agents.faults.core import (
    NOT_DRAWN,
    REPLY,
    Done,
    Draws,
    Heard,
    Hearing,
    NotDone,
    Scene,
    Stock,
    listed,
)
from convsim.agents.search.preferences import Phrase
from convsim.agents.search.state_tracker import MAX_CHARACTERS, read_clauses
from convsim.agents.search.vocabulary import Vocabulary
from convsim.text.constraints import NAME, Budget, budget_in, sizes_in
from convsim.text.english import english
from convsim.text.folding import Token, plain_text, tokens

MAX_WORDS = 8
"""The longest run of words that states one budget or size."""
MAX_STATED = 8
"""How many budgets, and how many sizes, of one message are found."""
JOINING = ("or", "and", "nor")
"""What stands between the alternatives of one wish."""
FILLER = "zz zz {} zz zz"
"""Keeps a number that is a wish only where it stands alone from being one inside a sentence."""

WORD = re.compile(r"\S+?(?=[,.;:!?]*(?:\s|$))")
"""A word without the punctuation after it."""

Read = Callable[[str], tuple[Hashable, ...]]
Place = tuple[int, int]


class Constraint(NamedTuple):
    """One wish of a text: where it starts and ends."""

    facet: Literal["price", "size", "color"]
    start: int
    end: int


def constraints_in(text: str, vocabulary: Vocabulary | None) -> list[Constraint]:
    """Find what a text that went through ``plain_text`` asks for, from left to right.

    Without a vocabulary only budgets are found: sizes and colors are those of a catalogue.
    """
    prices = [(start, _after_currency(text, end)) for start, end in _stated(text, _budget)]
    for n_words in (1, 2):
        prices += list(_lone_amounts(_blanked(text, prices), n_words))
    found = [Constraint("price", *place) for place in prices]
    if vocabulary is not None:
        sizes = _stated(text, lambda part: sizes_in(part, vocabulary.sizes))
        found += [Constraint("size", *place) for place in sizes]
        found += [Constraint("color", *place) for place in _colors(text, vocabulary)]
    return sorted(found, key=lambda constraint: constraint.start)


def _budget(text: str) -> tuple[Budget, ...]:
    # Any price makes "cheaper" a wish.
    budget = budget_in(text.lower(), Budget(), cheapest_shown=1.0)
    return (budget,) if budget else ()


def _stated(text: str, read: Read) -> list[Place]:
    """Find the shortest runs of words without which ``read`` makes nothing of the text."""
    found: list[Place] = []
    while len(found) < MAX_STATED and (whole := read(text)):
        place = _shortest(text, read, whole)
        if place is None:
            break
        found.append(place)
        text = _blanked(text, [place])
    return found


def _shortest(text: str, read: Read, whole: tuple[Hashable, ...]) -> Place | None:
    words = [match.span() for match in WORD.finditer(text)]
    for frame in (FILLER, "{}"):
        for meanings in ({whole}, {(one,) for one in whole}):
            for first in reversed(range(len(words))):
                ends = [end for _, end in words[first : first + MAX_WORDS]]
                start = words[first][0]
                if read(frame.format(text[start : ends[-1]])) not in meanings:
                    continue
                shortest = (end for end in ends if read(frame.format(text[start:end])) in meanings)
                return start, next(shortest)
    return None


def _after_currency(text: str, end: int) -> int:
    """Return where the amount that ends there is over: "over 30" goes on with "bucks"."""
    named = re.compile(rf"\s*{NAME}", re.IGNORECASE).match(text, end)
    return named.end() if named else end


def _lone_amounts(text: str, n_words: int) -> Iterator[Place]:
    """Find amounts of money that the search passes over in a longer sentence, but people mean: "boots for $50"."""
    words = [match.span() for match in WORD.finditer(text)]
    for (start, _), (_, end) in zip(words, words[n_words - 1 :], strict=False):
        if any(character.isdigit() for character in text[start:end]) and _budget(text[start:end]):
            yield start, end


def _blanked(text: str, places: list[Place]) -> str:
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _colors(text: str, vocabulary: Vocabulary) -> Iterator[Place]:
    """Find the colors that are wanted or refused, not those of possessions; "black or brown" is one wish."""
    readings, _ = read_clauses(text, vocabulary)
    judged = {reading.mention.phrase for reading in readings if reading.mention.facet == "colors"}
    words = tokens(text)
    runs: list[tuple[int, int]] = []
    for mention in vocabulary.mentions(words):
        if mention.facet != "colors" or mention.phrase not in judged:
            continue
        between = [token.written for token in words[runs[-1][1] + 1 : mention.first]] if runs else ["no run"]
        if between in ([], *([word] for word in JOINING)):
            runs[-1] = (runs[-1][0], mention.last)
        else:
            runs.append((_negated(words, mention.first), mention.last))
    return ((words[first].start, words[last].end) for first, last in runs)


def _negated(words: list[Token], first: int) -> int:
    """Return where "not red" starts: a refusal that stays behind would refuse the next word."""
    before = english().negating.before
    return first - 1 if first and words[first - 1].written in before else first


def _alter_ignored_constraint(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Take the words of constraints out of the user's messages; the newest message is told of first."""
    vocabulary = scene.stock.vocabulary if scene.stock else None
    texts: dict[int, str] = {}
    lost: list[str] = []
    found = 0
    for place, text in reversed(list(heard.said())):
        read = plain_text(text[:MAX_CHARACTERS])
        constraints = constraints_in(read, vocabulary)
        found += len(constraints)
        gone = _unheard_ignored_constraint(read, constraints, place, scene)
        if gone:
            texts[place] = _without(read, gone) + text[MAX_CHARACTERS:]
            lost += [read[constraint.start : constraint.end] for constraint in gone]
    if not found:
        return NotDone("no constraint was said")
    if not lost:
        return NotDone(NOT_DRAWN)
    return Done(heard.rewritten(texts), f"not heard: {listed(lost)}")


def _unheard_ignored_constraint(
    text: str, constraints: list[Constraint], place: int, scene: Scene
) -> list[Constraint]:
    nth: Counter[tuple[str, str]] = Counter()
    gone: list[Constraint] = []
    for constraint in constraints:
        said = (constraint.facet, text[constraint.start : constraint.end].lower())
        if scene.draws.hits(place, *said, nth[said]):
            gone.append(constraint)
        nth[said] += 1
    return gone


def _without(text: str, gone: list[Constraint]) -> str:
    cut = {at for constraint in gone for at in range(constraint.start, constraint.end)}
    kept = "".join(character for at, character in enumerate(text) if at not in cut)
    return re.sub(r" {2,}", " ", re.sub(r" +([,.;!?])", r"\1", kept)).strip(" ,")


IGNORED_CONSTRAINT = Hearing("ignored_constraint", "constraint", _alter_ignored_constraint)


WORD_OR_MARK = re.compile(r"\S+\s*")


def _alter_partial_query(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Leave words out of every user message, at severity 1 all but one of each."""
    texts: dict[int, str] = {}
    lost: list[str] = []
    for place, text in reversed(list(heard.said())):
        words = WORD_OR_MARK.findall(text)
        gone = set(_unheard_partial_query(words, place, scene.draws))
        if gone:
            texts[place] = "".join(word for at, word in enumerate(words) if at not in gone).rstrip()
            lost += [words[at].strip() for at in sorted(gone)]
    if not texts:
        several = any(len(text.split()) > 1 for _, text in heard.said())
        return NotDone(NOT_DRAWN if several else "no message of two words was said")
    return Done(heard.rewritten(texts), f"not heard: {listed(lost, separator=' ')}")


def _unheard_partial_query(words: list[str], place: int, draws: Draws) -> Iterator[int]:
    """Yield which words are lost; the word of the highest number never is."""
    nth: Counter[str] = Counter()
    numbers: list[float] = []
    for word in words:
        written = word.strip().lower()
        numbers.append(draws.uniform(place, written, nth[written]))
        nth[written] += 1
    kept = max(range(len(words)), key=numbers.__getitem__, default=0)
    return (at for at, number in enumerate(numbers) if number < draws.severity and at != kept)


PARTIAL_QUERY = Hearing("partial_query", "word", _alter_partial_query)


INSTRUCTING = ("system", "developer")


def _alter_stale_context(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Forget earlier turns, each whole, so that user and agent still take turns; instructions are kept."""
    turns = _turns(heard)[:-1]
    if not turns:
        return NotDone("nothing was said before the last message")
    forgotten = [turn for turn in turns if scene.draws.hits(turn[0])]
    if not forgotten:
        return NotDone(NOT_DRAWN)
    places = {place for turn in forgotten for place in turn}
    return Done(heard.without(places), f"forgot {len(forgotten)} of {len(turns)} earlier turns")


def _turns(heard: Heard) -> list[list[int]]:
    """Return the places of each run of user messages with what was answered; what the agent opens with is one."""
    turns: list[list[int]] = []
    before = ""
    for place, message in zip(heard.places, heard.conversation.messages, strict=True):
        if message.role in INSTRUCTING:
            continue
        if not turns or (message.role == "user" and before != "user"):
            turns.append([])
        turns[-1].append(place)
        before = message.role
    return turns


STALE_CONTEXT = Hearing("stale_context", "earlier turn", _alter_stale_context)


def _alter_wrong_category(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Put nouns of one other category in the place of every kind and category that the user names."""
    stock = scene.stock
    if stock is None:
        return NotDone("there is no catalogue to know kinds of items from")
    said = {place: plain_text(text[:MAX_CHARACTERS]) for place, text in heard.said()}
    named = {place: categories for place, text in said.items() if (categories := stock.categories_said(text))}
    if not named:
        return NotDone("no kind of item that the catalogue knows was said")
    others = [category for category in stock.nouns if category and category not in named[max(named)]]
    if not others:
        return NotDone("the catalogue has no other category than those that were said")
    nouns = stock.nouns[scene.draws.one_of(others, "category")]
    swaps: dict[str, str] = {}
    texts = {
        place: _swapped(said[place], stock, nouns, scene, swaps) + text[MAX_CHARACTERS:]
        for place, text in heard.said()
        if place in named
    }
    return Done(
        heard.rewritten(texts), f"heard: {listed([f'{noun} for {word}' for word, noun in swaps.items()])}"
    )


def _swapped(text: str, stock: Stock, nouns: tuple[str, ...], scene: Scene, swaps: dict[str, str]) -> str:
    """Return the text with other nouns, and note in ``swaps`` which stand for what."""
    words = tokens(text)
    kinds: Mapping[int, tuple[Phrase, int]] = {
        mention.first: (mention.phrase, mention.last)
        for mention in stock.vocabulary.mentions(words)
        if mention.facet in ("kind", "category")
    }
    for first, (phrase, last) in sorted(kinds.items(), reverse=True):
        noun = scene.draws.one_of(nouns, "noun", *phrase)
        start, end = words[first].start, words[last].end
        swaps[text[start:end].lower()] = noun
        text = text[:start] + noun + text[end:]
    return text


WRONG_CATEGORY = Hearing("wrong_category", REPLY, _alter_wrong_category)
