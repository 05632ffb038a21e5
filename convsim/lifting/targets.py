"""Finds what was handed in: an object, a class, or ``module:attribute``; and its name, whatever its code raises."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from convsim._async import said_of
from convsim._text import nearest, one_line, shown
from convsim.errors import ConvsimError, PluginError

OWN = ("convsim", "convsim_validators")


MADE = {
    kind: f"; what is installed is made by convsim.make_{kind}" for kind in ("agent", "shopper", "annotator")
}
"""Ends the line where a name alone is given in Python."""


@dataclass(frozen=True)
class Target:
    """Something that was handed in, and the function of it that is asked."""

    thing: object
    function: Callable[..., object]
    name: str

    @classmethod
    def of(cls, thing: object, kind: str, verb: str, name: str | None) -> Target:
        """Find what is asked of an object, a class, ``module:attribute`` or a function; raises PluginError."""
        who = name or f"the {kind}"
        if isinstance(thing, str):
            if ":" not in thing:
                raise PluginError(
                    f"{who}: expected a function, an object with {verb}() or module:attribute, such as "
                    f"shop.{kind}:{verb}, but found {one_line(thing)!r}{MADE.get(kind, '')}"
                )
            thing = resolve(thing, who)
        if isinstance(thing, type):
            thing = make_class(thing, who)
        function = attribute_of(thing, verb, who)
        if function is None and callable(thing):
            function = thing
        if not callable(function):
            raise PluginError(f"{who}: {shown(thing)} is not a function and has no {verb!r}")
        return cls(thing, function, name or name_of(thing, who))

    @property
    def is_own(self) -> bool:
        """Whether convsim itself made it, so that it needs no lifting."""
        return type(self.thing).__module__.partition(".")[0] in OWN

    def get(self, attribute: str) -> object:
        """Return an attribute that a plain object may lack, or None; a function has none that counts."""
        return None if self.thing is self.function else attribute_of(self.thing, attribute, self.name)

    def text(self, attribute: str) -> str | None:
        """Return an attribute that is a text and not empty, or None."""
        value = self.get(attribute)
        return value if isinstance(value, str) and value else None


def resolve(reference: str, who: str) -> object:
    """Return what ``module:attribute`` names; a module of the current folder is found after all installed ones.

    Raises:
        PluginError: There is no such module or attribute, or importing it raises; says what is nearest.
    """
    module, _, attribute = reference.partition(":")
    if not module or not attribute:
        raise PluginError(
            f"{who}: expected module:attribute, such as shop.agent:reply, but found {one_line(reference)!r}"
        )
    with _current_folder_on_path():
        try:
            found: object = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise PluginError(f"{who}: importing {module!r} raised {said_of(error)}") from error
            raise PluginError(f"{who}: {reference!r}: {_no_module(module, error.name)}") from None
        except (Exception, SystemExit) as error:  # a module may raise anything when it is imported
            raise PluginError(f"{who}: importing {module!r} raised {said_of(error)}") from error
        for part in attribute.split("."):
            owner = found
            try:
                found = getattr(owner, part)
            except AttributeError:
                raise PluginError(f"{who}: {reference!r}: {_no_attribute(owner, part)}") from None
            except Exception as error:
                raise PluginError(f"{who}: {reference!r} raised {said_of(error)}") from error
    return found


def make_class(kind: type, who: str, **settings: object) -> object:
    """Make an object of somebody's class; raises PluginError whatever that raises, but what convsim says itself."""
    try:
        return kind(**settings)
    except ConvsimError:
        raise
    except (Exception, SystemExit) as error:  # a class may raise anything when it is made
        how = f"with {', '.join(sorted(settings))}" if settings else "without arguments"
        raise PluginError(f"{who}: {kind.__name__} cannot be created {how}: {said_of(error)}") from error


@contextlib.contextmanager
def _current_folder_on_path() -> Iterator[None]:
    """Let modules of the current folder be imported; last, so that they stand in for nothing that is installed."""
    try:
        folder = str(Path.cwd())
    except OSError:  # it has been removed
        yield
        return
    if folder in sys.path or "" in sys.path:
        yield
        return
    sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)


def _no_module(module: str, missing: str) -> str:
    if module.endswith(".py") or "/" in module:
        name = Path(module).stem
        return f"expected a module name, not a file; write {name}:… in the folder of {name}.py"
    beside = {path.stem for path in Path().glob("*.py")} | {
        path.parent.name for path in Path().glob("*/__init__.py")
    }
    near = nearest(missing, sorted(beside))
    hint = f"; did you mean {near!r}?" if near else ", neither installed nor in the current folder"
    return f"there is no module {missing!r}{hint}"


def _no_attribute(owner: object, missing: str) -> str:
    names = [name for name in dir(owner) if not name.startswith("_")]
    near = nearest(missing, names)
    what = getattr(owner, "__name__", type(owner).__name__)
    place = f" ({file})" if isinstance(file := getattr(owner, "__file__", None), str) else ""
    listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    hint = f"; did you mean {near!r}?" if near else f"; it has: {listed or 'nothing'}"
    return f"{what}{place} has no {missing!r}{hint}"


def attribute_of(thing: object, attribute: str, who: str) -> object:
    """Return an attribute, None where there is none; raises PluginError when it is a property that raises."""
    try:
        return getattr(thing, attribute, None)
    except Exception as error:  # a property may raise anything
        raise PluginError(f"{who}: its {attribute} raised {said_of(error)}") from error


def name_of(thing: object, who: str) -> str:
    """Return what something is called: its ``name``, or else its function's or its class's."""
    stated = attribute_of(thing, "name", who)
    if isinstance(stated, str) and one_line(stated):
        return one_line(stated)
    while isinstance(thing, functools.partial):
        thing = thing.func
    said = getattr(thing, "__name__", None)
    return (said if isinstance(said, str) else type(thing).__name__).strip("<>")
