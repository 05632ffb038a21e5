"""Faults of the items that are shown: repeated, irrelevant, none."""

from __future__ import annotations

from convsim.agents.faults.core import (
    NOT_DRAWN,
    REPLY,
    Answering,
    Done,
    Draft,
    Heard,
    NotDone,
    Scene,
    Stock,
    listed,
    with_items,
)
from convsim.agents.faults.text import drawn_phrases
from convsim.agents.search.preferences import Phrase
from convsim.agents.search.state_tracker import MAX_CHARACTERS, MAX_MESSAGES
from convsim.schema.catalogue import CatalogueItem
from convsim.schema.conversation import Conversation, Item


def _alter_empty_carousel(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
    """Take all items away; a reply without words gets some, since nothing at all would be no reply."""
    items = draft.reply.items
    if not items:
        return NotDone("the reply shows no items")
    content = draft.reply.content
    if not content.strip():
        [content] = drawn_phrases("empty_carousel", draft.reply, scene.draws)
    reply = draft.reply.model_copy(update={"items": (), "content": content})
    return Done(Draft(reply, draft.own_words), f"not shown: {len(items)} item{'s' * (len(items) != 1)}")


EMPTY_CAROUSEL = Answering("empty_carousel", REPLY, _alter_empty_carousel)


MAX_ATTEMPTS = 50
"""How often an item is drawn that is not shown yet; a shop with fewer others than slots runs out."""


def _alter_irrelevant_items(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
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


IRRELEVANT_ITEMS = Answering("irrelevant_items", "item", _alter_irrelevant_items)


def _alter_repeated_items(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
    """Show an item of last time in the place of each new one; a new one for which there is none left goes."""
    last = _last_shown(scene.conversation)
    items = draft.reply.items
    if not last:
        return NotDone("nothing was shown before")
    if not items:
        return NotDone("the reply shows no items")
    new = [slot for slot, item in enumerate(items) if item.id not in last]
    if not new:
        return NotDone("the agent shows nothing new of its own")
    drawn = {slot for slot in new if scene.draws.hits(slot)}
    if not drawn:
        return NotDone(NOT_DRAWN)
    there = {item.id for item in items}
    free = [item for item_id, item in last.items() if item_id not in there]
    swaps = {slot: free[at] for at, slot in enumerate(new[: len(free)]) if slot in drawn}
    gone = drawn - swaps.keys()
    shown = [swaps.get(slot, item) for slot, item in enumerate(items) if slot not in gone]
    # What goes may be spoken of: then the text speaks of the first one of last time.
    pairs = [(items[slot], swaps.get(slot, next(iter(last.values())))) for slot in sorted(drawn)]
    said = [f"shown again: {listed([item.id for item in swaps.values()])}"] if swaps else []
    said += [f"left out: {listed([items[slot].id for slot in sorted(gone)])}"] if gone else []
    return Done(Draft(with_items(draft.reply, shown, pairs), draft.own_words), "; ".join(said))


def _last_shown(conversation: Conversation) -> dict[str, Item]:
    """Return what the agent's last message with items showed, by id."""
    for message in reversed(conversation.messages):
        if message.role == "assistant" and message.items:
            return {item.id: item for item in message.items}
    return {}


REPEATED_ITEMS = Answering("repeated_items", "item", _alter_repeated_items)
