"""Finds the object that a setting names as ``module:attribute``."""

from __future__ import annotations

import pkgutil

from convsim.errors import PluginError
from convsim.one_line import one_line


def resolve(agent: str, target: object) -> object:
    """Return ``target`` itself, or what it names if it is a text; a class is made without arguments.

    Raises:
        PluginError: Nothing of that name, or it cannot be imported or made.
    """
    found = target
    if isinstance(target, str):
        module, _, attribute = target.partition(":")
        if not module or not attribute:
            raise PluginError(
                f"{agent}: expected module:attribute, such as shop.agent:reply, but found {target!r}"
            )
        try:
            found = pkgutil.resolve_name(target)
        except Exception as error:  # a module may raise anything when it is imported
            raise PluginError(f"{agent}: {target!r} cannot be imported: {_reason(error)}") from error
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:  # so may a class
        raise PluginError(
            f"{agent}: {found.__name__} cannot be made without arguments: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(error)}"
