"""Which metrics are measured: the built-in ones, installed ones by name, or any function of one conversation."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain
from numbers import Real
from typing import TYPE_CHECKING, Literal, TypeGuard, overload

from convsim._async import called as call
from convsim._text import one_line
from convsim.errors import InputError, PluginError
from convsim.metrics.catalogue import METRICS
from convsim.metrics.for_relations import RELATION_METRICS
from convsim.plugins import installed, load
from convsim.schema import Columns, Metric
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

DEFAULT = "default"
"""Stands for the built-in metrics and every label, where a list of metrics is given."""
BUILT_IN: Mapping[str, Metric] = {**METRICS, **RELATION_METRICS}
NAME = re.compile(r"[^\W\d][\w.@-]{0,79}")

OfConversation = Callable[[Conversation], object]
"""Maps a conversation to a number, yes or no; None where the metric is undefined."""
MetricLike = str | Metric | OfConversation | type
"""A metric's name, ``module:thing``, a metric, or a function of one conversation, or a class that makes one."""


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
) -> Metric | Callable[[OfConversation], Metric]:
    """Make a metric of a function of one conversation: ``@convsim.metric`` or ``@convsim.metric(unit="emoji")``.

    The function, sync or async, returns a finite number, or True or False (1 or 0); None or NaN where the metric is
    undefined for that conversation, which is left out and counted. Where it raises or returns anything else, the metric
    has failed. The metric can still be called with a conversation.

    Args:
        function: The function, where the decorator is written without parentheses.
        unit: What the number counts, such as "words" or "share of messages".
        name: By default the function's.
        description: By default the function's docstring, up to the first empty line.
        source: Who defined it so; by default where the function stands.
        level: Where it lives: at "turn" the number is the mean over the conversation's turns or messages.
        judged: False shows the metric for context only: in no correction, headline or gate.
        moved_by_agent: Why another agent moves it, whatever the user does; then a change between arms is no reaction.

    Raises:
        PluginError: It is no function, or what is said of it cannot be used.
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
        except Exception as error:  # somebody else's function
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
    """Return a value as a number, NaN where it is undefined; None for what is no finite number."""
    if value is None:
        return math.nan
    if not isinstance(value, Real) and getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # NumPy's own True is no number to Python
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


@dataclass(frozen=True)
class Metrics:
    """Which metrics to measure."""

    default: bool = True
    """Measure the built-in metrics and every label."""
    further: Mapping[str, Metric] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    """Names that are neither built in nor installed: labels of the conversations, if they have such."""

    def of(self, labels: Mapping[str, Metric]) -> dict[str, Metric]:
        """Return the metrics, by name, for conversations whose labels make the metrics ``labels``.

        Those of the catalogue come first, in its order; then further ones as they were named, then labels.

        Raises:
            InputError: A further metric is called like a label.
        """
        if clash := sorted(self.further.keys() & labels.keys()):
            raise InputError(
                f"the metric {clash[0]} has the name of a label of these conversations; give it another name"
            )
        chosen = {**METRICS, **self.further} if self.default else self.further
        ordered = {name: chosen[name] for name in chain(METRICS, chosen) if name in chosen}
        kept = labels if self.default else {name: labels[name] for name in self.labels if name in labels}
        return {**ordered, **kept}

    def check(self, labels: Iterable[str]) -> None:
        """Check that every name is that of a metric or of one of ``labels``; raises PluginError."""
        known = set(labels)
        for name in self.labels:
            if name not in known:
                raise PluginError(_unknown(name, known))


def find_metrics(wanted: MetricLike | Iterable[MetricLike] | Metrics | None = None) -> Metrics:
    """Find metrics by name, ``module:thing``, or as they are; None stands for the built-in ones and every label.

    A list is exact: what it does not name is not measured. ``"default"`` stands for the built-in metrics and every
    label, and a leading ``+`` puts a name beside them.

    Args:
        wanted: One or several of: the name of a metric, installed or built in, or of a label; ``module:thing``; a
            Metric; a function of one conversation.

    Raises:
        PluginError: No such metric, something that is none, or two of one name.
        InputError: An empty list.
    """
    if wanted is None or isinstance(wanted, Metrics):
        return wanted or Metrics()
    entries: list[object] = list(wanted) if _is_list(wanted) else [wanted]
    default = False
    further: dict[str, Metric] = {}
    labels: list[str] = []
    for entry in entries:
        said = entry.strip() if isinstance(entry, str) else entry
        if isinstance(said, str) and said.startswith("+"):
            default, said = True, said[1:].strip()
        if said == DEFAULT:
            default = True
            continue
        found = _found(said)
        if isinstance(found, str):
            labels.append(found)
            continue
        _check_distinct(found, further)
        further[found.name] = found
    if not entries:
        raise InputError(
            f"no metric was named; name some, or omit metrics for the built-in ones: {', '.join(METRICS)}"
        )
    return Metrics(default, further, tuple(dict.fromkeys(labels)))


def _is_list(wanted: object) -> TypeGuard[Iterable[MetricLike]]:
    return isinstance(wanted, Iterable) and not isinstance(wanted, str | bytes) and not callable(wanted)


def _found(said: object) -> Metric | str:
    """Return the metric that was meant, or the name itself where only a label can be."""
    if not isinstance(said, str):
        return _lifted(said)
    registered = installed("metrics")
    if said in registered or ":" in said:
        loaded = load("metrics", said)  # refuses a name that two packages have
        if said in BUILT_IN:
            return BUILT_IN[said]
        found = _lifted(loaded, name=None if ":" in said else said)
        return found if ":" in said or found.name == said else replace(found, name=said)
    if said in BUILT_IN:
        return BUILT_IN[said]
    if not said:
        raise PluginError(_unknown(said, ()))
    return said


def _lifted(thing: object, *, name: str | None = None) -> Metric:
    if isinstance(thing, type):
        kind = thing
        try:
            thing = kind()
        except Exception as error:  # somebody else's class
            raise PluginError(
                f"the metric {kind.__qualname__} cannot be created: {type(error).__name__}: {one_line(error)}"
            ) from error
    if isinstance(thing, Metric):
        return thing
    if not callable(thing):
        raise PluginError(
            f"{one_line(repr(thing))} is not a metric: expected a function of one conversation, or what "
            "convsim.metric makes of one"
        )
    stated = {
        key: getattr(thing, key) for key in ("unit", "level") if isinstance(getattr(thing, key, None), str)
    }
    own = getattr(thing, "name", None)
    called = name or (own if isinstance(own, str) else getattr(thing, "__name__", type(thing).__name__))
    return metric(name=str(called), **stated)(thing)


def _check_distinct(found: Metric, further: Mapping[str, Metric]) -> None:
    if BUILT_IN.get(found.name, found) is not found:
        raise PluginError(
            f"the metric {found.name} of {found.source} has the name of a built-in one; give it another name"
        )
    if further.get(found.name, found) is not found:
        raise PluginError(f"two metrics are called {found.name}; give one of them another name")


def _unknown(name: str, labels: Iterable[str]) -> str:
    known = sorted({*BUILT_IN, *installed("metrics"), *labels, DEFAULT})
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    meant = f"; did you mean {' or '.join(close)}" if close else ""
    return (
        f"there is no metric or label {one_line(repr(name))}{meant}; "
        f"known: {', '.join(known)}; or give module:attribute"
    )
