"""In what a simulator is least like people, in words, with examples and with what moves it."""

from __future__ import annotations

from typing import Literal

from convsim.schema.record import Count, Name, Number, Record, Text


class Example(Record):
    """A conversation that shows a gap, or how people do it; its words stand in the transcripts alone."""

    side: Literal["simulated", "people"]
    conversation: Text
    """Its id."""
    message: Count | None = None
    """The message that shows it best, counted from 0 over all messages; null where none does."""
    value: Number | None = None
    """The metric's value in this conversation."""


class Gap(Record):
    """One thing to change: a habit, what a finding says in words, or a whole family that is not like people."""

    name: Name
    """The metric of the finding, or the headline."""
    validator: Name
    kind: Literal["metric", "headline", "finding"]
    words: Text
    """What differs, with both levels."""
    contribution: Number | None = None
    """What it adds to the mean square of the distance over all metrics; null where it is not a part of it."""
    share: Number | None = None
    """The same as a proportion of what all gaps of metrics add."""
    direction: Literal["more", "less", "narrower", "wider"] | None = None
    """More or less than people, or varying less or more from one conversation to the next."""
    real: Number | None = None
    """People's level: a mean or a median; a standard deviation where they vary otherwise."""
    simulated: Number | None = None
    knob: Text | None = None
    """What moves it back: a setting, a prompt, or learning from logs; null where nothing is known to."""
    examples: tuple[Example, ...] = ()
