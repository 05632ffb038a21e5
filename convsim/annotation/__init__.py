"""Labelling many conversations: whichever annotator does it, what it cannot do is counted and loses nothing."""

from convsim.annotation.labelled import with_labels
from convsim.annotation.runner import Annotated, annotate

__all__ = ["Annotated", "annotate", "with_labels"]
