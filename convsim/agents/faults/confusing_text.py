"""The agent's words cannot be made sense of."""

from convsim.agents.faults.sayings import speaking

CONFUSING_TEXT = speaking("confusing_text", "instead")
