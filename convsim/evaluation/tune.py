"""Finds weights of simulators, personas or tasks whose mixture lies nearest to people, and judges it on others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from convsim._async import in_a_thread, outside_loops
from convsim._progress import step
from convsim._text import plain
from convsim.errors import InputError
from convsim.evaluation.guards import find_overlap, mix_warnings
from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.evaluation.side_warnings import refuse_simulated_people
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.simulators import Simulators, named
from convsim.evaluation.tuning import Over, Part, Sampled, Tuning
from convsim.evaluation.validation import find_validators, judge
from convsim.evaluation.weighing import Measured, Weighed, left_out_warning
from convsim.io import Source
from convsim.io.provenance import own_version
from convsim.lifting import AnnotatorLike, ValidatorLike
from convsim.metrics import MetricLike, Metrics, find_metrics
from convsim.schema import Validator
from convsim.schema.conversation import Conversation
from convsim.seeds import child_seed

MIN_OF_A_RUN = 20
"""Conversations of a run: half are learned from, half judged."""
MIN_OF_A_PERSONA = 2
"""Conversations of a persona or task: one to learn from, one to judge on."""


@outside_loops
def tune(
    real: Source,
    runs: Simulators,
    *,
    seed: int,
    over: Over | None = None,
    validators: str | ValidatorLike | Iterable[str | ValidatorLike] | None = None,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    annotator: str | AnnotatorLike | None = None,
    allow_failures: bool = False,
) -> Tuning:
    """Find the weights that bring a mixture nearest to people, and say what it gains on people held out.

    People are halved by user, and simulated conversations too: weights are learned on the one half of both, and
    judged on the other.

    Args:
        real: The people's conversations.
        runs: The simulated sides, by name or in a row.
        seed: Random seed.
        over: What is weighed: ``runs``, or the ``personas`` or ``tasks`` of one run. By default runs where there are
            several, and personas where there is one.
        validators: Who judges conversations drawn by the weights; by default all that need not be asked for, and ``()``
            asks nobody.
        metrics: Compare these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+"
            before a name, or "default" among them, beside the built-in ones.
        tasks: Keep only these tasks on all sides; all by default.
        arms: Keep only these arms on all sides.
        annotator: Labels all sides first.
        allow_failures: Go on although more than 5 % of a side's conversations failed.

    Raises:
        InputError: A side cannot be read or learned from these people; fewer than 30 people in a half; too little to
            weigh; weights that collapse; or an event loop is running: there it is ``await convsim.atune(…)``.
        PluginError: No such validator or metric.
    """
    nobody = isinstance(validators, Sequence) and not validators
    chosen = [] if nobody else find_validators(validators)
    measured_by = find_metrics(metrics)
    selection = Selection(tasks=tasks, arms=arms, allow_failures=allow_failures)
    sources = named(runs)
    what: Over = over or ("runs" if len(sources) > 1 else "personas")
    people = Side.of(real, "real", selection).labelled_by(annotator, "real")
    refuse_simulated_people(people.conversations, ())
    sides = {
        name: Side.of(source, name, selection).labelled_by(annotator, name)
        for name, source in sources.items()
    }
    for name, side in sides.items():
        refuse_copyists(name, people, side)
    by_group = _groups(sides, what)
    with step(f"measuring people and {what}"):
        measured = Measured.of(
            people.conversations, by_group, seed=seed, metrics=measured_by, each_alone=what == "runs"
        )
    held = [c for side in sides.values() for c in side.conversations]
    warnings = [
        *people.warnings,
        *(warning for side in sides.values() for warning in side.warnings),
        *mix_warnings(people.conversations, held),
        *left_out_warning(measured),
        *_left_out(sides, by_group, what),
    ]
    with step(f"weighing {what}"):
        found = _tuning(measured, what, people, chosen, seed=seed, warnings=warnings)
    return found.but(members=_members(by_group)) if what == "tasks" else found


atune = in_a_thread(tune)


def refuse_copyists(name: str, people: Side, side: Side) -> None:
    """Refuse a run that learned from the people on whom it would be judged; raises InputError."""
    found = find_overlap(
        people.conversations, side.conversations, hashes=(people.summary.sha256, side.summary.sha256)
    )
    if found.reason:
        what = found.reason.partition(":")[0]
        raise InputError(
            f"{plain(name, limit=60)}: {what}: weights are neither learned from nor judged on people that a simulator "
            "copied; give people that it has not seen (convsim data split)"
        )


def _groups(sides: Mapping[str, Side], over: Over) -> dict[str, list[Conversation]]:
    """Return the conversations of each thing that is weighed; raises InputError where there is too little of it."""
    if over == "runs":
        if len(sides) < 2:
            raise InputError(
                "one run is no mixture: give two runs or more, or weigh its personas (--over personas)"
            )
        for name, side in sides.items():
            if (n := len(side.conversations)) < MIN_OF_A_RUN:
                raise InputError(
                    f"{plain(name, limit=60)} has {n} conversations, of which half are learned from and half judged; "
                    f"at least {MIN_OF_A_RUN} are needed (convsim simulate --add)"
                )
        return {name: list(side.conversations) for name, side in sides.items()}
    if len(sides) > 1:
        raise InputError(
            f"--over {over} takes one run, but {len(sides)} are given; the mixture is then of its {over}"
        )
    groups: dict[str, list[Conversation]] = {}
    for conversation in next(iter(sides.values())).conversations:
        persona = conversation.persona
        if persona is None:
            continue
        group = conversation.task if over == "tasks" else persona.id
        if group is not None:
            groups.setdefault(group, []).append(conversation)
    kept = {name: each for name, each in groups.items() if len(each) >= MIN_OF_A_PERSONA}
    if len(kept) < 2:
        raise InputError(
            f"{len(groups)} {over} are recorded, of which {len(kept)} have {MIN_OF_A_PERSONA} conversations or more, "
            "one to learn from and one to judge on; two or more are needed (convsim simulate --add)"
        )
    return kept


def _members(by_task: Mapping[str, Sequence[Conversation]]) -> dict[str, tuple[str, ...]]:
    """Name the personas of each task."""
    return {
        task: tuple(dict.fromkeys(c.persona.id for c in each if c.persona is not None))
        for task, each in by_task.items()
    }


def _left_out(
    sides: Mapping[str, Side], groups: Mapping[str, Sequence[Conversation]], over: Over
) -> list[str]:
    n, kept = sum(len(side.conversations) for side in sides.values()), sum(map(len, groups.values()))
    if n == kept:
        return []
    return [f"{n - kept} of {n} conversations are left out: their {over} have fewer than {MIN_OF_A_PERSONA}"]


def _tuning(
    measured: Measured,
    over: Over,
    people: Side,
    validators: Sequence[Validator],
    *,
    seed: int,
    warnings: Sequence[str],
) -> Tuning:
    """Learn the weights, judge them, and say what came of it."""
    is_runs = over == "runs"
    n_groups = len(measured.groups)
    equal = np.full(n_groups, 1 / n_groups) if is_runs else measured.base
    weighed = Weighed.of(measured, equal, seed=seed)
    weighed.check_collapse("run" if is_runs else over.removesuffix("s"))
    before, what = equal, "the equal mixture" if is_runs else "the run as it is"
    if is_runs and not weighed.is_one:
        before = weighed.nearest()
        what = f"the nearest run, {plain(measured.groups[int(before.argmax())], limit=40)}"
    gain, is_shown = weighed.gain(before, over=what)
    alone = np.eye(n_groups)
    sizes = np.bincount(measured.group_of)
    parts = [
        Part(
            name=name,
            n=int(sizes[index]),
            weight=float(weighed.weights[index]),
            distance=weighed.distance(alone[index]) if is_runs else None,
        )
        for index, name in enumerate(measured.groups)
    ]
    sampled = _sampled(weighed, people, validators, seed=seed) if validators else None
    return Tuning(
        over=over,
        outcome=weighed.outcome(is_shown=is_shown),
        real=people.summary,
        n_learned=measured.n_people[0],
        n_held_out=measured.n_people[1],
        metrics=measured.names,
        parts=tuple(parts),
        effective_size=weighed.effective_size,
        strength=weighed.strength(),
        before=weighed.distance(before),
        equal=weighed.distance(equal),
        after=weighed.distance(weighed.weights),
        gain=gain,
        sampled=sampled,
        warnings=tuple(warnings),
        seed=seed,
        made_by=MadeBy(convsim=own_version()),
    )


def _sampled(weighed: Weighed, people: Side, validators: Sequence[Validator], *, seed: int) -> Sampled:
    """Judge conversations drawn by the weights on the held-out people."""
    drawn = weighed.sample(seed=seed)
    rows = zip(weighed.measured.real.conversations, weighed.measured.halves[0][1], strict=True)
    held = {id(c) for c, is_held in rows if is_held}
    card = judge(
        people.keep(lambda c: id(c) in held),
        Side(drawn, SideSummary.of(drawn, path=None, sha256=None), ()),
        validators,
        seed=child_seed(seed, "tune", "validate"),
    )
    return Sampled(n=len(drawn), headlines=card.headlines)
