"""Options that say on which machines a command computes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Where(StrEnum):
    """Where a command computes."""

    local = "local"
    ray = "ray"


Engine = Annotated[
    Where,
    typer.Option(
        help="Where it is computed: in this process, or in tasks of a Ray cluster (needs the extra ray)."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Ray cluster that this machine has joined (default: one is started here)."
    ),
]
