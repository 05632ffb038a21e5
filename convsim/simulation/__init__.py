"""Studies: who talks to whom, how often, and the loop that holds the conversations."""

from convsim.simulation.build import Assembly
from convsim.simulation.loop import Arm, Planned, hold, opened, reply_of
from convsim.simulation.mixture import Component
from convsim.simulation.outcome import Outcome
from convsim.simulation.parts import make_agent, make_annotator, make_model, make_shopper, worse_arm
from convsim.simulation.personas import draw_personas, instructed_personas, read_personas
from convsim.simulation.pool import Workers
from convsim.simulation.runner import Limits, Progress, hold_all
from convsim.simulation.study import Study

__all__ = [
    "Arm",
    "Assembly",
    "Component",
    "Limits",
    "Outcome",
    "Planned",
    "Progress",
    "Study",
    "Workers",
    "draw_personas",
    "hold",
    "hold_all",
    "instructed_personas",
    "make_agent",
    "make_annotator",
    "make_model",
    "make_shopper",
    "opened",
    "read_personas",
    "reply_of",
    "worse_arm",
]
