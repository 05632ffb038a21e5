"""A conversation as a person would read it, with the agent's items as a compact carousel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from convsim._text import plain
from convsim.schema.conversation import Conversation, Item, Label, Message

MAX_ITEMS = 12
MAX_MESSAGE_CHARACTERS = 4000


def transcript(conversation: Conversation) -> Iterator[RenderableType]:
    """Yield a conversation's header, messages and end; control characters are shown as marks."""
    c = conversation
    facts = [
        ("task", c.task),
        ("arm", c.arm),
        ("agent", c.agent),
        ("user", c.user),
        ("simulator", c.simulator),
    ]
    stated = "  ".join(f"{name} {plain(value, limit=60)}" for name, value in facts if value)
    yield Text(f"{plain(c.id, limit=80)}  {stated}", style="bold")
    if c.persona:
        yield Text(f"need: {plain(c.persona.need)}", style="dim")
    for message in c.messages:
        yield from _message(message)
    labels = _labels(c.labels)
    yield Text(f"ending: {c.ending}{f'  {labels}' if labels else ''}", style="bold")
    if c.failure:
        yield Text(f"failure: {plain(c.failure.reason)}", style="red")


def _message(message: Message) -> Iterator[RenderableType]:
    styles = {"user": "cyan", "assistant": "green"}
    text = Text(f"{message.role:>9}  ", style=styles.get(message.role, "dim"))
    text.append(
        plain(message.content, limit=MAX_MESSAGE_CHARACTERS) or "(empty)",
        style="" if message.content else "dim",
    )
    if message.action in ("accept", "leave"):
        named = ", ".join(plain(item, limit=40) for item in message.accepted)
        text.append(f"  [{message.action}s{' ' + named if named else ''}]", style="bold")
    if labels := _labels(message.labels):
        text.append(f"  {labels}", style="dim")
    yield text
    for item in message.items[:MAX_ITEMS]:
        yield Padding(Text(f"· {_item(item)}", style="dim"), (0, 0, 0, 11))
    for fault in message.faults:
        acted = "acted" if fault.acted else "could not act"
        detail = f": {plain(fault.detail)}" if fault.detail else ""
        yield Padding(
            Text(f"! {plain(fault.name)} {fault.severity:g} {acted}{detail}", style="yellow"), (0, 0, 0, 11)
        )


def _item(item: Item) -> str:
    price = f"  {item.price:g}" if item.price is not None else ""
    return f"{plain(item.id, limit=30)}  {plain(item.title, limit=80)}{price}"


def _labels(labels: Mapping[str, tuple[Label, ...]]) -> str:
    shown = [
        f"{plain(name, limit=30)}={plain(str(label.value), limit=40)} ({plain(label.source, limit=30)})"
        for name, several in labels.items()
        for label in several
    ]
    return "  ".join(shown)
