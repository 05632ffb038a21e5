"""Which of a file's conversations a scorecard counted."""

from __future__ import annotations

from collections.abc import Iterable

from convsim.evaluation import SideSummary
from convsim.schema.conversation import Conversation


def taking_part(conversations: Iterable[Conversation], summary: SideSummary) -> list[Conversation]:
    """Keep the conversations of the side's arms and tasks that did not fail."""
    return [
        c
        for c in conversations
        if c.failure is None and (c.arm or "-") in summary.arms and (c.task or "-") in summary.tasks
    ]
