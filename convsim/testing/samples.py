"""What the checks try a plugin on: odd and hostile conversations, and how a broken contract is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from convsim._text import one_line
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona

T = TypeVar("T")


SEED = 7


def in_turns(*texts: str, first: str = "user", items: Sequence[Item] = ()) -> tuple[Message, ...]:
    """Take turns, and show ``items`` with each answer."""
    roles = ("user", "assistant") if first == "user" else ("assistant", "user")
    return tuple(
        Message.model_validate(
            {"role": roles[n % 2], "content": text, "items": items if roles[n % 2] == "assistant" else ()}
        )
        for n, text in enumerate(texts)
    )


ITEMS = tuple(
    Item(id=f"b{n}", title=f"Alder boots {n}", price=40.0 + n, attributes={"color": "red"}) for n in range(3)
)


HOSTILE = (
    "{{ 7 * 7 }} {title} {% raw %} \x1b[2J \x00 [1] \u202e <b>&amp;" + "(" * 500 + "a" * 3_000 + "$" * 3_000
)


PERSONA = Persona(id="somebody", task="footwear", need="red boots under $80 for the rain")


def _odd(**messages: tuple[Message, ...]) -> dict[str, Conversation]:
    return {
        name.replace("_", " "): Conversation(id=name, task="footwear", messages=said)
        for name, said in messages.items()
    }


ODD: Mapping[str, Conversation] = _odd(
    no_message=(),
    one_message=in_turns("red boots please"),
    an_empty_message=in_turns(""),
    white_space=in_turns(" \n\t "),
    items_shown=in_turns(
        "red boots", "How about these?", "thanks! are they waterproof?", "They are.", items=ITEMS
    ),
    several_user_messages_in_a_row=tuple(Message(role="user", content=text) for text in ("hi", "", "boots")),
    the_agent_speaks_first=in_turns("Hello!", "boots", first="assistant"),
    other_roles=(Message(role="system", content="x"), Message(role="tool", content="{}"), *in_turns("hi")),
    other_scripts=in_turns("赤いブーツ、お願いします", "これはいかがですか", "أحذية حمراء من فضلك 👢"),
    hostile_text=in_turns(HOSTILE, HOSTILE, HOSTILE),
    two_hundred_messages=in_turns(*(f"boots {n} under ${n}" for n in range(200))),
)
"""Conversations that every plugin must bear, by what is odd about them."""


def make_or_refuse(make: Callable[[], T], thing: object) -> T:
    """Make what is to be checked, as convsim makes it elsewhere."""
    try:
        return make()
    except Exception as error:  # somebody else's class
        raise AssertionError(f"{name_of(thing)} cannot be used: {reason_of(error)}") from None


def sample_conversations(further: Iterable[Conversation] = ()) -> dict[str, Conversation]:
    """Return copies of all, so that a plugin which changes what it is given spoils nobody else's check."""
    everything = {**ODD, **{f"conversation {conversation.id}": conversation for conversation in further}}
    return {place: conversation.model_copy(deep=True) for place, conversation in everything.items()}


def require(holds: bool, otherwise: str) -> None:
    """Raise AssertionError with ``otherwise`` unless ``holds``."""
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(otherwise)


def require_text(whose: str, field: str, value: object) -> None:
    """Require that a field is a text that is not empty."""
    __tracebackhide__ = True
    require(
        isinstance(value, str) and bool(value.strip()),
        f"{whose}: {field} must be a text, but is {name_of(value)}",
    )


def name_of(value: object) -> str:
    """Return what a plugin is called in a message, on one printable line."""
    return one_line(getattr(value, "__qualname__", None) or repr(value))


def reason_of(error: BaseException) -> str:
    """Return what was raised, on one printable line."""
    return f"{type(error).__name__}: {one_line(error)}"
