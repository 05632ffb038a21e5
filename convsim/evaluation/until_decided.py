"""Holds simulated conversations, look by look, until one headline is decided or no look is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from convsim._text import listed
from convsim.errors import ConvsimError, InputError, StudyError
from convsim.evaluation.guards import find_overlap, mix_warnings
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.looks import Looks, Question, TakenLook, most_conversations, plan_looks
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import judge
from convsim.io import MANIFEST, Growth, Source, Transcripts, current_n, read, read_source
from convsim.lifting import AnnotatorLike
from convsim.plugins import make
from convsim.schema import HeadlineName, Validator
from convsim.schema.conversation import Conversation, used_tokens
from convsim.schema.units import independent_unit
from convsim.simulation import Outcome, Study, opened

LEAST, LEAST_AN_ARM = 30, 40
"""Independent people, and conversations per arm at a first look, with fewer of which a validator decides nothing; the
second in each arm, where arms are compared."""
MAX_NAMED = 8

Hold = Callable[[Study, Growth | None], Outcome]
"""Holds what is missing of a study, which may be the folder's made larger."""


@dataclass(frozen=True)
class Ended:
    """How it ended; ``stopped``: conversations are missing, or too many failed, and the same call goes on."""

    question: Question
    how: Literal["decided", "undecided", "budget", "stopped"]
    outcome: Outcome | None
    """Of the last conversations that were held; None where none were."""


@dataclass(frozen=True, kw_only=True)
class UntilDecided:
    """One headline, asked of a study's run each time that it has grown by half, at error rates fixed beforehand.

    Looking at data again and again until a verdict comes gives false ones: here all looks together err as often as one
    (``convsim.stats.spending``). What was found stands in ``looks.json`` of the run folder; the same call goes on with
    the same looks, and no look is taken twice.

    Args:
        study: Its ``n`` is where looks begin.
        people: Whom the simulator is judged on; it must not have learned from them.
        headline: habits, words, coherence, diversity or reactions.
        at_most: Conversations an arm at the last look; by default ten times the people's, and 2,000 at most.
        control: For reactions, the arm to start from; by default the study's first.
        treatment: For reactions, the arm to go to; by default the study's second.
        annotator: Labels both sides first; by default nothing does.
        allow_failures: Go on although more than 5 % of the conversations failed.
        grown: Makes the study larger; by default its personas are taken again and again.
    """

    study: Study
    people: Source
    headline: HeadlineName
    at_most: int | None = None
    control: str | None = None
    treatment: str | None = None
    annotator: str | AnnotatorLike | None = None
    allow_failures: bool = False
    grown: Callable[[Study, int], Study] = lambda study, n: replace(study, n=n)

    def prepared(self, folder: Path | str) -> Looking:
        """Check that the headline can be decided, and plan its looks or take up those that were planned.

        Raises:
            InputError: Fewer than 30 people, people that the shopper learned from, or an arm that is not there.
            StudyError: The looks in ``folder`` were planned otherwise.
        """
        path = Path(folder)
        people = read_source(self.people)
        arms = self._arms(people.conversations if isinstance(people, Transcripts) else people)
        real = Side.of(people, "real", Selection(arms=arms, allow_failures=self.allow_failures))
        n_people = self._n_people(real, arms)
        self._check_overlap(
            real, [opened(p).but(learned_from=p.learned_from) for p in self.study.planned(repeats=1)]
        )
        looks = Looks.read(path)
        known = looks.of(self.headline)
        first = known.first if known else current_n(path, self.study.n)
        at_most = most_conversations(n_people, first) if self.at_most is None else self.at_most
        _check_sizes(first, at_most, least_for(self.headline))
        question = Question(
            headline=self.headline, people_sha256=real.summary.sha256, n_people=n_people, seed=self.study.seed,
            arms=arms, annotator=_name_of(self.annotator), first=first, at_most=at_most,
            planned=known.planned if known else plan_looks(n_people, first, at_most),
        )  # fmt: skip
        if known and (changed := known.differs_from(question)):
            raise StudyError(
                f"{path}: its looks at {self.headline} were planned otherwise ({changed}), and looks are fixed before "
                "the first; repeat the original command, or name another --out"
            )
        return Looking(
            self, path, real.labelled_by(self.annotator, "real"), self.annotator, looks, known or question
        )

    def _arms(self, people: Sequence[Conversation]) -> tuple[str, ...]:
        """Return the arms that are judged: control and treatment for reactions, else those that both sides have."""
        names = [arm.name for arm in self.study.conditions]
        if self.headline != "reactions":
            if self.control or self.treatment:
                raise InputError(f"--control and --treatment are for reactions, not for {self.headline}")
            return tuple(name for name in names if name in {c.arm for c in people})
        if len(names) < 2:
            raise InputError("reactions need two arms, such as --arm good --fault bad; the study has one")
        control = self.control or names[0]
        treatment = self.treatment or next(name for name in names if name != control)
        for arm in (control, treatment):
            if arm not in names:
                raise InputError(f"the study has no arm {arm!r}; it has: {listed(names, MAX_NAMED)}")
        if control == treatment:
            raise InputError(f"control and treatment are the same arm, {control!r}; name two")
        return control, treatment

    def _n_people(self, real: Side, arms: Sequence[str]) -> int:
        """Count people's conversations, of the smaller arm where arms are compared; raises InputError for too few."""
        people, compared = list(real.conversations), self.headline == "reactions"
        sides = [[c for c in people if c.arm == arm] for arm in arms] if compared else [people]
        units = min(len({independent_unit(c) for c in side}) for side in sides)
        if units < (least := least_for(self.headline)):
            raise InputError(
                f"{self.headline}: {units} people{' in an arm' if compared else ''} are too few to decide it, however "
                f"many conversations are simulated; it needs more people, at least {least}"
            )
        return min(map(len, sides))

    def _check_overlap(self, real: Side, simulated: Sequence[Conversation]) -> None:
        found = find_overlap(real.conversations, simulated, hashes=(real.summary.sha256, None))
        if found.reason:
            raise InputError(
                f"{self.headline}: the shopper is not judged on people that it learned from: divide them with convsim "
                "data split, learn from one half (--real) and judge on the other (--judged-on)"
            )


@dataclass
class Looking:
    """A question on its way; made by ``UntilDecided.prepared``."""

    asked: UntilDecided
    folder: Path
    real: Side
    annotator: str | AnnotatorLike | None
    looks: Looks
    question: Question
    warnings: Counter[str] = field(default_factory=Counter)
    """What the looks so far warned of, and how many of them."""
    _labelled: dict[str, Conversation] = field(default_factory=dict)

    def run(
        self, hold: Hold | None = None, *, on_look: Callable[[TakenLook], None] = lambda look: None
    ) -> Ended:
        """Hold and look until a look decides, none is left, or conversations are missing.

        Args:
            hold: Holds what is missing of a study; ``Study.run`` by default.
            on_look: Is told of each look.

        Raises:
            InputError: The headline cannot be judged on these conversations.
            ConvsimError: The validator failed.
        """
        hold = hold or (lambda study, growth: study.run(self.folder, add=growth))
        outcome, spent = None, 0.0
        while self.question.decided is None and len(self.question.looks) < len(self.question.planned):
            n = self.question.planned[len(self.question.looks)].n
            for study, growth in self._to_hold(n):
                budget = self.asked.study.budget_usd
                if budget is not None and spent >= budget:
                    return Ended(self.question, "budget", outcome)
                if (
                    self.folder / MANIFEST
                ).exists():  # before it grows: the looks are those that were planned first
                    self.looks = self.looks.write(self.folder, self.question)
                left = None if budget is None else budget - spent
                outcome = hold(replace(study, budget_usd=left), growth)
                spent += outcome.cost_usd or 0.0
                if outcome.missing or (outcome.too_many_failed and not self.asked.allow_failures):
                    return Ended(self.question, "stopped", outcome)
            look = self._look()
            self.question = self.question.but(looks=(*self.question.looks, look))
            self.looks = self.looks.write(self.folder, self.question)
            on_look(look)
        return Ended(self.question, "decided" if self.question.decided else "undecided", outcome)

    def _to_hold(self, n: int) -> Iterable[tuple[Study, Growth | None]]:
        """Yield what has to be held for a look at ``n`` conversations an arm; a new run begins as it was planned."""
        study, is_new = self.asked.study, not (self.folder / MANIFEST).exists()
        if is_new:
            yield study, None
        now = current_n(self.folder, study.n)
        if now < n:
            yield self.asked.grown(study, n), Growth(now, n)
        elif not is_new:
            yield (study if now == study.n else self.asked.grown(study, now)), None

    def _look(self) -> TakenLook:
        """Judge the run as it was planned for the next look, at that look's error rate."""
        planned = self.question.planned[len(self.question.looks)]
        conversations = self._planned_at(planned.n)
        self.asked._check_overlap(self.real, conversations)
        selection = Selection(arms=self.question.arms, allow_failures=self.asked.allow_failures)
        simulated = Side.of(conversations, "simulated", selection)
        simulated = replace(simulated, conversations=self._with_labels(simulated))
        card = judge(
            self.real, simulated, [self._validator(planned.error_rate)], seed=self.question.seed,
            warnings=mix_warnings(self.real.conversations, simulated.conversations),
        )  # fmt: skip
        self.warnings.update(card.warnings)
        validator, metric = STANDS_ON[self.question.headline]
        finding = next((f for f in card.findings if (f.validator, f.metric) == (validator, metric)), None)
        if finding is None:
            failed = next((f.reason for f in card.failed), None)
            if failed:
                raise ConvsimError(failed)
            raise InputError(
                f"{self.question.headline} cannot be judged: {validator} finds no {metric} in these conversations"
            )
        headline = next(each for each in card.headlines if each.name == self.question.headline)
        return TakenLook(
            n=planned.n, n_simulated=len(simulated.conversations), verdict=headline.verdict, reason=headline.reason,
            estimate=finding.estimate, interval=finding.interval, needs=headline.needs, cost_usd=_cost(conversations),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip

    def _planned_at(self, n: int) -> list[Conversation]:
        """Return the run's conversations that a run of ``n`` would hold, in the order of the plan."""
        held = {c.id: c for c in read(self.folder).conversations}
        study = self.asked.study if n == self.asked.study.n else self.asked.grown(self.asked.study, n)
        return [held[planned.id] for planned in study.planned() if planned.id in held]

    def _with_labels(self, side: Side) -> Sequence[Conversation]:
        """Label what no look before has labelled."""
        if self.annotator is None:
            return side.conversations
        new = [c for c in side.conversations if c.id not in self._labelled]
        if new:
            labelled = replace(side, conversations=new).labelled_by(self.annotator, "simulated")
            self._labelled.update({c.id: c for c in labelled.conversations})
        return [self._labelled[c.id] for c in side.conversations]

    def _validator(self, alpha: float) -> Validator:
        is_shift = self.question.headline == "reactions"
        settings = dict(zip(("control", "treatment"), self.question.arms, strict=True)) if is_shift else {}
        return make("validators", STANDS_ON[self.question.headline][0], alpha=alpha, **settings)


def least_for(headline: str) -> int:
    """Return how many people, and how many conversations per arm at a first look, a headline needs at least."""
    return LEAST_AN_ARM if headline == "reactions" else LEAST


def _check_sizes(first: int, at_most: int, least: int) -> None:
    if first < least:
        raise InputError(f"--n {first}: a first look needs at least {least} conversations per arm")
    if at_most < first:
        raise InputError(
            f"--at-most {at_most:,} is less than the {first:,} conversations per arm of the first look"
        )


def _name_of(annotator: str | AnnotatorLike | None) -> str | None:
    if annotator is None or isinstance(annotator, str):
        return annotator
    return str(getattr(annotator, "name", None) or getattr(annotator, "__name__", type(annotator).__name__))


def _cost(conversations: Sequence[Conversation]) -> float | None:
    """Add up what conversations cost; None where a price is not known."""
    usages = [c.usage for c in conversations if c.usage is not None]
    if any(usage.cost_usd is None and used_tokens(usage) for usage in usages):
        return None
    return float(sum(usage.cost_usd or 0.0 for usage in usages))
