"""Small conversations written in place, and one metric's value of one."""

from pydantic import JsonValue

from convsim.metrics import METRICS
from convsim.schema import Columns
from convsim.schema.conversation import Conversation, Item, Message


def user(text: str) -> Message:
    return Message(role="user", content=text)


def agent(text: str, *items: Item) -> Message:
    return Message(role="assistant", content=text, items=items)


def item(title: str, **attributes: JsonValue) -> Item:
    return Item(id=title or "untitled", title=title, attributes=attributes)


def conversation(*messages: Message, name: str = "c") -> Conversation:
    return Conversation(id=name, messages=messages)


def value(metric: str, *messages: Message) -> float:
    """Measure one metric on one conversation of ``messages``."""
    (measured,) = METRICS[metric].measure(Columns.of([conversation(*messages)]))
    return float(measured)


def value_of_texts(metric: str, *texts: str) -> float:
    """Measure one metric on a conversation in which the user says ``texts``."""
    return value(metric, *(user(text) for text in texts))
