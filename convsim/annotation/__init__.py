"""Labelling many conversations: whichever annotator does it, what it cannot do is counted and loses nothing."""

from convsim.annotation.labelled import sources_of, with_labels
from convsim.annotation.mapped import with_mapped_acts
from convsim.annotation.runner import Annotated, aannotate, annotate

__all__ = ["Annotated", "aannotate", "annotate", "sources_of", "with_labels", "with_mapped_acts"]
