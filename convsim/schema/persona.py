"""Who a shopper is before the conversation: need, constraints, and controls that say when they are known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from convsim.schema.record import Name, NotedRecord, Number, Text, keep_unknown

Known = Literal["before", "history", "afterwards"]
"""When a control is known: before the conversation, from the history so far, or only once it has ended.

What is known only afterwards plants the logging agent's future in the user's present (arXiv 2605.11519), so
simulation refuses it.
"""

LOOK_AHEAD = (
    "is known only afterwards and would reveal the end of the conversation to the shopper; drop it, or state it as "
    "known before"
)
"""Why such a control is refused, after its name."""

LEARNED_FROM = "learned_from"
"""The note of a persona that was made from a log: which conversation of which file, as ``LearnedFrom`` has it."""

Scalar = Text | Number | bool


class Constraint(NotedRecord):
    """One wish or dealbreaker about an item: ``attribute op value``."""

    attribute: Text
    op: Literal["=", "!=", "<", ">", "in"]
    value: Scalar | tuple[Scalar, ...]
    known: Known = "before"


class Control(NotedRecord):
    """One setting of a persona's behaviour, and when it is known."""

    value: Scalar
    known: Known = "before"


def _lift(value: object) -> object:
    return value if value is None or isinstance(value, dict | Control) else {"value": value}


OptionalControl = Annotated[Control | None, BeforeValidator(_lift)]


class Persona(NotedRecord):
    """A shopper's need and habits; ``budget`` is in the catalogue's currency."""

    id: Name
    task: Text | None = None
    need: Text
    constraints: tuple[Constraint, ...] = ()
    budget: OptionalControl = None
    dealbreakers: tuple[Constraint, ...] = ()
    patience: OptionalControl = None
    style: OptionalControl = None

    def known_afterwards(self) -> tuple[str, ...]:
        """Name the controls that are known only once the conversation has ended."""
        controls = {name: getattr(self, name) for name in ("budget", "patience", "style")}
        late = [name for name, control in controls.items() if control and control.known == "afterwards"]
        wishes = [*self.constraints, *self.dealbreakers]
        return (*late, *(wish.attribute for wish in wishes if wish.known == "afterwards"))


def _logged(value: Any) -> Any:
    """Keep what a persona of a log, or a part of it, says beside what we know; in a file of personas it is refused."""
    if not isinstance(value, dict):
        return value
    parts = {
        key: keep_unknown(Control, value[key]) for key in ("budget", "patience", "style") if key in value
    }
    for key in ("constraints", "dealbreakers"):
        if isinstance(wishes := value.get(key), list | tuple):
            parts[key] = [keep_unknown(Constraint, wish) for wish in wishes]
    return keep_unknown(Persona, {**value, **parts})


LoggedPersona = Annotated[Persona, BeforeValidator(_logged)]
"""A persona as it stands in a conversation that is read."""
