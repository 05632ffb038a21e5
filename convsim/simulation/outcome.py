"""What a call of ``Study.run`` did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convsim.models.gates import Taken
from convsim.models.metering import Measured
from convsim.schema.conversation import MAX_FAILURE_SHARE


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call of ``Study.run`` did; ``planned`` counts the whole study, ``held`` this call."""

    folder: Path
    planned: int
    held: int
    failed: int
    missing: int
    cost_usd: float | None
    stop: str
    slips: Mapping[str, int] = field(default_factory=dict)
    """Role slips, empty and truncated answers of this call, by name."""
    commonest_reason: str | None = None
    """Why conversations of this call failed most often."""
    unread: Mapping[str, int] = field(default_factory=dict)
    """What agents' answers of this call held that was not read, and in how many answers."""
    agent_reasoning: int = 0
    """Agents' answers of this call out of which thinking was taken."""
    fallbacks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Messages of this call for which another model than the first answered, by shopper or agent and the model."""
    measured: Measured = field(default_factory=Measured, repr=False)
    """What this call asked of its models."""
    remedy: str | None = None
    """The setting that helps against the commonest reason, where one is known."""
    uncounted: int = 0
    """Conversations of this call in which a server did not count its tokens."""
    failed_in_all: int = 0
    """Failed conversations in the folder, those of earlier calls included."""
    taken: Mapping[str, Taken] = field(default_factory=dict)
    """How many requests each endpoint took at a time in this call, by its address: in the end (``last``), at most
    (``highest``), and how many it pushed back. Nothing where a number of conversations was stated."""

    def __str__(self) -> str:
        earlier = self.planned - self.held - self.missing
        kept = f" ({earlier} more were there)" if earlier else ""
        why = f"; most often: {self.commonest_reason}" if self.commonest_reason else ""
        return f"{self.held} conversations held in {self.folder}{kept}; {self.failed} failed{why}"

    @property
    def too_many_failed(self) -> bool:
        """Whether more of the folder's conversations have failed than what compares them takes."""
        return self.failed_in_all > MAX_FAILURE_SHARE * (self.planned - self.missing)
