"""The agent speaks as if it showed items, and shows none."""

from __future__ import annotations

from convsim.agents.faults.hooks import REPLY, Answering, Done, Draft, NotDone, Scene
from convsim.agents.faults.sayings import drawn_phrases


def _alter(draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
    """Take all items away; a reply without words gets some, since nothing at all would be no reply."""
    items = draft.reply.items
    if not items:
        return NotDone("the reply shows no items")
    content = draft.reply.content
    if not content.strip():
        [content] = drawn_phrases("empty_carousel", draft.reply, scene.draws)
    reply = draft.reply.model_copy(update={"items": (), "content": content})
    return Done(Draft(reply, draft.own_words), f"not shown: {len(items)} item{'s' * (len(items) != 1)}")


EMPTY_CAROUSEL = Answering("empty_carousel", REPLY, _alter)
