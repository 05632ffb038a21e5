"""The agent talks about something else than what it was asked, and shows its items all the same."""

from convsim.agents.faults.sayings import speaking

OFF_TOPIC_TEXT = speaking("off_topic_text", "instead")
