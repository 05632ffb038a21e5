"""Which metrics are measured: the built-in ones, installed ones by name, or any function of one conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import TypeGuard

from convsim._text import one_line
from convsim.errors import InputError, PluginError
from convsim.metrics.catalogue import FAMILY_METRICS, METRICS, RELATION_METRICS
from convsim.metrics.decorator import DEFAULT, OfConversation, metric
from convsim.plugins import installed, load
from convsim.schema import Metric
from convsim.text.lexicons import Lexicon

BUILT_IN: Mapping[str, Metric] = {**METRICS, **FAMILY_METRICS, **RELATION_METRICS}
MetricLike = str | Metric | OfConversation | type
"""A metric's name, ``module:thing``, a metric, or a function of one conversation, or a class that makes one."""


@dataclass(frozen=True)
class Metrics:
    """Which metrics to measure."""

    default: bool = True
    """Measure the built-in metrics and every label."""
    further: Mapping[str, Metric] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    """Names that are neither built in nor installed: labels of the conversations, if they have such."""
    lexicon: Lexicon = field(default_factory=Lexicon)
    """The word lists that metrics look for."""

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


def find_metrics(
    wanted: MetricLike | Iterable[MetricLike] | Metrics | None = None, *, lexicon: Path | str | None = None
) -> Metrics:
    """Find metrics by name, ``module:thing``, or as they are; None stands for the built-in ones and every label.

    A list is exact: what it does not name is not measured. ``"default"`` stands for the built-in metrics and every
    label, and a leading ``+`` puts a name beside them.

    Args:
        wanted: One or several of: the name of a metric, installed or built in, or of a label; ``module:thing``; a
            Metric; a function of one conversation.
        lexicon: A folder of your own word lists, ``<language>/thanks.txt`` and so on, which stand in for convsim's.

    Raises:
        PluginError: No such metric, something that is none, or two of one name.
        InputError: An empty list, or no usable folder of word lists.
    """
    if lexicon is not None:
        return replace(find_metrics(wanted), lexicon=Lexicon.of(Path(lexicon)))
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
        except (Exception, SystemExit) as error:  # somebody else's class
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
