"""``convsim guide``: the pages of ``convsim/guide/``, in the terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from convsim.cli.console import err, out
from convsim.errors import InputError

INDEX = "README"
"""The page that lists the others, which a browser shows of the folder."""
LISTED = re.compile(r"^- \[(?P<topic>[\w-]+)\]\((?P=topic)\.md\): (?P<line>.+)$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<target>[^)\s]+)\)")
PAGE = re.compile(r"(?P<topic>[\w-]+)\.md(?:#.*)?")


def guide(
    topic: Annotated[
        str | None, typer.Argument(metavar="[TOPIC]", help="Page to read; without it, the pages are listed.")
    ] = None,
) -> None:
    """Read the guide in the terminal."""
    known = topics()
    if topic is None:
        _list(known)
        return
    if topic not in known:
        from difflib import get_close_matches

        near = get_close_matches(topic.lower().replace(" ", "-").replace("_", "-"), known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"the guide has no page {topic[:60]!r}{meant} (convsim guide lists the pages)")
    text = _page(topic)
    console = out()
    if not console.is_terminal:
        typer.echo(text, nl=False)
        return
    from rich.markdown import Markdown

    console.print(Markdown(for_terminal(text, known), code_theme="ansi_dark", hyperlinks=False))


def topics() -> dict[str, str]:
    """Return the guide's pages in the order of its index, each with the line that says what it is about."""
    return {found["topic"]: found["line"] for found in LISTED.finditer(_page(INDEX))}


def for_terminal(text: str, known: dict[str, str]) -> str:
    """Turn links, which a terminal cannot follow, into the command that shows the page; addresses stay."""

    def said(link: re.Match[str]) -> str:
        page = PAGE.fullmatch(link["target"])
        if page and page["topic"] in known:
            return f"{link['text']} [`convsim guide {page['topic']}`]"
        if "://" in link["target"]:
            return f"{link['text']} ({link['target']})"
        return link["text"]

    return LINK.sub(said, text)


def _page(topic: str) -> str:
    import convsim

    return (Path(convsim.__file__).parent / "guide" / f"{topic}.md").read_text(encoding="utf-8")


def _list(known: dict[str, str]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for topic, line in known.items():
        table.add_row(topic, line)
    out().print(table)
    err().print("read one with: convsim guide TOPIC")
