"""Searches a catalogue for what was said in a conversation."""

from convsim.agents.search.index import Results, Shelf, find
from convsim.agents.search.preferences import Wishes
from convsim.agents.search.state_tracker import listen

__all__ = ["Results", "Shelf", "Wishes", "find", "listen"]
