"""``convsim plugins``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import nearest, plain
from convsim.cli import options
from convsim.cli.console import out, print_json
from convsim.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from rich.console import RenderableType

    from convsim.plugins import Kind

LOADS = "convsim plugins NAME says what it does"
"""Said of a plugin of another package: a list imports none of its code."""
NOTHING = "says nothing of itself"
Found = list[tuple["Kind", "EntryPoint"]]


def plugins(
    name: Annotated[
        str | None, typer.Argument(help="A plugin: what it does, and its settings with their defaults.")
    ] = None,
    output: Annotated[
        options.TextOrJson, typer.Option("--format", help="Output format.")
    ] = options.TextOrJson.text,
) -> None:
    """List the installed plugins, or show one with its settings."""
    from convsim.plugins import KINDS, installed

    found: Found = [(kind, entry) for kind in KINDS for entry in installed(kind).values()]
    if name is not None:
        known = [entry.name for _, entry in found]
        found = [(kind, entry) for kind, entry in found if entry.name == name]
        if not found:
            meant = nearest(name, known)
            hint = f"; did you mean {meant!r}?" if meant else ""
            raise PluginError(f"there is no plugin {name!r}{hint} (convsim plugins lists them)")
    if output is options.TextOrJson.json:
        print_json([_document(kind, entry, whole=name is not None) for kind, entry in found])
        return
    console = out()
    for part in _pages(found) if name is not None else _table(found):
        console.print(part)


def _document(kind: Kind, entry: EntryPoint, *, whole: bool) -> dict[str, object]:
    document: dict[str, object] = {
        "group": entry.group,
        "name": entry.name,
        "value": entry.value,
        "package": entry.dist.name if entry.dist else None,
        "version": entry.dist.version if entry.dist else None,
        "description": _line(kind, entry) if whole or _is_own(entry) else None,
    }
    if whole:
        document["settings"] = [
            {"name": setting, "type": what, "default": default}
            for setting, what, default in _settings(kind, entry)
        ]
    return document


def _is_own(entry: EntryPoint) -> bool:
    from convsim.plugins import OWN

    return entry.dist is not None and entry.dist.name == OWN


def _table(found: Found) -> Iterator[RenderableType]:
    """Yield a heading for each kind, and a row for each of its plugins."""
    from rich.table import Table
    from rich.text import Text

    for kind in dict.fromkeys(kind for kind, _ in found):
        yield Text(f"\n{kind}", style="bold")
        rows = Table.grid(padding=(0, 2))
        for each, entry in found:
            if each == kind:
                home = entry.dist.name if entry.dist else "an unknown package"
                said = _line(kind, entry) if _is_own(entry) else f"of {home}; {LOADS}"
                rows.add_row(Text(f"  {plain(entry.name)}", no_wrap=True), Text(plain(said)))
        yield rows
    yield Text("\nOne of them, with its settings: convsim plugins NAME", style="dim")


def _pages(found: Found) -> Iterator[RenderableType]:
    """Yield what is to be known of each plugin of a name: of what kind, what it does, and its settings."""
    from rich.padding import Padding
    from rich.text import Text

    for kind, entry in found:
        home = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
        yield Text(
            f"{plain(entry.name)}: one of {kind}, of {plain(home)} ({plain(entry.value)})", style="bold"
        )
        yield Text(plain(_said(kind, entry).replace("``", ""), limit=10_000) + "\n")
        settings = [*_settings(kind, entry)]
        yield Text("settings:" if settings else "no settings")
        for setting, what, default in settings:
            begins = "needed" if default is None else f"default {default}"
            yield Padding(Text(plain(f"{setting}  {what}; {begins}")), (0, 0, 0, 2))
        yield Text("")


def _plugin(kind: Kind, entry: EntryPoint) -> object:
    from convsim.plugins import load

    return load(kind, entry.name)


def _said(kind: Kind, entry: EntryPoint) -> str:
    """Return all that a plugin says of itself: its description where it has one, else its docstring."""
    plugin = _plugin(kind, entry)
    described = None if isinstance(plugin, type) else getattr(plugin, "description", None)
    if isinstance(described, str):
        return described
    if isinstance(plugin, type) or inspect.isroutine(plugin):
        return inspect.getdoc(plugin) or NOTHING
    acts = next((getattr(plugin, part) for part in ("alter", "answer") if hasattr(plugin, part)), None)
    said = inspect.getdoc(acts) if acts is not None and acts.__doc__ else inspect.getdoc(type(plugin))
    return said or NOTHING


def _line(kind: Kind, entry: EntryPoint) -> str:
    """Return the first sentence that a plugin says of itself."""
    first = " ".join(_said(kind, entry).split("\n\n")[0].replace("``", "").split())
    return first.partition(". ")[0].removesuffix(".")


def _settings(kind: Kind, entry: EntryPoint) -> Iterator[tuple[str, str, str | None]]:
    """Yield each setting's name, what it must be, and its default; None where it has to be given."""
    from convsim._settings import expected_settings
    from convsim.plugins import PARTS

    plugin = _plugin(kind, entry)
    if not isinstance(plugin, type):
        return
    expected = expected_settings(plugin)
    for name, parameter in inspect.signature(plugin).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in PARTS and name not in expected:
            yield name, f"given by {PARTS[name]}", ""
            continue
        default = None if parameter.default is parameter.empty else _default(plugin, name, parameter.default)
        yield name, expected.get(name, "an object, or module:attribute"), default


def _default(plugin: type, name: str, default: object) -> str:
    """Write a default; of what is made anew each time, what is made."""
    field = getattr(plugin, "__dataclass_fields__", {}).get(name)
    made = getattr(field, "default_factory", None)
    shown = made() if callable(made) else default
    return "none" if shown is None else repr(shown)[:60]
