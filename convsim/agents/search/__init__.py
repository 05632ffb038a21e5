"""Searches a catalogue for what was said in a conversation."""

from convsim.agents.search.listening import listen
from convsim.agents.search.ranking import Found, find
from convsim.agents.search.shelf import Shelf
from convsim.agents.search.wishes import Wishes

__all__ = ["Found", "Shelf", "Wishes", "find", "listen"]
