"""Whether conversations of one file, or of one side, repeat one another."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.schema.conversation import Conversation
from convsim.schema.units import independent_unit
from convsim.stats.neighbours import repeats

REPEATED_SHARE = 0.05
"""Of the conversations, from which on it is said."""


def repeated_conversations(conversations: Sequence[Conversation]) -> str | None:
    """Say how many conversations repeat another user's, exactly or nearly, where they are 5 % or more."""
    texts = ["\n".join(message.content for message in c.user_messages) for c in conversations]
    found = repeats(texts, [independent_unit(conversation) for conversation in conversations])
    if found.share < REPEATED_SHARE:
        return None
    parts = [f"{n} {how}" for n, how in ((found.exact, "word for word"), (found.near, "nearly")) if n]
    return (
        f"{found.exact + found.near} of {found.n} conversations repeat what another user said ({' and '.join(parts)}): "
        "they add little evidence; leave out what was recorded or generated twice"
    )
