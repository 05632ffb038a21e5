"""``convsim plugins``."""

from __future__ import annotations

from typing import Annotated

import typer

from convsim.cli import options
from convsim.cli.console import print_json


def plugins(
    output: Annotated[
        options.TextOrJson, typer.Option("--format", help="Output format.")
    ] = options.TextOrJson.text,
) -> None:
    """List the installed plugins of every kind."""
    from convsim.plugins import KINDS, installed

    found = [(kind, entry) for kind in KINDS for entry in installed(kind).values()]
    if output is options.TextOrJson.json:
        print_json(
            [
                {
                    "group": entry.group,
                    "name": entry.name,
                    "value": entry.value,
                    "package": entry.dist.name if entry.dist else None,
                    "version": entry.dist.version if entry.dist else None,
                }
                for _, entry in found
            ]
        )
        return
    for kind, entry in found:
        typer.echo(f"{kind}\t{entry.name}\t{entry.value}\t{entry.dist.name if entry.dist else 'unknown'}")
