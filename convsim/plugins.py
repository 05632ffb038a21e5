"""Finds plugins by entry point or as ``module:attribute``, and makes them with settings."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, get_args

from convsim.errors import PluginError
from convsim.records import nearest

Kind = Literal["models", "agents", "shoppers", "annotators", "validators", "metrics", "readers", "faults"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OWN = "convsim"
"""The distribution whose plugins keep their names, whatever else is installed."""


def installed(kind: Kind) -> dict[str, EntryPoint]:
    """Return the entry points of ``convsim.<kind>`` by name, without importing them.

    Where two packages register one name, convsim's own stands; ``load`` refuses the name.
    """
    found = sorted(entry_points(group=f"convsim.{kind}"), key=lambda e: (e.name, _home(e) != OWN))
    by_name: dict[str, EntryPoint] = {}
    for entry in found:
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
        return _imported(found[name].value, kind)
    if ":" in name:
        return _imported(name, kind)
    known = ", ".join(found) or "none"
    raise PluginError(
        f"no plugin of convsim.{kind} is registered as {name!r}; installed: {known}; or give module:attribute"
    )


def make(kind: Kind, name: str, **settings: object) -> object:
    """Load a plugin and, if it is a class, make one with ``settings`` as its keyword fields."""
    plugin = load(kind, name)
    if not isinstance(plugin, type):
        return plugin
    check_setting_names(name, settings, inspect.signature(plugin).parameters)
    try:
        return plugin(**settings)
    except TypeError as error:
        raise PluginError(
            f"{name} of convsim.{kind} cannot be made with {sorted(settings)}: {error}"
        ) from error


def check_setting_names(
    plugin: str,
    settings: Iterable[str],
    parameters: Mapping[str, inspect.Parameter],
    hidden: Collection[str] = (),
) -> None:
    """Check that a plugin has settings of these names.

    Args:
        plugin: What the plugin is called.
        settings: The names that were given.
        parameters: Those of its class.
        hidden: Names that are not to be listed, because nobody sets them.

    Raises:
        PluginError: There is no such setting; its line names the nearest one, and all that there are.
    """
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    if unknown := sorted(set(settings) - parameters.keys()):
        known = [name for name in parameters if name not in hidden]
        meant = nearest(unknown[0], known)
        raise PluginError(
            f"{plugin} has no setting {unknown[0]!r}; it has: {', '.join(known) or 'none'}"
            + (f"; did you mean {meant!r}?" if meant else "")
        )


def _home(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "unknown"


def _check_one(kind: Kind, name: str) -> None:
    """Check that a name means one thing, whatever is installed; raises PluginError."""
    meant = {entry.value: _home(entry) for entry in entry_points(group=f"convsim.{kind}", name=name)}
    if len(meant) > 1:
        said = " and ".join(f"{value} of {home}" for value, home in sorted(meant.items()))
        raise PluginError(
            f"{name!r} of convsim.{kind} is registered twice: {said}; give one as module:attribute, or uninstall one"
        )


def _imported(reference: str, kind: Kind) -> object:
    module, _, attribute = reference.partition(":")
    try:
        plugin: object = importlib.import_module(module)
        for part in attribute.split("."):
            plugin = getattr(plugin, part)
    except Exception as error:  # importing runs somebody else's module, which may raise anything
        raise PluginError(f"the convsim.{kind} plugin {reference!r} cannot be imported: {error}") from error
    return plugin
