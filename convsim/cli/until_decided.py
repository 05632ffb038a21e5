"""``convsim simulate --until-decided``: its options, and what is said of each look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import plain
from convsim.cli.console import err, parse_settings, result
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation.looks import Question, TakenLook
    from convsim.evaluation.until_decided import Hold, Looking
    from convsim.simulation import Assembly, Study

FIRST = 50
"""Conversations per arm at which looks begin where nothing is said."""


class Headline(StrEnum):
    """What may be decided."""

    habits = "habits"
    words = "words"
    coherence = "coherence"
    diversity = "diversity"
    reactions = "reactions"


UntilDecided = Annotated[
    Headline | None,
    typer.Option(help="Hold conversations until this is decided, at looks whose sizes are fixed beforehand."),
]
AtMost = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Conversations per arm at the last look (default: 10 times the people's, 2,000 at most).",
    ),
]
JudgedOn = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="People to decide it on (default: --real, if nothing is learned)."),
]
Control = Annotated[str | None, typer.Option(help="Control arm for reactions (default: the first).")]
Treatment = Annotated[str | None, typer.Option(help="Treatment arm for reactions (default: the second).")]


@dataclass(frozen=True)
class Deciding:
    """What was said of looks on the command line."""

    headline: Headline | None
    at_most: int | None
    judged_on: Path | None
    control: str | None
    treatment: str | None
    annotate: str | None

    def check(self, *, add: int | None) -> None:
        """Refuse options that say nothing without another; raises InputError."""
        if self.headline is not None:
            if add is not None:
                raise InputError(
                    "--add and --until-decided exclude one another: looks have sizes of their own"
                )
            return
        for name in ("at_most", "judged_on", "control", "treatment", "annotate"):
            if getattr(self, name) is not None:
                raise InputError(f"--{name.replace('_', '-')} needs --until-decided")

    def first(self) -> int:
        """Return at how many conversations per arm looks begin where nothing is said."""
        from convsim.evaluation.until_decided import least_for

        return max(FIRST, least_for(self.headline or ""))

    def prepared(self, study: Study, assembly: Assembly, out: Path, *, allow_failures: bool) -> Looking:
        """Plan the looks, and say the plan; raises InputError for what can decide nothing."""
        from convsim.cli.annotate import make_annotator, owners
        from convsim.evaluation.looks import said_of
        from convsim.evaluation.until_decided import UntilDecided as Asked
        from convsim.io import read

        assert self.headline is not None
        path = self.judged_on or assembly.config.data.real
        if path is None:
            raise InputError(
                f"--until-decided {self.headline} needs people to judge on: name them with --judged-on FILE (or --real)"
            )
        settings = parse_settings([], owners(self.annotate))
        asked = Asked(
            study=study, people=read(path), headline=self.headline.value, at_most=self.at_most, control=self.control,
            treatment=self.treatment, allow_failures=allow_failures, grown=assembly.grown,
            annotator=None if self.annotate is None else make_annotator(self.annotate, None, settings),
        )  # fmt: skip
        looking = asked.prepared(out)
        for line in said_of(looking.question):
            err().print(line)
        return looking


def decide(looking: Looking, hold: Hold) -> None:
    """Hold and look, a line a look; exits with 3 where the budget is spent before a look decides."""
    talk = result()
    for number, look in enumerate(looking.question.looks, start=1):
        talk.print(f"{_said(number, look, looking.question)} (taken before)")

    def tell(look: TakenLook) -> None:
        talk.print(_said(len(looking.question.looks), look, looking.question))

    ended = looking.run(hold, on_look=tell)
    for warning in looking.warnings:
        talk.print(f"warning: {plain(warning)}")
    last = ended.question.looks[-1:]
    if ended.how == "decided":
        talk.print(f"{ended.question.headline} decided: {_verdict(last[0])}")
    elif ended.how == "undecided":
        needs = last[0].needs
        is_short = needs is not None and needs.side == "simulated"
        way_out = "a new run (--out) with a larger --at-most" if is_short else "more people"
        talk.print(
            f"{ended.question.headline} not decided at the last look, and these looks cannot be taken again; {way_out} "
            f"may decide it{f' ({needs.words})' if needs and needs.words else ''}"
        )
    else:
        talk.print("not decided yet (the budget is spent); run the same command again to continue")
        raise typer.Exit(3)


def _said(number: int, look: TakenLook, question: Question) -> str:
    cost = f"; cost ${look.cost_usd:.4f}" if look.cost_usd else ""
    if look.cost_usd is None:
        cost = "; cost unknown"
    return (
        f"look {number} of {len(question.planned)}, {look.n:,} conversations per arm: {_verdict(look)}: "
        f"{plain(look.reason)}{cost}"
    )


def _verdict(look: TakenLook) -> str:
    from convsim.report.tables import VERDICTS

    more = look.needs.words if look.needs is not None else ""
    return VERDICTS[look.verdict] + (f", {more}" if more else "")
