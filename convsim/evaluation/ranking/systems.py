"""Which recommender each conversation was held with: the value of a field, by the name of which systems are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from convsim._text import listed, one_line
from convsim.errors import InputError
from convsim.schema.conversation import Conversation

FIELDS = ("agent", "arm", "task", "fault", "severity", "source")
"""Fields of every conversation that may tell systems apart; others are what logs state beside them."""
MOST_SYSTEMS = 50
MOST_CHARACTERS = 500
N_NAMED = 8


def system_of(conversation: Conversation, by: str) -> str | None:
    """Return the value of a field as text; None where the conversation does not state it.

    At severity 0 stands whoever met the bare agent.
    """
    value: object
    if by == "severity":
        bare = conversation.fault is None and conversation.severity is None
        value = 0.0 if bare else conversation.severity
    elif by in FIELDS:
        value = getattr(conversation, by)
    else:
        value = conversation.metadata.get(by)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return value if isinstance(value, str) and value else None


def systems_of(conversations: Sequence[Conversation], by: str, side: str) -> list[str | None]:
    """Return the system of each conversation.

    Raises:
        InputError: There is no such field, no conversation states it, or it has more values than there are systems.
    """
    found = [system_of(conversation, by) for conversation in conversations]
    values = {value for value in found if value is not None}
    if not values:
        fields = _fields(conversations)
        is_known = by in FIELDS or any(by in c.metadata for c in conversations)
        said = f"no conversation of {side} states one" if is_known else "there is no such field"
        raise InputError(
            f"--by {one_line(by)}: {said}; fields of {side}: {listed(fields, N_NAMED) or 'none that is stated'}"
        )
    if any(len(value) > MOST_CHARACTERS for value in values):
        raise InputError(
            f"--by {one_line(by)}: {side} have a value of more than {MOST_CHARACTERS} characters; expected names of "
            "systems"
        )
    if len(values) > MOST_SYSTEMS:
        raise InputError(
            f"--by {one_line(by)}: {side} have {len(values)} values of it; at most {MOST_SYSTEMS} systems are compared"
        )
    return found


def checked_order(order: Sequence[str]) -> tuple[str, ...]:
    """Return a known order, the best first; raises InputError where it has fewer than two systems, or one twice."""
    names = tuple(name.strip() for name in order if name.strip())
    if len(names) < 2:
        raise InputError(
            f"--known-order {','.join(order)!r}: expected two or more systems, the best first, such as good,mid,bad"
        )
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise InputError(f"--known-order names {one_line(twice[0])!r} twice")
    return names


def check_present(wanted: Sequence[str], units: Mapping[str, int], side: str, *, why: str) -> None:
    """Check that a side has all systems that are compared; raises InputError, naming those that it has."""
    lacking = [name for name in wanted if name not in units]
    if lacking:
        has = listed([one_line(name) for name in units], N_NAMED)
        both = [f"--only {one_line(name)!r}" for name in wanted if name in units]
        way = f"; compare what is there with {' '.join(both[:N_NAMED])}" if len(both) > 1 else ""
        raise InputError(
            f"no conversation of {side} is with {one_line(lacking[0])!r}, {why}; there are {has}{way}"
        )


def _fields(conversations: Sequence[Conversation]) -> list[str]:
    """Name the fields that are stated and have several values, those of every conversation first."""
    further = dict.fromkeys(key for c in conversations for key in c.metadata)
    named = [*FIELDS, *list(further)[:100]]
    return [one_line(name) for name in named if len({system_of(c, name) for c in conversations} - {None}) > 0]
