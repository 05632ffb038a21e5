"""Packages that some tests need: skipped where they are missing, imported only when a test uses them."""

import importlib
import importlib.util
from typing import Any

import pytest


class _Later:
    """A module that is imported when the first of its attributes is asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def needed(*names: str) -> Any:
    """Skip the test module where a package is missing; returns the first, not yet imported.

    Collecting tests imports every test module in every worker, and torch with its kin takes longer to import than most
    tests that use it.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed", allow_module_level=True)
    return _Later(names[0])
