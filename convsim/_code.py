"""What somebody's function or class is made of: its source, and that of the modules of their own which it imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import FunctionType, ModuleType

from convsim._cache import check_unchanged

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of what is installed: it changes with its version."""
KEYED = frozenset({"convsim", *sys.stdlib_module_names})
"""Modules of which every key has the code or the version already."""


@lru_cache(maxsize=1_024)
def code_of(thing: type | FunctionType) -> str | None:
    """Return a digest that moves with the code of a class or function, of what it imports, and of what is installed.

    None where that is not known: it does not stand at the top of a module that a file has, as in a notebook or where
    one function makes others, which differ in what they were made with.

    Raises:
        OSError: A file of it cannot be read, or has changed since this process began.
    """
    if not _stands_at_the_top(thing):
        return None
    bases = thing.__mro__ if isinstance(thing, type) else (thing,)
    waiting, files = (
        [each.__module__ for each in bases if _top(each.__module__) not in KEYED],
        dict[str, str](),
    )
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is None and name == thing.__module__:
            return None
        if path is None or str(path) in files or INSTALLED & {*path.parts}:
            continue
        check_unchanged(path)
        content = path.read_bytes()
        files[str(path)] = hashlib.sha256(content).hexdigest()
        if path.suffix == ".py":
            waiting += _imported(content, name if path.stem == "__init__" else name.rpartition(".")[0])
    return hashlib.sha256(repr([*sorted(files.items()), *_installed()]).encode()).hexdigest()


def _stands_at_the_top(thing: type | FunctionType) -> bool:
    """Tell whether a module has this very thing under its name; a metric's function stands there as the metric."""
    module = sys.modules.get(thing.__module__)
    if module is None or "<" in thing.__qualname__:
        return False
    found: object = module
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing or getattr(getattr(found, "measure", None), "function", None) is thing


def _imported(content: bytes, package: str) -> Iterator[str]:
    """Yield the names of modules, and of what may be one, that a source imports anywhere."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise OSError(f"is not Python: {error}") from None
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            try:
                base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            except ImportError:  # beyond the top: it would fail, too
                continue
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            if _top(name) not in KEYED:
                parts = name.split(".")
                yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def _file(name: str) -> Path | None:
    """Return the file of a module, whether or not it is imported yet; None where none has it."""
    module = sys.modules.get(name)
    if isinstance(module, ModuleType):
        file = getattr(module, "__file__", None)
        return Path(file).resolve() if file else None
    top, *rest = name.split(".")
    found = PathFinder.find_spec(top)
    if not rest or found is None:
        return Path(found.origin).resolve() if found and found.has_location and found.origin else None
    for place in found.submodule_search_locations or ():
        at = Path(place, *rest)
        for path in (at.parent / f"{at.name}.py", at / "__init__.py"):
            if path.is_file():
                return path.resolve()
    return None


def _installed() -> list[str]:
    """Name what is installed, with versions."""
    return sorted({path.name for folder in sys.path for path in Path(folder or ".").glob("*.dist-info")})


def _top(name: str) -> str:
    return name.partition(".")[0]
