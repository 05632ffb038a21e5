"""``convsim plugins``."""

from __future__ import annotations

import typer


def plugins() -> None:
    """List what is installed: models, agents, shoppers, annotators, validators, metrics, readers and faults."""
    from convsim.plugins import KINDS, installed

    for kind in KINDS:
        for name, entry in installed(kind).items():
            distribution = entry.dist.name if entry.dist else "unknown"
            typer.echo(f"{kind}\t{name}\t{entry.value}\t{distribution}")
