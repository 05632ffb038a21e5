"""``convsim plugins``."""

from __future__ import annotations

import typer


def plugins() -> None:
    """List the installed plugins of every kind."""
    from convsim.plugins import KINDS, installed

    for kind in KINDS:
        for name, entry in installed(kind).items():
            distribution = entry.dist.name if entry.dist else "unknown"
            typer.echo(f"{kind}\t{name}\t{entry.value}\t{distribution}")
