"""``convsim prompts``: our prompts as files, to start your own from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convsim.cli import options
from convsim.cli.console import err
from convsim.cli.output import taking_folder

app = typer.Typer(help="Prompts of the shoppers and agents that ask a model.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Prompts of the shoppers and agents that ask a model."""


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write the files to.")],
    force: options.Force = False,
) -> None:
    """Write convsim's own prompts into a folder, to be changed.

    Name the folder as the setting prompts: say shopper.prompts and agent.prompts; what is deleted from the folder is
    taken from convsim again.
    """
    from convsim._files import write_set
    from convsim.models.own_prompts import our_files

    files = our_files()
    with taking_folder(folder, [*files], made_before=lambda _: False, force=force):
        write_set(folder, files)
    err().print(f"wrote {', '.join(files)} to {folder}")
    err().print(f"use them: --set shopper.prompts={folder} --set agent.prompts={folder}")
