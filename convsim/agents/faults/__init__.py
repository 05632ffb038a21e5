"""What can be wrong with a recommender, one fault a file."""

from convsim.agents.faults.catalogue import FAULTS
from convsim.agents.faults.presets import PRESETS
from convsim.agents.faults.registry import FaultLike, fault, find_fault
from convsim.agents.faults.spec import severities_of

__all__ = ["FAULTS", "PRESETS", "FaultLike", "fault", "find_fault", "severities_of"]
