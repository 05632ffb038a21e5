"""One answer for a whole family of questions, which a scorecard leads with."""

from __future__ import annotations

from typing import Literal

from convsim.schema.details import Needs
from convsim.schema.finding import Verdict
from convsim.schema.record import Name, Record, Text

HeadlineName = Literal["habits", "words", "coherence", "diversity", "reactions"]


class Headline(Record):
    """The verdict of one family, and the finding that it stands on."""

    name: HeadlineName | Literal["all"]
    """``all`` sums up the others."""
    verdict: Verdict
    reason: Text
    """A sentence, with the numbers that decided."""
    validator: Name | None = None
    metric: Name | None = None
    """With ``validator``: the finding that the verdict is of; null in ``all``."""
    needs: Needs | None = None
    """How much more would decide, where the verdict is ``undecided`` and that is known."""
