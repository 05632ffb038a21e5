"""``convsim.metric``: a metric made of a function of one conversation."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Literal, overload

from convsim._async import called as call
from convsim._text import one_line
from convsim.errors import PluginError
from convsim.metrics.language import NeedsLanguage
from convsim.schema import Columns, Metric
from convsim.schema.conversation import Conversation
from convsim.text.language import known_codes, meant_code

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

DEFAULT = "default"
"""Stands for the built-in metrics and every label, where a list of metrics is given."""
NAME = re.compile(r"[^\W\d][\w.@-]{0,79}")

OfConversation = Callable[[Conversation], object]
"""Maps a conversation to a number, yes or no; None where the metric is undefined."""


@overload
def metric(function: OfConversation, /) -> Metric: ...


@overload
def metric(
    *,
    unit: str = ...,
    name: str | None = ...,
    description: str | None = ...,
    source: str | None = ...,
    level: Literal["turn", "conversation"] = ...,
    judged: bool = ...,
    moved_by_agent: str | None = ...,
    languages: Collection[str] | None = ...,
    version: str | None = ...,
) -> Callable[[OfConversation], Metric]: ...


def metric(
    function: OfConversation | None = None,
    /,
    *,
    unit: str = "value",
    name: str | None = None,
    description: str | None = None,
    source: str | None = None,
    level: Literal["turn", "conversation"] = "conversation",
    judged: bool = True,
    moved_by_agent: str | None = None,
    languages: Collection[str] | None = None,
    version: str | None = None,
) -> Metric | Callable[[OfConversation], Metric]:
    """Make a metric of a function of one conversation: ``@convsim.metric`` or ``@convsim.metric(unit="emoji")``.

    The function, sync or async, returns a finite number, or True or False (1 or 0); None or NaN where the metric is
    undefined for that conversation, which is left out and counted. Where it raises or returns anything else, the metric
    has failed. The metric can still be called with a conversation.

    Args:
        function: The function, where the decorator is written without parentheses.
        unit: What the number counts, such as "words" or "proportion of messages".
        name: By default the function's.
        description: By default the function's docstring, up to the first empty line.
        source: Who defined it so; by default where the function stands.
        level: Where it lives: at "turn" the number is the mean over the conversation's turns or messages.
        judged: False shows the metric for context only: in no correction, headline or gate.
        moved_by_agent: Why another agent moves it, whatever the user does; a change between arms is not a reaction.
        languages: ISO 639 codes of the languages that it reads, such as ("en",); undefined in others. By default all.
        version: Change it when the metric changes. A metric that states one is kept in the cache; any other, and all
            that is found beside it, is computed each time.

    Raises:
        PluginError: It is not a function, or its declaration cannot be used.
    """

    def made(of_conversation: OfConversation) -> Metric:
        if not callable(of_conversation):
            raise PluginError(
                f"convsim.metric expects a function of one conversation, but got {one_line(repr(of_conversation))}"
            )
        called = name if name is not None else str(getattr(of_conversation, "__name__", ""))
        _check(called, unit=unit, level=level)
        said = description or (inspect.getdoc(of_conversation) or called).split("\n\n")[0]
        home = getattr(of_conversation, "__module__", None) or "unknown"
        return Metric(
            name=called,
            unit=unit,
            level=level,
            description=" ".join(said.split()),
            source=source or f"{home}:{getattr(of_conversation, '__qualname__', called)}",
            measure=_EachConversation(of_conversation),
            role="metric" if judged else "control",
            moved_by_agent=moved_by_agent,
            undefined_for=None if languages is None else NeedsLanguage(_codes(called, languages)),
            version=version,
        )

    return made if function is None else made(function)


@dataclass(frozen=True)
class _EachConversation:
    """Calls a function with each conversation, and says at which one it failed."""

    function: OfConversation

    def __call__(self, columns: Columns) -> FloatArray:
        import numpy as np

        return np.fromiter(map(self._value, columns.conversations), np.float64, columns.n)

    def _value(self, conversation: Conversation) -> float:
        try:
            value = call(self.function, conversation)
        except (Exception, SystemExit) as error:  # somebody else's function
            raise PluginError(
                f"it raised {type(error).__name__}: {one_line(error)}, at conversation {one_line(conversation.id)}"
            ) from error
        number = _number(value)
        if number is None:
            raise PluginError(
                f"expected a finite number, True, False or None, but at conversation {one_line(conversation.id)} it "
                f"returned {_shown(value)}"
            )
        return number


def _number(value: object) -> float | None:
    """Return a value as a number, NaN where it is undefined; None for anything but a finite number."""
    if value is None:
        return math.nan
    if not isinstance(value, Real) and getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # to Python, NumPy's own True is not a number
    if not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return None if math.isinf(number) else number


def _shown(value: object) -> str:
    try:
        return one_line(repr(value))
    except Exception:  # somebody else's __repr__, or a number too long to be written
        return f"a {type(value).__name__}"


def _check(name: object, *, unit: object, level: object) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or name == DEFAULT:
        raise PluginError(
            f"a metric cannot be called {one_line(repr(name))}: a name is letters, digits, _ . - and @, begins with a "
            f'letter or _, and is not {DEFAULT}; give one with convsim.metric(name="…")'
        )
    if not isinstance(unit, str) or not unit.strip():
        raise PluginError(
            f"the metric {name}: unit must be a text that says what the number counts, but is {unit!r}"
        )
    if level not in ("turn", "conversation"):
        raise PluginError(f"the metric {name}: level must be turn or conversation, but is {level!r}")


def _codes(name: str, languages: Collection[str]) -> frozenset[str]:
    codes = frozenset([languages] if isinstance(languages, str) else languages)
    if not codes:
        raise PluginError(f"the metric {name}: languages is empty; leave it out for a metric that reads all")
    for code in codes - known_codes():
        meant = meant_code(str(code))
        nearest = f"; did you mean {meant!r}" if meant else ", such as 'en'"
        raise PluginError(f"the metric {name}: {code!r} is not an ISO 639 code that convsim knows{nearest}")
    return codes
