"""The two consoles of rich's that commands write to; apart, for rich takes long to import."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rich.console import Console

from convsim._text import plain
from convsim.cli.talk import TALK, emit

MAX_MESSAGE = 10_000
"""Characters of a message."""
WARNING = "warning: "


class Pipe(Console):
    """A console whose reader may go away: that is for ``main`` to handle, not for rich."""

    def on_broken_pipe(self) -> None:
        """Let the error through that rich would end the process at."""
        raise BrokenPipeError


class Messages(Pipe):
    """A console for texts of our own, in which names and paths of others stand; ``-q`` leaves out all but results.

    Where nobody can read them any more, nothing is raised: what the command does, and its exit code, stay the same.
    """

    def __init__(self, *, is_result: bool, **options: Any):
        super().__init__(**options)
        self.is_result = is_result

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts with what a terminal would obey in them replaced, and other things as rich draws them."""
        if TALK.quiet and not self.is_result:
            return
        safe = [plain(said, limit=MAX_MESSAGE) if isinstance(said, str) else said for said in objects]
        if not TALK.log_json:
            with suppress(OSError, ValueError):  # nobody is there to read it
                super().print(*safe, **options)
            return
        with self.capture() as captured:
            super().print(*safe, **{**options, "end": ""})
        if said := captured.get().strip():
            emit("warning" if said.startswith(WARNING) else "info", said.removeprefix(WARNING))
