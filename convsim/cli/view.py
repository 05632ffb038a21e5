"""``convsim view [FOLDER…]``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from convsim._text import plain
from convsim.cli.console import err
from convsim.errors import InputError

TOKEN = "CONVSIM_VIEW_TOKEN"
"""The environment variable that may hold the token."""
RUNS = Path("runs")
"""Where ``convsim simulate`` puts runs where nothing else is said."""


def view(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER...]",
            help="Run folders, folders of runs or of results, or files of conversations (default: runs).",
        ),
    ] = None,
    comments: Annotated[
        Path, typer.Option(metavar="FILE", help="SQLite file for comments, made with the first one.")
    ] = Path("comments.sqlite"),
    host: Annotated[
        str, typer.Option(help="Address to listen on; the token in the printed address is always needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8766,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in your browser.")
    ] = False,
) -> None:
    """Read and search conversations in a browser.

    Live while they are simulated, two runs side by side, with comments.
    """
    from convsim.web.security import Access, is_loopback
    from convsim.web.serving import address, check_installed, listen, serve

    check_installed("showing conversations in a browser")
    from convsim.web.view import Comments, Index, Sources
    from convsim.web.view.application import application
    from convsim.web.view.serving import following

    if not folders and not RUNS.is_dir():
        raise InputError("there is no folder runs here; name a run folder, or a file of conversations")
    access = Access.at(host, os.environ, variable=TOKEN, always=True)
    kept = Comments(comments)
    kept.check()
    talk = err()
    # Only its owner can read such a folder.
    private = tempfile.TemporaryDirectory(prefix="convsim-view-", ignore_cleanup_errors=True)
    with private as folder, listen(host, port) as listening:
        own = Path(folder)
        sources = Sources(folders or [RUNS], own)
        index = Index(own)
        site = application(index, sources, kept, access=access, port=listening.getsockname()[1])
        for warning in sources.warnings:
            talk.print(f"warning: {plain(warning)}")
        if not is_loopback(host):
            talk.print(
                "warning: without HTTPS others on the network can read the token and all conversations"
            )
        talk.print("open this address; Ctrl-C stops:")
        where = address(host, listening, access)
        typer.echo(where)
        if open_page:
            _open(where, own)
        # Whoever ends the process by a signal is obeyed once what was written is taken away.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        with following(index, sources), contextlib.suppress(KeyboardInterrupt):
            serve(site, listening=listening, access=access)
        # Where the shell had SIGINT ignored, as in the background, the server ends on it without raising.
        said = f"comments are in {comments}" if comments.exists() else "nobody commented"
        talk.print(f"stopped; {said}")


def _open(where: str, own: Path) -> None:
    """Open an address in the user's browser, by a file of the user's alone: others may see what a program is given."""
    import html
    import webbrowser

    page = own / "open.html"
    page.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(where)}">', encoding="utf-8")
    webbrowser.open(page.as_uri())
