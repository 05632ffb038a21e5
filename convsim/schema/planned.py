"""What a comparison could decide before anything is simulated: one question, and its power by size."""

from __future__ import annotations

from typing import Literal

from convsim.schema.details import Needs
from convsim.schema.details.mapping import Probability
from convsim.schema.finding import Verdict
from convsim.schema.record import Count, Name, Number, Record, Text

Truth = Literal["like_people", "half_reaction", "no_reaction"]
"""What the simulator is taken to be: just like people, or reacting half as far as they do, or not at all."""


class PlannedPower(Record):
    """With so many simulated conversations, how often the question is decided as it should be."""

    n_simulated: Count
    """Conversations in all, of both arms where arms are compared."""
    power: Probability
    smallest_margin: Number | None = None
    """The margin at which the power is 80 %; null where none is, or where it is not asked."""


class PlannedFinding(Record):
    """One question that these people are to answer, and with what probability they do."""

    validator: Name
    metric: Name
    question: Text
    truth: Truth = "like_people"
    verdicts: tuple[Verdict, ...]
    """The verdicts that are right; the power is their probability."""
    margin: Number | None = None
    """What counts as alike."""
    margin_of: Text
    """What the margin limits, such as ``Cliff's delta``."""
    at: tuple[PlannedPower, ...] = ()
    """By number of simulated conversations; empty where the power is not known."""
    needs: Needs | None = None
    """How much more would decide in four of five cases, beyond the first number of ``at``."""
    pays_up_to: Count | None = None
    """Simulated conversations beyond which more raise the power by less than .02; null where it is low at any."""
    n_real: Count
    """Conversations in which the metric is defined."""
    n_units_real: Count
    """Users, or what else is independent, that had them."""
    n_arms: Literal[1, 2] = 1
    """Over how many arms conversations are spread: what people are told is a number an arm."""
    reason: Text
    """How the power was worked out, or why it is not known."""
    source: Text
