"""All faults by name, presets of them, and what is asked for when an agent is to be degraded."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, overload

from pydantic import Field, TypeAdapter

from convsim._async import called as call
from convsim._inputs import read_toml
from convsim._text import one_line
from convsim.agents.faults.core import (
    REPLY,
    Answering,
    AnyFault,
    Done,
    Draft,
    Hearing,
    NotDone,
    Scene,
    Silencing,
)
from convsim.agents.faults.items import EMPTY_CAROUSEL, IRRELEVANT_ITEMS, REPEATED_ITEMS
from convsim.agents.faults.query import (
    IGNORED_CONSTRAINT,
    PARTIAL_QUERY,
    STALE_CONTEXT,
    WRONG_CATEGORY,
)
from convsim.agents.faults.text import (
    CONFUSING_TEXT,
    CONTRADICTION,
    INJECTED_INSTRUCTIONS,
    OFF_TOPIC_TEXT,
    OVERLONG_TEXT,
    RUDE_TEXT,
    UNAVAILABLE,
)
from convsim.errors import AgentError, InputError, PluginError
from convsim.plugins import installed, load
from convsim.schema.protocols import AgentReply
from convsim.seeds import generator

_ALL: tuple[AnyFault, ...] = (
    PARTIAL_QUERY,
    WRONG_CATEGORY,
    IGNORED_CONSTRAINT,
    STALE_CONTEXT,
    REPEATED_ITEMS,
    IRRELEVANT_ITEMS,
    EMPTY_CAROUSEL,
    OFF_TOPIC_TEXT,
    CONFUSING_TEXT,
    RUDE_TEXT,
    OVERLONG_TEXT,
    CONTRADICTION,
    INJECTED_INSTRUCTIONS,
    UNAVAILABLE,
)

FAULTS: Mapping[str, AnyFault] = MappingProxyType({fault.name: fault for fault in _ALL})
"""Each fault by the name that a study calls it by."""


Share = Annotated[float, Field(gt=0, le=1)]

PRESETS: Mapping[str, Mapping[str, float]] = TypeAdapter(dict[str, dict[str, Share]]).validate_python(
    read_toml(Path(__file__).with_name("presets.toml"))
)
"""For each preset its faults, with the proportion of the severity asked for that each has."""


OFFERED = ("reply", "conversation", "severity", "rng")
"""What a fault's function may ask for, by name or in this order."""
EVERY_REPLY = "own"
"""The unit of a fault that is asked at each reply and weighs the severity itself."""
NAME = re.compile(r"[^\W\d][\w.:-]{0,79}")

Degrade = Callable[..., object]
"""Takes a reply, and what else of ``OFFERED`` it names; returns the degraded reply."""
FaultLike = str | AnyFault | Degrade


@overload
def fault(function: Degrade, /) -> Answering: ...


@overload
def fault(*, name: str | None = ..., drawn: bool = ...) -> Callable[[Degrade], Answering]: ...


def fault(
    function: Degrade | None = None, /, *, name: str | None = None, drawn: bool = True
) -> Answering | Callable[[Degrade], Answering]:
    """Make a fault of a function that degrades one reply: ``@convsim.fault`` or ``@convsim.fault(drawn=False)``.

    The function takes ``reply`` and, where it names them, ``conversation``, ``severity`` and ``rng``, a NumPy
    generator. It returns the degraded reply, its text alone, or either with a few words on what was done:
    ``(reply, "what")``. None or the reply itself says that there was nothing to degrade. What it did is recorded.

    Args:
        function: The function, where the decorator is written without parentheses.
        name: By default the function's.
        drawn: The severity is the proportion of replies that are handed in; False hands in every reply, and the
            function weighs the severity itself.

    Raises:
        PluginError: It is not a function, or takes something else.
    """

    def made(degrading: Degrade) -> Answering:
        called = name if name is not None else str(getattr(degrading, "__name__", ""))
        if not callable(degrading):
            raise PluginError(
                f"convsim.fault expects a function of a reply, but got {one_line(repr(degrading))}"
            )
        if not NAME.fullmatch(called) or called in PRESETS:
            raise PluginError(
                f"a fault cannot be called {one_line(repr(called))}: a name is letters, digits and _ . : -, "
                'begins with a letter, and is not the name of a preset; give one with convsim.fault(name="…")'
            )
        return Answering(
            called, REPLY if drawn else EVERY_REPLY, _Degrading(called, *_asks_for(called, degrading))
        )

    return made if function is None else made(function)


@dataclass(frozen=True)
class _Degrading:
    """Asks somebody's function, and takes nothing for a reply that is none."""

    name: str
    function: Degrade
    asks: tuple[str, ...]

    def __call__(self, draft: Draft, scene: Scene) -> Done[Draft] | NotDone:
        given = {
            "reply": draft.reply,
            "conversation": scene.conversation,
            "severity": scene.draws.severity,
            "rng": generator(scene.draws.seed, "fault", scene.draws.fault, "own"),
        }
        try:
            answer = call(self.function, *(given[name] for name in self.asks))
        except (Exception, SystemExit) as error:  # somebody else's function
            raise AgentError(
                f"the fault {self.name} raised {type(error).__name__}: {one_line(error)}"
            ) from error
        detail = ""
        if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], str):
            answer, detail = answer
        if isinstance(answer, str):
            answer = draft.reply.model_copy(update={"content": answer})
        if answer is None or answer == draft.reply:
            return NotDone(detail or "it left the reply as it was")
        if not isinstance(answer, AgentReply):
            raise AgentError(
                f"the fault {self.name} must return a reply, its text or None, but returned {one_line(repr(answer))}"
            )
        reply = answer.model_copy(update={"faults": draft.reply.faults})
        own_words = draft.own_words and reply.content == draft.reply.content
        return Done(Draft(reply, own_words), detail or _changes(draft.reply, reply))


def find_fault(name: str) -> AnyFault:
    """Return the fault of that name: built in, installed, or ``module:thing``, a function included.

    Raises:
        PluginError: There is none, or it is not a fault.
    """
    if name in installed("faults") or ":" in name:
        found = load("faults", name)  # refuses a name that two packages have
        if name in PRESETS:
            raise PluginError(
                f"the installed fault {name} has the name of a preset; give it as module:attribute"
            )
        return FAULTS.get(name) or lifted(found)
    if name in FAULTS:
        return FAULTS[name]
    known = list(dict.fromkeys([*FAULTS, *installed("faults")]))
    close = [] if name in PRESETS else get_close_matches(name, [*known, *PRESETS], n=1)
    meant = f"; did you mean {close[0]}" if close else ""
    raise PluginError(
        f"there is no fault {one_line(name)!r}{meant}; available: {', '.join(known)}; presets: {', '.join(PRESETS)}; "
        "or give module:attribute"
    )


def lifted(thing: object) -> AnyFault:
    """Make a fault of a function; a fault passes as it is. Raises PluginError."""
    if isinstance(thing, Hearing | Answering | Silencing):
        return thing
    if isinstance(thing, type) or not callable(thing):
        raise PluginError(
            f"{one_line(repr(thing))} is not a fault: expected a function of a reply, or what convsim.fault makes"
        )
    return fault(thing)


def _asks_for(name: str, function: Degrade) -> tuple[Degrade, tuple[str, ...]]:
    """Return the function, to be called by position, and which of ``OFFERED`` it is handed."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some built-in callables have no signature
        return function, OFFERED[:1]
    asked = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    names = [p.name for p in asked]
    if names and set(names) <= set(OFFERED):
        by_name = [p.name for p in asked if p.kind is p.KEYWORD_ONLY]
        if by_name:
            return partial(_by_name, function, tuple(names)), tuple(names)
        return function, tuple(names)
    needed = [p.name for p in asked if p.default is p.empty]
    strange = next((p.name for p in asked if p.kind is p.KEYWORD_ONLY and p.default is p.empty), None)
    if strange or not 1 <= len(needed) <= len(OFFERED):
        raise PluginError(
            f"the fault {name} has parameters {', '.join(names) or 'none'}; allowed: {', '.join(OFFERED)}"
        )
    return function, OFFERED[: len(needed)]


def _by_name(function: Degrade, names: tuple[str, ...], *given: object) -> object:
    return function(**dict(zip(names, given, strict=True)))


def _changes(before: AgentReply, after: AgentReply) -> str:
    said = ["the words"] if after.content != before.content else []
    said += ["the items"] if after.items != before.items else []
    return f"changed {' and '.join(said) or 'the reply'}"


def severities_of(spec: str, severity: float) -> dict[str, float]:
    """Return the severity of each fault that ``spec`` names, in its order.

    ``spec`` is a fault, ``module:thing``, a preset, or several joined by "+", all at ``severity``, from 0 to 1; a
    preset's shares are multiplied by it. A fault that is named twice has the greater severity.

    Raises:
        PluginError: There is no such fault or preset.
        InputError: The severity is not a number from 0 to 1.
    """
    check_severity(spec, severity)
    found: dict[str, float] = {}
    for name in (part.strip() for part in spec.split("+")):
        for fault, share in _shares(name).items():
            found[fault] = max(found.get(fault, 0.0), share * severity)
    return found


def check_severity(name: str, severity: object) -> None:
    """Check that a severity is a number from 0 to 1; raises InputError."""
    if isinstance(severity, bool) or not isinstance(severity, int | float) or not 0 <= severity <= 1:
        raise InputError(
            f"{one_line(name)}: a severity must be a number from 0 to 1, but is {one_line(repr(severity))}"
        )


def _shares(name: str) -> dict[str, float]:
    if name in PRESETS and name not in installed("faults"):
        return dict(PRESETS[name])
    find_fault(name)
    return {name: 1.0}
