"""Finds plugins by entry point or as ``module:attribute``, and makes them with settings."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, get_args, overload

from convsim._text import nearest
from convsim.errors import PluginError
from convsim.lifting import (
    lift_agent,
    lift_annotator,
    lift_model,
    lift_shopper,
    lift_validator,
    make_class,
    resolve,
)
from convsim.schema import Agent, Annotator, ChatModel, Shopper, Validator

Kind = Literal["models", "agents", "shoppers", "annotators", "validators", "metrics", "readers", "faults"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Liftable = Literal["models", "agents", "shoppers", "annotators", "validators"]
"""Kinds of which one is made from settings; the others are functions and classes, taken as they are."""
OWN = "convsim"
"""The distribution whose plugins keep their names, whatever else is installed."""

Parts = Mapping[str, Callable[[], object]]
NO_PARTS: Parts = {}
PARTS = {
    "model": "[model] or --model",
    "real": "[data] real or --real",
    "sha256": "[data] real or --real",
    "catalogue": "[data] catalogue or --catalogue",
    "domain": "[study] domain or --domain",
}
"""What a class is given where it asks for it by name, and how else it is said."""
OPTIONS: Mapping[Liftable, tuple[str, ...]] = {
    "models": (),
    "agents": ("name", "takes", "timeout_s", "content", "items", "fields"),
    "shoppers": ("name", "timeout_s"),
    "annotators": ("name", "source", "timeout_s"),
    "validators": ("name",),
}


def installed(kind: Kind) -> dict[str, EntryPoint]:
    """Return the entry points of ``convsim.<kind>`` by name, without importing them.

    Where two packages register one name, convsim's own stands; ``load`` refuses the name.
    """
    by_name: dict[str, EntryPoint] = {}
    for entry, _ in _entries(kind):
        by_name.setdefault(entry.name, entry)
    return by_name


def load(kind: Kind, name: str) -> object:
    """Import the plugin called ``name``: an entry point's name, or ``module:attribute``.

    Raises:
        PluginError: No plugin of that name, or one that cannot be imported.
    """
    found = installed(kind)
    if name in found:
        _check_one(kind, name)
        return resolve(found[name].value, f"the convsim.{kind} plugin {name!r}")
    if ":" in name:
        return resolve(name, f"convsim.{kind}")
    known = ", ".join(found) or "none"
    meant = nearest(name, found, cutoff=0.65)
    hint = f"did you mean {meant!r}? " if meant else ""
    if kind == "models" and not meant:
        hint = f"a model that a server calls so: --model openai_compatible --set model.model={name}; "
    raise PluginError(
        f"there is no convsim.{kind} plugin {name!r}; installed: {known}; {hint}or give module:attribute"
    )


@overload
def make(kind: Literal["models"], name: str, parts: Parts = ..., /, **settings: object) -> ChatModel: ...
@overload
def make(kind: Literal["agents"], name: str, parts: Parts = ..., /, **settings: object) -> Agent: ...
@overload
def make(kind: Literal["shoppers"], name: str, parts: Parts = ..., /, **settings: object) -> Shopper: ...
@overload
def make(kind: Literal["annotators"], name: str, parts: Parts = ..., /, **settings: object) -> Annotator: ...
@overload
def make(kind: Literal["validators"], name: str, parts: Parts = ..., /, **settings: object) -> Validator: ...


def make(kind: Liftable, name: str, parts: Parts = NO_PARTS, /, **settings: object) -> object:
    """Load a plugin, make one where it is a class, and lift it into what convsim asks for.

    A class takes ``settings`` by keyword. Where its constructor has a parameter of one of these names, and no default
    but None, it is given a part of convsim's own, which is made only then:

    ``model``: the chat model that ``[model]`` or ``--model`` names (a ``ChatModel``).
    ``real``: the conversations to learn from, ``[data] real`` or ``--real`` (a sequence of ``Conversation``).
    ``sha256``: the hash of their file, beside ``real``.
    ``catalogue``: what is sold, ``[data] catalogue`` or ``--catalogue`` (a ``Catalogue``).
    ``domain``: what is talked about, ``[study] domain`` or ``--domain``, such as ``films`` (a text, or None).

    A class whose settings decide what it needs says so in a static method ``asks_for``: it is given the settings, and
    returns the names of the parts.

    What ``lift_agent``, ``lift_shopper``, ``lift_annotator`` or ``lift_validator`` takes by keyword, such as
    ``timeout_s``, is a setting of every function and object that is lifted.

    Raises:
        PluginError: No such plugin, one that cannot be made so, or that is nothing of its kind.
        InputError: A setting cannot be used.
    """
    plugin = load(kind, name)
    known = _settings_of(plugin)
    options = () if _is_own(plugin) else OPTIONS[kind]
    owner = f"[{kind[:-1]}] {name}"
    if reserved := [part for part in parts if part in settings and _is_own(plugin)]:
        raise PluginError(f"{owner}: {reserved[0]!r} is not a setting; give it as {PARTS[reserved[0]]}")
    if known is not None:
        _check_names(owner, settings, (*known, *options))
    lifting = {key: settings[key] for key in options if key in settings and key not in (known or {})}
    if isinstance(plugin, type):
        given = {key: value for key, value in settings.items() if key not in lifting}
        wanted = [part for part in _parts_for(plugin, given, parts) if _asks_for(part, known or {})]
        _check_given(kind, owner, {*given, *wanted}, known or {}, parts)
        plugin = make_class(plugin, name, **given, **{part: parts[part]() for part in wanted})
    return _lifted(kind, plugin, lifting)


def _settings_of(plugin: object) -> Mapping[str, inspect.Parameter] | None:
    """Return what a class is made with, by name; None where it takes anything. A function has no settings."""
    if not isinstance(plugin, type):
        return {}
    try:
        parameters = inspect.signature(plugin).parameters
    except (TypeError, ValueError):  # some classes have no signature
        return None
    takes_anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return None if takes_anything else parameters


def _asks_for(part: str, known: Mapping[str, inspect.Parameter]) -> bool:
    if part not in known or (part == "sha256" and "real" not in known):
        return False
    return known[part].default in (inspect.Parameter.empty, None)


def _parts_for(plugin: type, given: Mapping[str, object], parts: Parts) -> list[str]:
    """Name the parts that a class may be given: those that are not set, and that these settings call for."""
    asks_for = getattr(plugin, "asks_for", None)
    called_for = asks_for(given) if callable(asks_for) else parts
    return [part for part in parts if part in called_for and part not in given]


def _is_own(plugin: object) -> bool:
    kind = plugin if isinstance(plugin, type) else type(plugin)
    return kind.__module__.partition(".")[0] in ("convsim", "convsim_validators")


def _lifted(kind: Liftable, plugin: object, options: Mapping[str, Any]) -> object:
    if kind == "agents":
        return lift_agent(plugin, **options)
    if kind == "shoppers":
        return lift_shopper(plugin, **options)
    if kind == "annotators":
        return lift_annotator(plugin, **options)
    if kind == "validators":
        return lift_validator(plugin, **options)
    return lift_model(plugin, **options)


def _check_names(owner: str, settings: Iterable[str], known: Collection[str]) -> None:
    """Check that a plugin has settings of these names; raises PluginError with the nearest one, and all."""
    if unknown := sorted({*settings}.difference(known)):
        listed = dict.fromkeys(name for name in known if name not in PARTS)
        meant = nearest(unknown[0], listed)
        raise PluginError(
            f"{owner} has no setting {unknown[0]!r}; it has: {', '.join(listed) or 'none'}"
            + (f"; did you mean {meant!r}?" if meant else "")
        )


def _check_given(
    kind: Kind, owner: str, given: Collection[str], known: Mapping[str, inspect.Parameter], parts: Parts
) -> None:
    """Check that every setting without a default is given; raises PluginError with how to say it, and all settings."""
    missing = [
        name
        for name, parameter in known.items()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    ]
    if lacking := [name for name in missing if name not in given]:
        first = lacking[0]
        if first in parts:
            raise PluginError(f"{owner} needs {first}; give it as {PARTS[first]}")
        said = (
            f"--set {kind[:-1]}.{first}=VALUE"
            if kind in ("agents", "models", "shoppers")
            else f"{first} = VALUE"
        )
        listed = ", ".join(name for name in known if name not in parts)
        raise PluginError(f"{owner} needs the setting {first!r}: {said}; its settings are: {listed}")


def _entries(kind: Kind) -> tuple[tuple[EntryPoint, str], ...]:
    """Each entry point with the package that it is of, by name, convsim's own first."""
    return _registered(entry_points, f"convsim.{kind}", tuple((path, _changed(path)) for path in sys.path))


@lru_cache(maxsize=64)
def _registered(
    find: Callable[..., Iterable[EntryPoint]], group: str, searched: tuple[tuple[str, int], ...]
) -> tuple[tuple[EntryPoint, str], ...]:
    """Search once for as long as no package comes or goes; a search reads the metadata of everything installed."""
    found = [(entry, entry.dist.name if entry.dist else "unknown") for entry in find(group=group)]
    return tuple(sorted(found, key=lambda pair: (pair[0].name, pair[1] != OWN)))


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _check_one(kind: Kind, name: str) -> None:
    """Check that a name means one thing, whatever is installed; raises PluginError."""
    meant = {entry.value: home for entry, home in _entries(kind) if entry.name == name}
    if len(meant) > 1:
        said = " and ".join(f"{value} of {home}" for value, home in sorted(meant.items()))
        raise PluginError(
            f"{name!r} of convsim.{kind} is registered twice: {said}; name one as module:attribute, or uninstall one"
        )
