"""What can be wrong with a recommender, one fault a file."""

from convsim.agents.faults.registry import (
    FAULTS,
    PRESETS,
    FaultLike,
    fault,
    find_fault,
    severities_of,
)

__all__ = ["FAULTS", "PRESETS", "FaultLike", "fault", "find_fault", "severities_of"]
