"""Shows what is being done: a line that moves on a terminal, and elsewhere a line every ten seconds."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from convsim._progress import Step, duration, progress_to
from convsim._secrets import redact
from convsim.cli.console import err
from convsim.cli.streams import SCREEN, Redacting
from convsim.cli.talk import TALK, emit

if TYPE_CHECKING:
    from rich.console import Console

AFTER_S, EVERY_S = 2.0, 10.0
"""When a line is first drawn on a terminal, and how long it takes between lines elsewhere."""
DRAWN_EVERY_S = 0.2
FASTER = "_CONVSIM_PROGRESS"
"""A variable for tests: these seconds, divided by a comma."""
PATIENCE_S = 1.0
"""How long the end of a command waits for a line that is being written."""
BAR_COLUMNS = 12
SERVING = frozenset({"arena", "guide", "view"})
"""Commands that wait for somebody, so that nothing is shown."""


class Shown:
    """Hears of every step, and shows the innermost one from a thread of its own."""

    def __init__(self, *, after_s: float, every_s: float) -> None:
        self.command = ""
        """Its words; as long as there are none, it is not known how it talks, and nothing is shown."""
        self.is_stuck = False
        """Whether its thread still waits for somebody to read what it writes."""
        self._after_s, self._every_s = after_s, every_s
        self._step: Step | None = None
        self._begun_s = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="convsim-progress", daemon=True)

    def hear(self, step: Step) -> None:
        """Take the newest step; the thread shows it in time, so that saying how far it is costs next to nothing."""
        self._step = step.outer if step.is_over else step

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Show nothing more, and leave nothing on the terminal.

        Where nobody reads stderr, the thread waits in the midst of a line, and so would all who write there after it:
        stderr is then given up.
        """
        self._over.set()
        try:
            self._thread.join(PATIENCE_S)
        finally:
            self.is_stuck = self._thread.is_alive()
            if self.is_stuck:
                sys.stderr = None
            else:
                SCREEN.clear()

    def _live(self) -> None:
        with suppress(OSError, ValueError):  # nobody is there to read it
            self._show()

    def _show(self) -> None:
        stream = _terminal()
        if stream is None:
            while not self._over.wait(self._every_s):
                self._say()
        elif not self._over.wait(self._after_s):
            console = _console(stream)
            while not self._over.wait(DRAWN_EVERY_S):
                self._draw(stream, console)

    @property
    def _is_silent(self) -> bool:
        return TALK.quiet or not self.command or self.command in SERVING

    @property
    def _now(self) -> Step:
        return self._step or Step(f"{self.command} is working")

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._begun_s

    def _say(self) -> None:
        step = self._now
        if self._is_silent:
            return
        if TALK.log_json:
            fields = {**step.record(), "elapsed_s": round(self._seconds, 1)}
            emit("info", str(step), logger="convsim.progress", fields=fields)
        else:
            err().print(f"{duration(self._seconds)}: {step}")

    def _draw(self, stream: TextIO, console: Console) -> None:
        if self._is_silent or TALK.log_json:
            return
        SCREEN.draw(stream, redact(_line(console, self._now, self._seconds)))


def _terminal() -> TextIO | None:
    """Return the stream of the terminal that stderr is; None where lines cannot be drawn over."""
    stream = sys.stderr
    if stream is None or not stream.isatty() or os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return None
    return stream._stream if isinstance(stream, Redacting) else stream


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _line(console: Console, step: Step, seconds: float) -> str:
    """Render one line, as wide as the terminal at most."""
    from rich.progress_bar import ProgressBar
    from rich.spinner import Spinner
    from rich.table import Column, Table
    from rich.text import Text

    cells: list[object] = [Spinner("dots").render(seconds)]
    columns = [Column()]
    counted = next((each for each in step.path if each.total), None)
    if counted is not None:
        cells.append(ProgressBar(counted.total, counted.done, width=BAR_COLUMNS))
        columns.append(Column(width=BAR_COLUMNS))
    cells += [Text(str(step)), Text(duration(seconds), style="dim")]
    columns += [Column(no_wrap=True, overflow="ellipsis"), Column(no_wrap=True)]
    table = Table.grid(*columns, padding=(0, 1))
    table.add_row(*cells)  # type: ignore[arg-type]
    with console.capture() as drawn:
        console.print(table, end="", width=max(console.width - 1, 20))
    return drawn.get().rstrip("\n")


@contextmanager
def progress_shown() -> Iterator[Shown]:
    """Show the progress of the command that runs within."""
    after_s, every_s = _seconds(os.environ.get(FASTER, ""))
    shown = Shown(after_s=after_s, every_s=every_s)
    shown.start()
    try:
        with progress_to(shown.hear):
            yield shown
    finally:
        shown.stop()


def _seconds(stated: str) -> tuple[float, float]:
    try:
        after_s, every_s = map(float, stated.split(","))
    except ValueError:
        return AFTER_S, EVERY_S
    return after_s, every_s
