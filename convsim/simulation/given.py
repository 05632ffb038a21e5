"""Checks of what a study is given, before anything is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from convsim._text import complaint, shown
from convsim.errors import InputError
from convsim.schema.conversation import LearnedFrom
from convsim.schema.persona import LEARNED_FROM, LOOK_AHEAD, Persona
from convsim.simulation.config import StudySection
from convsim.simulation.loop import Arm, Opening

T = TypeVar("T")


def checked_numbers(numbers: Mapping[str, object]) -> Mapping[str, object]:
    """Check a study's name and numbers as those of a study file are."""
    try:
        return dict(StudySection.model_validate(numbers))
    except ValidationError as error:
        raise InputError(f"the study: {complaint(error, with_value=True)}") from None


def checked_opening(opening: object) -> Opening:
    """Check what the agent opens with; False and None are nothing.

    Raises:
        InputError: It is no text and not true.
    """
    if opening is None or opening is False:
        return None
    if opening is True or (isinstance(opening, str) and opening.strip()):
        return opening
    raise InputError(
        f"agent.opening must be what the agent says first, or true to ask it, but is {shown(opening)}"
    )


def checked_personas(personas: Sequence[Persona]) -> tuple[Persona, ...]:
    """Check that there are personas, and that none knows the future."""
    given = _several(personas, "personas", "Persona(…)")
    for persona in given:
        if not isinstance(persona, Persona):
            raise InputError(f"personas: expected personas, but one is {shown(persona)}")
        if late := persona.known_afterwards():
            raise InputError(f"persona {persona.id}: {late[0]} {LOOK_AHEAD}")
        try:
            LearnedFrom.model_validate(persona.metadata.get(LEARNED_FROM) or {})
        except ValidationError as error:
            raise InputError(f"persona {persona.id}: metadata.{LEARNED_FROM}: {complaint(error)}") from None
    return given


def checked_arms(arms: Sequence[str | Arm]) -> tuple[str | Arm, ...]:
    """Check that there are arms, and that each has a name of its own."""
    given = _several(arms, "arms", '"good"')
    seen: set[str] = set()
    for arm in given:
        name = arm.name if isinstance(arm, Arm) else arm
        if not isinstance(name, str) or not name:
            raise InputError(f"arms: expected names or arms, but one is {shown(arm)}")
        if name in seen:
            raise InputError(f"arms: {shown(name)} is given twice; give each arm its own name")
        seen.add(name)
    return given


def _several(given: Sequence[T], what: str, example: str) -> tuple[T, ...]:
    if isinstance(given, str | bytes | Mapping | Persona) or not isinstance(given, Iterable):
        raise InputError(f"{what}: expected a list such as [{example}], but got {shown(given)}")
    if not (several := tuple(given)):
        raise InputError("a study needs at least one persona and one arm")
    return several
