"""``convsim demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from convsim.cli.console import err
from convsim.cli.validate import Format, show


def demo(
    output: Annotated[
        Format, typer.Option("--format", envvar="CONVSIM_DEMO_FORMAT", help="How the scorecards are printed.")
    ] = Format.text,
    seed: Annotated[int, typer.Option(help="Moves every random draw.")] = 0,
) -> None:
    """Score two stand-in simulators, one close and one naive, against stand-in people: a first look, offline."""
    from convsim.demo.tour import notice, scorecards

    talk = err()
    talk.print(notice())
    for name, card in scorecards(seed=seed):
        talk.print(f"\nthe {name} stand-in simulator")
        show(card, output)
    talk.print(notice())
