"""The command line; nothing that takes long is imported before ``main`` can say in one line what went wrong."""

from __future__ import annotations

from convsim.cli.interrupts import AtOnce

TYPE_CHECKING = False  # typing takes longer to import than all that comes before the handler of Ctrl-C
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, and end the process; ``convsim.cli.process`` says with which exit codes."""
    with AtOnce():
        from convsim.cli.process import main as run
    run()


__all__ = ["main"]
