"""What users did and felt: definitions of acts and experience, and who labels them."""

from convsim.annotators.definitions import (
    ActDefinition,
    Definitions,
    ExperienceDefinition,
    definitions,
)
from convsim.annotators.mapping import ActMap, acts_of, read_map
from convsim.annotators.rules import Rules

__all__ = [
    "ActDefinition",
    "ActMap",
    "Definitions",
    "ExperienceDefinition",
    "Rules",
    "acts_of",
    "definitions",
    "read_map",
]
