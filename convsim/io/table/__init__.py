"""Imports tables: a row a message, a turn or a conversation; columns are guessed, or mapped."""

from convsim.io.table.account import Account
from convsim.io.table.guessing import Choice, Guess
from convsim.io.table.importing import TableImport, prepared, table_import
from convsim.io.table.mapping import TableMapping

__all__ = ["Account", "Choice", "Guess", "TableImport", "TableMapping", "prepared", "table_import"]
