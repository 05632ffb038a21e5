"""The command line."""

from convsim.cli.app import app, main

__all__ = ["app", "main"]
