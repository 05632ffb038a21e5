"""The agent shows items that do not fit: of a category that it did not mean and the user did not name."""

from __future__ import annotations

from convsim.agents.faults.heard import Heard
from convsim.agents.faults.hooks import NOT_DRAWN, Answering, Done, Draft, NotDone, Scene, listed
from convsim.agents.faults.rewording import with_items
from convsim.agents.faults.stock import Stock
from convsim.agents.search.listening import MAX_CHARACTERS, MAX_MESSAGES
from convsim.agents.search.wishes import Phrase
from convsim.schema.catalogue import CatalogueItem
from convsim.schema.conversation import Item

MAX_ATTEMPTS = 50
"""How often an item is drawn that is not shown yet; a shop with fewer others than slots runs out."""


def _alter(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
    """Put an item of another category in the place of each."""
    stock, items = scene.stock, draft.reply.items
    if stock is None:
        return NotDone("there is no catalogue to take other items from")
    if not items:
        return NotDone("the reply shows no items")
    meant = {slot: found for slot, item in enumerate(items) if (found := stock.category_of(item)) is not None}
    if not meant:
        return NotDone("none of the items shown is in the catalogue")
    others = _unfit(stock, set(meant.values()), scene)
    if not others:
        return NotDone("the catalogue has no other category")
    chosen = _chosen(others, items, scene)
    drawn = [slot for slot in meant if slot in chosen and scene.draws.hits(slot)]
    if not drawn:
        return NotDone(NOT_DRAWN)
    swaps = [(items[slot], chosen[slot].to_shown()) for slot in drawn]
    shown = [chosen[slot].to_shown() if slot in drawn else item for slot, item in enumerate(items)]
    detail = listed([f"{new.id} for {old.id}" for old, new in swaps])
    return Done(Draft(with_items(draft.reply, shown, swaps), draft.own_words), f"shown: {detail}")


def _unfit(stock: Stock, meant: set[Phrase], scene: Scene) -> list[CatalogueItem]:
    """Return the items of categories that were neither meant nor said, or where there is none not meant."""
    texts = [text[:MAX_CHARACTERS] for _, text in Heard.whole(scene.conversation).said()][-MAX_MESSAGES:]
    said = frozenset[Phrase]().union(*map(stock.categories_said, texts))
    return stock.outside(meant | said) or stock.outside(meant)


def _chosen(others: list[CatalogueItem], items: tuple[Item, ...], scene: Scene) -> dict[int, CatalogueItem]:
    """Choose an item for every slot, drawn or not, so that a greater severity chooses no others; none twice."""
    taken = {item.id for item in items}
    chosen: dict[int, CatalogueItem] = {}
    for slot in range(len(items)):
        for attempt in range(MAX_ATTEMPTS):
            item = scene.draws.one_of(others, slot, attempt)
            if item.id not in taken:
                chosen[slot] = item
                taken.add(item.id)
                break
    return chosen


IRRELEVANT_ITEMS = Answering("irrelevant_items", "item", _alter)
