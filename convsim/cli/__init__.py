"""The command line; nothing else is imported before ``main`` can say what went wrong."""

from convsim.cli.process import main

__all__ = ["main"]
