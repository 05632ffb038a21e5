"""The agent shows again what it showed last time."""

from __future__ import annotations

from convsim.agents.faults.hooks import NOT_DRAWN, Answering, Done, Draft, NotDone, Scene, listed
from convsim.agents.faults.rewording import with_items
from convsim.schema.conversation import Conversation, Item


def _alter(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
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


REPEATED_ITEMS = Answering("repeated_items", "item", _alter)
