"""How people type at a turn: length, case and final marks, drawn from what they typed there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, log1p
from typing import TYPE_CHECKING, Self

from convsim.schema.conversation import Action, Message
from convsim.shoppers.contexts import CUT_SHORT, Context, Contexts
from convsim.shoppers.policies.points import ACTS, MOVE_OF, SPOKEN, acts_named
from convsim.text.typing_habits import ends_without_mark, starts_in_lower_case
from convsim.text.words import words

if TYPE_CHECKING:
    from numpy.random import Generator

ENDS: tuple[Action, ...] = ("accept", "leave")
LATE = 3
"""Turns from here on are drawn from together."""
FEWEST = 20
"""Messages that an act needs at a turn before its own habits are drawn from, and not those of the whole turn."""
CASE_WEIGHT = MARK_WEIGHT = 0.5
"""What another case, or another end, counts beside the difference of one in log(1 + words)."""
FINAL_STOP = re.compile(r"(?<!\.)[.。]\s*$")


@dataclass(frozen=True)
class Style:
    """How one message is typed; None where the message does not tell, as a script without capitals."""

    n_words: int
    """0 says nothing at all."""
    lower_start: bool | None = None
    bare_end: bool | None = None
    """Whether no mark ends its last sentence."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Look at a message."""
        lower, bare = starts_in_lower_case(text), ends_without_mark(text)
        return cls(
            len(words(text)), None if isnan(lower) else bool(lower), None if isnan(bare) else bool(bare)
        )

    def distance(self, other: Style) -> float:
        """Return how differently two messages are typed: 0 where they are alike."""
        far = abs(log1p(self.n_words) - log1p(other.n_words))
        if None not in (self.lower_start, other.lower_start) and self.lower_start != other.lower_start:
            far += CASE_WEIGHT
        if None not in (self.bare_end, other.bare_end) and self.bare_end != other.bare_end:
            far += MARK_WEIGHT
        return far

    def applied(self, text: str) -> str:
        """Type a text so: its first letter, and whether a full stop ends it; no word is changed.

        A first word that is written in capitals, such as "I" or "XL", stays; so do question and exclamation marks.
        """
        if self.lower_start is not None and text:
            first = text.split(maxsplit=1)[0]
            if not self.lower_start:
                text = text[0].upper() + text[1:]
            elif first[1:] == first[1:].lower() and len(first.rstrip(".,!?…'’")) > 1:
                text = text[0].lower() + text[1:]
        return FINAL_STOP.sub("", text) or text if self.bare_end else text


@dataclass(frozen=True)
class Habits:
    """How people typed, by what they did and when; an end without words is a style, too."""

    contexts: Contexts = field(repr=False)
    ends_untold: bool = False
    """Whether a log that does not tell how it ended was ended by its user; else nothing is taken from its end."""
    acts_label: str = ACTS
    """The label that names dialogue acts."""

    @cached_property
    def _styles(self) -> Mapping[tuple[Action, int, str | None], Sequence[Style]]:
        found: dict[tuple[Action, int, str | None], list[Style]] = {}
        for place in self.contexts.places:
            style = Style.of(place.move.content) if place.move else Style(0)
            for kind in kinds_of(place, ends_untold=self.ends_untold):
                if kind == "say" and not (place.move and place.move.content.strip()):
                    continue
                for act in (None, *acts_in(place.move, self.acts_label)):
                    found.setdefault((kind, min(place.turn, LATE), act), []).append(style)
        return found

    def draw(self, action: Action, *, turn: int, act: str | None, rng: Generator) -> Style | None:
        """Draw how a person typed who did the same at that turn; None where nobody did the same at all.

        Args:
            action: What is done.
            turn: How many turns there were before.
            act: The dialogue act, whose own habits are drawn from where at least 20 messages show them.
            rng: Draws.
        """
        late = min(turn, LATE)
        styles = self._styles.get((action, late, act), ())
        if act is None or len(styles) < FEWEST:
            styles = self._styles.get((action, late, None), ())
        if not styles:
            styles = [style for (kind, _, of), found in self._styles.items() for style in found
                      if kind == action and of is None]  # fmt: skip
        return styles[int(rng.integers(len(styles)))] if styles else None


def kinds_of(place: Context, *, ends_untold: bool = False) -> tuple[Action, ...]:
    """Tell what a person did at a place, as a policy's decision points have it: go on, accept or leave.

    Nothing where they had ended before. Where they ended and nobody tells how, it may have been either, and with
    ``ends_untold`` both are said; without, whether they had ended is not known.
    """
    source, move = place.source, place.move
    if move is not None and move.action in ENDS:
        return (move.action,)
    acted = any(m.action in ENDS for m in source.user_messages)
    last = next(m for m in reversed(source.messages) if m.role in SPOKEN)
    with_words = last.role == "user" and source.ending not in CUT_SHORT
    is_end = not acted and (not with_words if move is None else with_words and move is last)
    if not is_end:
        return () if move is None else ("say",)
    told = MOVE_OF.get(source.ending or "")
    if told is None:
        return ENDS if ends_untold else ()
    return (told,)


def acts_in(message: Message | None, label: str) -> frozenset[str]:
    """Return the dialogue acts that any annotator found in a message, as a label of this name tells them."""
    found = message.labels.get(label, ()) if message is not None else ()
    return frozenset(act for given in found for act in acts_named(given.value))
