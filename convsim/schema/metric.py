"""What a metric is: one number a conversation, measured for a whole corpus at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Literal, NamedTuple

from convsim.schema.columns import Columns
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray


class LabelOrigin(NamedTuple):
    """Which labels a metric is read from; two sides compare only where these are the same."""

    name: str
    level: Literal["message", "conversation"]
    source: str
    scale: tuple[float, float] | None

    def __str__(self) -> str:
        scale = f" on a scale of {self.scale[0]:g} to {self.scale[1]:g}" if self.scale else ""
        return f"{self.source}{scale}"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number per conversation; NaN where it is undefined, to be left out and counted."""

    name: str
    unit: str
    level: Literal["turn", "conversation"]
    """Where the metric lives; at "turn" a conversation's value is the mean over its turns or messages."""
    description: str
    source: str
    measure: Callable[[Columns], FloatArray]
    """Maps columns of n conversations to an array of shape (n,)."""
    role: Literal["metric", "control"] = "metric"
    """A control says something of the agent or the data: shown, but in no correction, headline or gate."""
    moved_by_agent: str | None = None
    """Why another agent moves it, whatever the user does; a change between arms is not a reaction."""
    label: LabelOrigin | None = None
    """Where the values come from, if from labels and not from the words."""
    judged_by: str = "marginals"
    """The validator to whose family the metric belongs: no other of those that judge metrics has a finding on it."""
    undefined_for: Callable[[Columns], str | None] | None = None
    """Why no conversation of a side can have a value other than chance gives: its language has no such word list.

    None where it may. A metric that names such a reason stands on the language, and compares sides of one language.
    """

    version: str | None = None
    """Of somebody's own metric: as long as it stays, what was measured before of the same conversations still holds."""

    def __call__(self, conversation: Conversation) -> float | None:
        """Measure one conversation; None where the metric is undefined."""
        [value] = self.measure(Columns.of([conversation])).tolist()
        return None if isnan(value) else float(value)

    def why_undefined(self, columns: Columns) -> str | None:
        """Say why the metric is undefined for all these conversations, whatever was said; None where it is not."""
        return self.undefined_for(columns) if self.undefined_for else None

    @property
    def no_reaction(self) -> str | None:
        """Why a change of the metric with the agent says nothing of the user; None where it may."""
        return "it says something of the agent" if self.role == "control" else self.moved_by_agent
