"""The agent takes back what it has just said."""

from convsim.agents.faults.sayings import speaking

CONTRADICTION = speaking("contradiction", "after")
