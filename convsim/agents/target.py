"""Finds the object that a setting names as ``module:attribute``."""

from __future__ import annotations

import pkgutil

from convsim.agents.one_line import one_line
from convsim.errors import PluginError


def resolve(agent: str, target: object) -> object:
    """Return ``target`` itself, or what it names if it is a text; a class is made without arguments.

    Raises:
        PluginError: Nothing of that name, or it cannot be imported or made.
    """
    found = target
    if isinstance(target, str):
        if ":" not in target:
            raise PluginError(
                f"{agent}: expected module:attribute, such as shop.agent:reply, but found {target!r}"
            )
        try:
            found = pkgutil.resolve_name(target)
        except (ImportError, AttributeError, ValueError) as error:
            raise PluginError(f"{agent}: {target!r} cannot be imported: {one_line(error)}") from error
    if isinstance(found, type):
        try:
            return found()
        except TypeError as error:
            raise PluginError(
                f"{agent}: {found.__name__} cannot be made without arguments: {one_line(error)}"
            ) from error
    return found
