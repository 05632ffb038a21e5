"""Looks at a run that grows: how large it is at each, at which error rate each is judged, and what each found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from convsim._files import replacing
from convsim._inputs import read_input
from convsim._text import complaint
from convsim.errors import StudyError
from convsim.schema import HeadlineName, Interval, Verdict
from convsim.schema.details import Needs
from convsim.schema.record import Count, Name, Number, Record, Text
from convsim.stats.decision import ALPHA
from convsim.stats.spending import error_rates, information, spent

FILE = "looks.json"
MAX_BYTES = 1 << 20
STEP = 1.5
"""How much larger a run is at each look."""
LEAST_SPENT = 0.002
"""A first look at which less of the error could be spent would be too strict to end anything: it is left out."""
LEAST_GAIN = 0.02
"""Of the information, which the next look must add: people are as many at every look, and bound it."""
MOST_TIMES_PEOPLE, MOST = 10, 2_000
"""Conversations an arm at the last look where nothing is said: so many times the people's, or so many."""


class PlannedLook(Record):
    """A look before it is taken: conversations an arm, and the error rate at which it is judged."""

    n: Count
    information: Number
    """The proportion that is there of what is there at the last look."""
    error_rate: Number


class TakenLook(Record):
    """What a look found."""

    n: Count
    n_simulated: Count
    """Conversations that were judged."""
    verdict: Verdict
    reason: Text
    estimate: Number | None = None
    interval: Interval | None = None
    needs: Needs | None = None
    """How much more would decide, where the verdict is ``undecided`` and that is known."""
    cost_usd: Number | None = None
    """Of all conversations until then; null where a price is not known."""
    at: Text


class Question(Record):
    """What is asked at every look, and how often; fixed before the first one."""

    headline: HeadlineName
    people_sha256: Text | None
    n_people: Count
    seed: int
    alpha: Number = ALPHA
    """Of all looks together, for each of the two verdicts that end them."""
    arms: tuple[Name, ...] = ()
    """Of both sides; for reactions control and treatment. Empty where the sides have none in common: then all."""
    annotator: Name | None = None
    first: Count
    at_most: Count
    """Conversations an arm from which and up to which looks are planned."""
    planned: tuple[PlannedLook, ...]
    looks: tuple[TakenLook, ...] = ()

    @property
    def decided(self) -> TakenLook | None:
        """The look that ended the question; None while none did."""
        return next((look for look in self.looks[-1:] if look.verdict != "undecided"), None)

    def differs_from(self, other: Question) -> str | None:
        """Name what another question asks otherwise, with both values; None where it asks the same."""
        for name in Question.model_fields:
            was, now = getattr(self, name), getattr(other, name)
            if name not in ("planned", "looks") and was != now:
                said = [", ".join(map(str, each)) if isinstance(each, tuple) else each for each in (was, now)]
                return f"{name.replace('_', ' ')} was {said[0]} and is now {said[1]}"
        return None


class Looks(Record):
    """What ``looks.json`` of a run folder holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.looks/1"] = Field("convsim.looks/1", alias="schema")
    questions: Annotated[tuple[Question, ...], Field(max_length=100)] = ()

    @classmethod
    def read(cls, folder: Path) -> Looks:
        """Read the looks at a run; none where there is no such file.

        Raises:
            StudyError: It is something else.
        """
        path = folder / FILE
        if not path.exists():
            return cls()
        try:
            return cls.model_validate_json(read_input(path, MAX_BYTES))
        except OSError as error:
            raise StudyError(f"{path}: cannot be read ({error.strerror or error})") from error
        except ValidationError as error:
            raise StudyError(f"{path}: is no record of looks: {complaint(error)}") from error

    def of(self, headline: HeadlineName) -> Question | None:
        """Return what is recorded of a headline."""
        return next((question for question in self.questions if question.headline == headline), None)

    def write(self, folder: Path, question: Question) -> Looks:
        """Put a question in the place of its earlier record, on disk too."""
        kept = [each for each in self.questions if each.headline != question.headline]
        new = Looks(questions=(*kept, question))
        text = json.dumps(new.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
        with replacing(folder / FILE) as file:
            file.write(text.encode() + b"\n")
        return new


def plan_looks(n_people: int, first: int, at_most: int, *, alpha: float = ALPHA) -> tuple[PlannedLook, ...]:
    """Plan the looks at a run that grows from ``first`` to ``at_most`` conversations an arm, each 1.5 times the last.

    Information counts conversations; early looks with hardly any of it are left out, and so are those that hardly add.

    Args:
        n_people: Conversations of people: of the smaller arm where arms are compared.
        first: Conversations an arm at the first look.
        at_most: Those at the last.
        alpha: The error rate of all looks together.
    """
    sizes = [first]
    while sizes[-1] * STEP < at_most:
        sizes.append(ceil(sizes[-1] * STEP))
    if sizes[-1] < at_most:
        sizes.append(at_most)
    whole = information(n_people, sizes[-1])
    fractions = {n: information(n_people, n) / whole for n in sizes}
    kept = [sizes[-1]]
    for n in sizes[-2::-1]:
        if fractions[kept[-1]] - fractions[n] >= LEAST_GAIN and spent(fractions[n], alpha) >= LEAST_SPENT:
            kept.append(n)
    kept.reverse()
    rates = error_rates([fractions[n] for n in kept], alpha=alpha)
    return tuple(
        PlannedLook(n=n, information=fractions[n], error_rate=rate)
        for n, rate in zip(kept, rates, strict=True)
    )


def most_conversations(n_people: int, first: int) -> int:
    """Return how many conversations an arm the last look has where nothing is said."""
    return max(first, min(MOST_TIMES_PEOPLE * n_people, MOST))


def said_of(question: Question) -> Sequence[str]:
    """Say in two lines what is looked at, when, and how strictly."""
    sizes = ", ".join(f"{look.n:,}" for look in question.planned)
    rates = ", ".join(f"{look.error_rate:.2g}" for look in question.planned)
    arms = f" (arms {', '.join(question.arms)})" if question.arms else ""
    return (
        f"until {question.headline} is decided, against {question.n_people:,} conversations of people{arms}: looks at "
        f"{sizes} conversations per arm",
        f"error rate of each look: {rates}; of all together at most {question.alpha:g}",
    )
