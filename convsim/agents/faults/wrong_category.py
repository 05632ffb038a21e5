"""The agent hears another kind of item than the one said: "boots" reach it as "skirts"."""

from __future__ import annotations

from collections.abc import Mapping

from convsim.agents.faults.heard import Heard
from convsim.agents.faults.hooks import REPLY, Done, Hearing, NotDone, Scene, listed
from convsim.agents.faults.stock import Stock
from convsim.agents.search.listening import MAX_CHARACTERS
from convsim.agents.search.wishes import Phrase
from convsim.text.folding import plain_text, tokens


def _alter(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
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


WRONG_CATEGORY = Hearing("wrong_category", REPLY, _alter)
