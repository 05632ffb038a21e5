"""Makes functions and objects, sync or async, into the agents, shoppers, annotators and validators that convsim asks.

A function stands for an object that has only its method. What a plain object lacks (a name, what it learned from, the
source of its labels) is supplied, an argument is passed only where it is asked for, and what comes back may have any
of the usual forms. What is convsim's own passes as it is.
"""

from convsim.lifting.asking import TIMEOUT_S, Takes, as_openai, seen_by_agent, showing_once
from convsim.lifting.lifted import (
    AgentLike,
    AnnotatorLike,
    ShopperLike,
    ValidatorLike,
    lift_agent,
    lift_annotator,
    lift_shopper,
    lift_validator,
)
from convsim.lifting.models import lift_model
from convsim.lifting.moves import MAX_ANSWER_BYTES, MAX_TEXT_BYTES, to_move
from convsim.lifting.ready import check_ready, learned_by, with_parts_of
from convsim.lifting.replies import Events, Form, to_reply
from convsim.lifting.targets import make_class, resolve

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_TEXT_BYTES",
    "TIMEOUT_S",
    "AgentLike",
    "AnnotatorLike",
    "Events",
    "Form",
    "ShopperLike",
    "Takes",
    "ValidatorLike",
    "as_openai",
    "check_ready",
    "learned_by",
    "lift_agent",
    "lift_annotator",
    "lift_model",
    "lift_shopper",
    "lift_validator",
    "make_class",
    "resolve",
    "seen_by_agent",
    "showing_once",
    "to_move",
    "to_reply",
    "with_parts_of",
]
