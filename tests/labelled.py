"""Conversations that carry given labels, for tests of annotators and of what is made of their labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from convsim.schema.conversation import Conversation, Label, Message

Values = Mapping[str, Any]
"""By source, a sequence or an array of one value an item; None where it gave no label."""


def labelled_sessions(
    name: str,
    values: Values,
    *,
    scale: tuple[float, float] | None = (0, 1),
    users: Sequence[str] | None = None,
    prefix: str = "c",
) -> list[Conversation]:
    """Make one conversation a value, labelled as a whole."""
    n = len(next(iter(values.values())))
    return [
        Conversation(
            id=f"{prefix}{i}",
            user=users[i] if users else None,
            messages=(Message(role="user", content=f"{prefix} {i}"),),
            labels=_labels(name, values, i, scale),
        )
        for i in range(n)
    ]


def labelled_messages(
    name: str,
    values: Values,
    *,
    per_conversation: int,
    scale: tuple[float, float] | None = None,
    prefix: str = "c",
) -> list[Conversation]:
    """Make conversations of ``per_conversation`` user messages, one value each, with an answer after each."""
    n = len(next(iter(values.values())))
    conversations = []
    for start in range(0, n, per_conversation):
        messages: list[Message] = []
        for i in range(start, min(n, start + per_conversation)):
            messages.append(
                Message(role="user", content=f"{prefix} {i}", labels=_labels(name, values, i, scale))
            )
            messages.append(Message(role="assistant", content="Here you are."))
        conversations.append(Conversation(id=f"{prefix}{start}", messages=tuple(messages)))
    return conversations


def _labels(
    name: str, values: Values, i: int, scale: tuple[float, float] | None
) -> dict[str, tuple[Label, ...]]:
    given = tuple(
        Label.model_validate({"value": _plain(of[i]), "source": source, "scale": scale})
        for source, of in values.items()
        if of[i] is not None
    )
    return {name: given} if given else {}


def _plain(value: object) -> object:
    return value.item() if hasattr(value, "item") else value
