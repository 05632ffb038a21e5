"""What users did and felt: definitions, annotators, running one, and its agreement with people."""

from convsim.annotation.checked import acheck_annotator, check_annotator
from convsim.annotation.definitions import (
    ActDefinition,
    Definitions,
    ExperienceDefinition,
    definitions,
)
from convsim.annotation.label_mapping import with_mapped_acts
from convsim.annotation.labels import sources_of, with_labels
from convsim.annotation.mapping import ActMap, acts_of, read_map
from convsim.annotation.rules import Rules
from convsim.annotation.run import Annotated, aannotate, annotate

__all__ = [
    "ActDefinition",
    "ActMap",
    "Annotated",
    "Definitions",
    "ExperienceDefinition",
    "Rules",
    "aannotate",
    "acheck_annotator",
    "acts_of",
    "annotate",
    "check_annotator",
    "definitions",
    "read_map",
    "sources_of",
    "with_labels",
    "with_mapped_acts",
]
