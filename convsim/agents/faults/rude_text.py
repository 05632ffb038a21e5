"""The agent is rude before it answers; it insults nobody for what they are."""

from convsim.agents.faults.sayings import speaking

RUDE_TEXT = speaking("rude_text", "before")
