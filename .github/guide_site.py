"""What mkdocs makes of the guide beside its pages: the order of the menu, the commands, and the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import convsim
from convsim.cli.app import whole
from convsim.cli.environment import give_variables
from convsim.cli.guide import topics

REPOSITORY = Path(__file__).parents[1]
BESIDE = {"validators.md": "validators/README.md", "calibration.md": "validators/CALIBRATION.md"}
"""Pages of the repository that the guide refers to, by the name that they have in the site."""
COLUMNS = 78
"""Width of a help page in a terminal of 80 columns."""
AWAY = re.compile(r"\[(?P<text>[^\]\n]+)\]\((?:\.\./)+(?P<place>[\w./-]+)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Order the menu as the guide's index does."""
    made = [
        {"Commands": "commands.md"},
        {"Python": "api.md"},
        *({"Validators": name} for name in list(BESIDE)[:1]),
    ]
    config.nav = ["README.md", *(f"{topic}.md" for topic in topics()), *made, "calibration.md"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and those that lie elsewhere."""
    files.append(File.generated(config, "commands.md", content=commands_page()))
    files.append(File.generated(config, "api.md", content=api_page()))
    for name, place in BESIDE.items():
        text = (REPOSITORY / place).read_text(encoding="utf-8")
        files.append(
            File.generated(config, name, content=text.replace("(CALIBRATION.md)", "(calibration.md)"))
        )
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links out of the guide to the page in the site, where there is one; else only their text stays."""
    names = {place: name for name, place in BESIDE.items()}

    def led(link: re.Match[str]) -> str:
        name = names.get(link["place"])
        return f"[{link['text']}]({name})" if name else link["text"]

    return AWAY.sub(led, markdown)


def commands_page() -> str:
    """Return the reference of all commands, as their help pages have it."""
    every = whole()
    give_variables(every, {})
    parts = ["# Commands\n"]
    for path, command in _leaves(every):
        name = " ".join(("convsim", *path))
        context = typer.Context(
            command, info_name=name, terminal_width=COLUMNS, help_option_names=["-h", "--help"]
        )
        parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def api_page() -> str:
    """Return the reference of all that ``import convsim`` offers."""
    return "# Python\n\n" + "\n".join(
        f"::: convsim.{name}\n" for name in convsim.__all__ if name != "__version__"
    )


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
    for name, each in (below or {}).items():
        yield from _leaves(each, (*path, name))
