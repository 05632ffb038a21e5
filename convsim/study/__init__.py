"""Studies: who talks to whom, how often, and where it is kept."""

from convsim.study.assembly import Assembly
from convsim.study.personas import draw_personas, instructed_personas, read_personas
from convsim.study.study import Outcome, Study

__all__ = ["Assembly", "Outcome", "Study", "draw_personas", "instructed_personas", "read_personas"]
