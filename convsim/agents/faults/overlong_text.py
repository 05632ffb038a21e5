"""The agent talks at great length before it comes to the point."""

from convsim.agents.faults.sayings import speaking

OVERLONG_TEXT = speaking("overlong_text", "before")
