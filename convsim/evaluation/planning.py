"""Says what people can decide before anything is simulated: reads them, and asks every validator that can tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from convsim._async import in_a_thread, outside_loops, stop_if_left
from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import described
from convsim.errors import ConvsimError, InputError
from convsim.evaluation.layout import SECTIONS
from convsim.evaluation.planned import Plan
from convsim.evaluation.scorecard import MadeBy
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import find_validators
from convsim.io import Source
from convsim.io.provenance import own_version
from convsim.io.repeats import repeated_conversations
from convsim.lifting import AnnotatorLike, ValidatorLike
from convsim.metrics import MetricLike, Metrics, find_metrics, measure
from convsim.plugins import make
from convsim.schema import Corpus, PlannedFinding, Planner, Validator
from convsim.schema.conversation import Conversation

MULTIPLES = (1, 2, 5, 10)
"""Simulated conversations for each of people, unless other numbers are asked for."""
MOST_ASKED = 10_000_000
LOG = logger_of("convsim.validators")


@outside_loops
def plan(
    real: Source,
    *,
    seed: int,
    n_simulated: int | Sequence[int] | None = None,
    control: str | None = None,
    treatment: str | None = None,
    validators: str | ValidatorLike | Iterable[str | ValidatorLike] | None = None,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    annotator: str | AnnotatorLike | None = None,
    allow_failures: bool = False,
) -> Plan:
    """Say what these people can decide, and with how many simulated conversations, if the simulator is like them.

    Args:
        real: The people's conversations.
        seed: Random seed.
        n_simulated: Numbers of simulated conversations, in all; by default 1, 2, 5 and 10 times as many as people's.
        control: With ``treatment``: the arm to start from, where reactions are to be compared too.
        treatment: The arm to go to.
        validators: As ``validate`` has them; those that know nothing beforehand are named in ``not_planned``. With
            arms, one named ``counterfactual`` among them plans the reactions in place of the default one.
        metrics: As ``validate`` has them.
        tasks: Keep only these tasks; all by default.
        arms: Keep only these arms, for all but the reactions; all by default.
        annotator: Labels the conversations first, so that acts and experience are planned too.
        allow_failures: Go on although more than 5 % of the conversations failed.

    Raises:
        InputError: The people cannot be read, are none after the filters, or are simulated; or they lack an arm; or a
            number of simulated conversations is below 1; or an event loop is running already: there it is
            ``await convsim.aplan(…)``.
        PluginError: No such validator or metric.
    """
    sizes = _sizes(n_simulated)
    if (control is None) != (treatment is None):
        raise InputError("reactions are planned between two arms: name both, control and treatment")
    if control is not None and control == treatment:
        raise InputError(f"control and treatment are the same arm, {control!r}; name two")
    chosen, measured = find_validators(validators), find_metrics(metrics)
    reacting = [v for v in chosen if v.name == SECTIONS["shifts"]]
    chosen = [v for v in chosen if v.name != SECTIONS["shifts"]]
    read = Side.of(real, "real", Selection(tasks=tasks, allow_failures=allow_failures))
    repeated = repeated_conversations(read.conversations)
    warnings = [
        *read.warnings,
        *_simulated_people(read.conversations),
        *([f"real side: {repeated}"] if repeated else []),
    ]
    between = None
    if control is not None and treatment is not None:
        Side.of(read.conversations, "real", Selection(arms=(control, treatment)))  # both are there
        between = read.keep(lambda conversation: conversation.arm in (control, treatment))
        reacting = reacting or [make("validators", SECTIONS["shifts"], control=control, treatment=treatment)]
    if arms:
        Side.of(read.conversations, "real", Selection(arms=arms))
    side = read.keep(lambda conversation: not arms or conversation.arm in arms)
    corpus = measure(side.labelled_by(annotator, "real").conversations, metrics=measured)
    asked = _Asked(sizes, seed)
    found = asked.of_all(chosen, corpus)
    if between is not None:
        two_arms = measure(between.labelled_by(annotator, "real").conversations, metrics=measured)
        found += asked.of_all(reacting, two_arms)
    warnings += [f"{name} could not be measured: {why}" for name, why in corpus.failed.items()]
    return Plan(
        real=side.summary,
        n_units_real=len({str(unit) for unit in corpus.units}),
        seed=seed,
        made_by=MadeBy(convsim=own_version()),
        control=control,
        treatment=treatment,
        warnings=tuple(warnings),
        findings=tuple(found),
        not_planned=tuple(asked.not_planned),
        failed=tuple(asked.failed),
    )


aplan = in_a_thread(plan)


class _Asked:
    """Asks validators for their plans, and keeps what has none or raised."""

    def __init__(self, sizes: Sequence[int] | None, seed: int) -> None:
        self.sizes, self.seed = sizes, seed
        self.not_planned: list[str] = []
        self.failed: list[str] = []

    def of_all(self, validators: Sequence[Validator], people: Corpus) -> list[PlannedFinding]:
        found: list[PlannedFinding] = []
        with step("planning", len(validators)) as at:
            for validator in validators:
                at.at(now=str(validator.name))
                found += self._of(validator, people)
                at.advance()
        return found

    def _of(self, validator: Validator, people: Corpus) -> Iterator[PlannedFinding]:
        stop_if_left()
        if not isinstance(validator, Planner):
            self.not_planned.append(validator.name)
            return
        sizes = self.sizes or [times * len(people) for times in MULTIPLES]
        try:
            yield from validator.plan(people, n_simulated=sizes, seed=self.seed)
        except ConvsimError:
            raise
        except (Exception, SystemExit) as error:
            LOG.exception("the validator %s failed to plan", validator.name)
            self.failed.append(f"the validator {validator.name} failed: {described(error)}")


def _sizes(asked: int | Sequence[int] | None) -> list[int] | None:
    if asked is None:
        return None
    sizes = sorted({asked} if isinstance(asked, int) else {*asked})
    if not sizes or sizes[0] < 1 or sizes[-1] > MOST_ASKED:
        wrong = next((n for n in sizes if not 1 <= n <= MOST_ASKED), "none")
        raise InputError(f"simulated conversations: expected numbers from 1 to {MOST_ASKED:,}, got {wrong}")
    return sizes


def _simulated_people(conversations: Sequence[Conversation]) -> list[str]:
    """Warn of conversations that name a simulator; raises InputError where all do."""
    names = sorted({c.simulator for c in conversations if c.simulator is not None})
    if not names:
        return []
    n = sum(c.simulator is not None for c in conversations)
    said = f"{n} of {len(conversations)} conversations name a simulator ({names[0][:40]})"
    if n == len(conversations):
        raise InputError(f"{said}: a plan says what people can decide; give conversations of people")
    return [f"{said}: they are counted as people here; leave them out"]
