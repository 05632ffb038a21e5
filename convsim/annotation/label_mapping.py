"""Labels of another scheme read as acts, so that an annotator of acts can be held against them."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.annotation.mapping import ActMap
from convsim.metrics.labels import ACTS, acts_of
from convsim.schema.conversation import Conversation, Label, Message


def with_mapped_acts(
    conversations: Sequence[Conversation], act_map: ActMap, *, source: str
) -> list[Conversation]:
    """Return the conversations with acts by ``source``, read from its labels of another scheme.

    Acts by others are merged where that scheme does not tell them apart, so that both can be compared.

    Raises:
        InputError: A label of that scheme that the map does not know.
    """
    return [
        conversation.model_copy(
            update={"messages": tuple(_mapped(m, act_map, source) for m in conversation.messages)}
        )
        for conversation in conversations
    ]


def _mapped(message: Message, act_map: ActMap, source: str) -> Message:
    if message.role != "user" or not message.labels:
        return message
    given = [
        Label(value=[*act_map.as_seen(acts)], source=label.source)
        for label in message.labels.get(ACTS, ())
        if label.source != source and (acts := acts_of(label.value)) is not None
    ]
    told = act_map.acts_of(message, source=source)
    if told is not None:
        given.append(Label(value=[*told], source=source))
    labels = {name: labels for name, labels in message.labels.items() if name != ACTS}
    return message.model_copy(update={"labels": {**labels, ACTS: tuple(given)} if given else labels})
