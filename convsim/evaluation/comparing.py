"""Compares several simulators with the same people, and says what each costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from convsim._async import in_a_thread, outside_loops
from convsim._progress import step
from convsim._text import path_text
from convsim.errors import InputError
from convsim.evaluation.budgets import Budget, budgets_of, within
from convsim.evaluation.closeness import APART
from convsim.evaluation.comparison import (
    Comparison,
    CostAxis,
    LearnedFile,
    People,
    SimulatorReport,
)
from convsim.evaluation.cost import with_requests
from convsim.evaluation.guards import mix_warnings
from convsim.evaluation.kept import Kept
from convsim.evaluation.layout import SECTIONS
from convsim.evaluation.leakage import Copied, Copying
from convsim.evaluation.on_ray import on_engine
from convsim.evaluation.pareto import Apart, Candidate, LeanerPair, OnFront, leaner_pairs, places
from convsim.evaluation.pooling import Run, advice, pooled, spread, told_of_reading
from convsim.evaluation.scorecard import MadeBy, Scorecard
from convsim.evaluation.scores import measured_together, simulator_report, simulator_scores
from convsim.evaluation.sides import Side
from convsim.evaluation.simulators import (
    ComparedSide,
    Loaded,
    Question,
    Simulators,
    loaded,
    named,
    require_all,
    settings_of,
)
from convsim.evaluation.spending import run_use
from convsim.evaluation.validation import find_validators, judge
from convsim.evaluation.versions import versions_between
from convsim.io import Source, Transcripts
from convsim.io.provenance import own_version
from convsim.lifting import AnnotatorLike, ValidatorLike
from convsim.metrics import MetricLike, Metrics, find_metrics
from convsim.plugins import make
from convsim.schema import Finding, SimulatorScore, Validator
from convsim.schema.versions import Versions


def with_places(
    reports: Sequence[SimulatorReport], standings: Sequence[SimulatorScore]
) -> tuple[CostAxis | None, list[SimulatorReport], list[LeanerPair]]:
    """Place simulators between realism and cost.

    Returns:
        What cost is measured in (US dollars if every simulator has a price and one is above 0, else seconds; None where
        nobody states either), the reports with their places, and the pairs of which one costs less.
    """
    axis = _axis(reports)
    candidates = [_candidate(report, axis) for report in reports if not report.is_over_budget]
    differences = {
        (s.simulator, s.against): Apart(s.estimate, s.interval)
        for s in standings
        if s.metric == APART and s.against is not None and s.estimate is not None
    }
    where = places(candidates, differences)
    for report in reports:
        if report.budget is not None and report.is_over_budget:
            where[report.name] = OnFront(place="off", reason=f"over the budget: {report.budget.reason}")
    return axis, [r.but(front=where[r.name]) for r in reports], leaner_pairs(candidates, differences)


def _axis(reports: Sequence[SimulatorReport]) -> CostAxis | None:
    judged = [report for report in reports if report.not_judged is None]
    prices = [report.cost.cost_usd for report in judged]
    if any(prices) and None not in prices:  # where all are free, time alone tells them apart
        return "cost_usd"
    return "seconds" if any(report.cost.seconds is not None for report in judged) else None


def _candidate(report: SimulatorReport, axis: CostAxis | None) -> Candidate:
    distance = report.mean_distance.estimate
    cost = None if axis is None else {"cost_usd": report.cost.cost_usd, "seconds": report.cost.seconds}[axis]
    reasons = []
    if distance is None:
        reasons.append(f"its distance from people is unknown: {report.mean_distance.reason}")
    if cost is None:
        why = report.cost.reasons.get(axis or "seconds", "no cost is recorded")
        reasons.append(f"its cost is unknown: {why}")
    noise = None if axis is None else report.cost.intervals.get(axis)
    return Candidate(report.name, distance, cost, "; ".join(reasons), noise)


UNPRICED, FREE = "not every simulator has a price", "no simulator costs money"
SECONDS = (
    "{}, so cost is measured in seconds, waiting included: compare them only where machine, server and concurrency "
    "were the same"
)


def _on_axis(axis: CostAxis | None, reports: Sequence[SimulatorReport]) -> Iterator[str]:
    """Warn where several simulators are compared by the clock."""
    if axis == "seconds" and len(reports) > 1:
        is_free = all(report.cost.cost_usd == 0 for report in reports if report.not_judged is None)
        yield SECONDS.format(FREE if is_free else UNPRICED)


@outside_loops
def compare(  # noqa: PLR0913  (what can be asked of a comparison)
    real: Source,
    simulators: Simulators,
    *,
    seed: int,
    validators: str | ValidatorLike | Iterable[str | ValidatorLike] | None = None,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    control: str | None = None,
    treatment: str | None = None,
    learned: Sequence[Source] = (),
    before: str | Literal[False] | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    annotator: str | AnnotatorLike | None = None,
    pool_seeds: bool | str = False,
    budget: Sequence[str | Budget] = (),
    allow_overlap: bool = False,
    allow_failures: bool = False,
    cache: bool = True,
    on_cached: Callable[[str], None] | None = None,
    engine: str = "local",
    address: str | None = None,
) -> Comparison:
    """Hold simulators against the same people, side by side: realism, reactions, copying and cost.

    Where two arms are named, all but the reactions is computed on the control arm alone, unless ``arms`` says
    otherwise: people and simulators may have met the arms in different proportions, and a simulator that does not react
    to the treated arm would be blamed for it twice.

    Args:
        real: The people's conversations.
        simulators: The simulated sides, by name or in a row; one alone is compared with people and itself.
        seed: Random seed.
        validators: Names, classes or instances, one or several; by default all that need not be asked for. With two
            arms, ``()`` asks for reactions alone.
        metrics: Judge these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+" before
            a name, or "default" among them, beside the built-in ones. By default the built-in ones and every label.
        control: The arm to start from in the shift test; none is made without.
        treatment: The arm to go to.
        learned: What shoppers learned from, all together: tells who says it again word for word.
        before: The simulator that the others are later versions of: what got better and what got worse from it to each.
            Of two simulators, the first by default; of more, none. False: they are no versions of one another.
        tasks: Keep only these tasks on all sides; all by default.
        arms: Keep only these arms on all sides.
        annotator: Labels all sides first, each conversation once.
        pool_seeds: Put run folders together whose plans differ in nothing but the seed; each of these simulators then
            says how far its runs are from people one by one. A text is what runs are called together whose names have
            nothing in common but the seed.
        budget: What a simulator may take, such as ``["latency_p90=1.5s", "usd=0.02"]``: who takes more is in no ranking
            and not on the Pareto front; of whom it is not known stays in both, and is marked. Latency is of a user
            message and energy (``wh``) of a conversation, as the manifest of the run folder has them.
        allow_overlap: Judge simulators even on conversations that they learned from.
        allow_failures: Go on although more than 5 % of a side's conversations failed.
        cache: Keep each simulator's findings beside its file, and take those of the same conversations, as
            ``validate`` does. What holds simulators against one another is computed each time.
        on_cached: Told in a sentence, for each simulator, what was not computed anew.
        engine: "local", or "ray": each validator, and what is long within it, is a task of a Ray cluster. What is found
            is the same.
        address: ``HOST:PORT`` of a Ray cluster that this machine has joined; without one, one is started here, and
            stopped in the end.

    Raises:
        InputError: A side cannot be read, is empty after the filters, failed too often or stands there twice; or the
            people lack an arm; or no runs can be pooled; or an event loop is running already: there it is
            ``await convsim.acompare(…)``.
        PluginError: No such validator or metric.
        MissingExtraError: Ray is wanted, and is not installed.
        ConvsimError: The Ray cluster cannot be used, or lost a part of the work time and again.
    """
    reactions_alone = control is not None and isinstance(validators, Sequence) and not validators
    chosen = [] if reactions_alone else find_validators(validators)
    measured, bounds = find_metrics(metrics), budgets_of(budget)
    question = Question(
        tasks=tasks, arms=arms, control=control, treatment=treatment, allow_failures=allow_failures
    )
    sources = named(simulators)
    advised = advice(sources) if not pool_seeds else []
    if pool_seeds:
        sources, runs = pooled(sources, pool_seeds if isinstance(pool_seeds, str) else "")
    else:
        runs = {}
    if isinstance(before, str) and before not in sources:
        raise InputError(f"before: no simulator is called {before!r}; there are {', '.join(sources)}")
    known = [loaded(source) for source in learned]
    people = ComparedSide.of(loaded(real), "real", question, annotator)
    require_all(people, question)
    entries = [ComparedSide.of(source, name, question, annotator) for name, source in sources.items()]
    with step("looking for copies", len(entries)) as at:
        copying = Copying.of(people.compared, [each.compared for each in entries], known)
        copied = {}
        for each in entries:
            at.at(now=each.name)
            copied[each.name] = copying.by_simulator(each.compared)
            at.advance()
    fit = {
        each.name: each.compared
        for each in entries
        if each.not_judged is None and (allow_overlap or copied[each.name].overlap.reason is None)
    }
    with on_engine(engine, address):
        standings = simulator_scores(chosen, people.compared, fit, seed=seed, metrics=measured)
        judging = _Judging(
            people,
            chosen,
            question,
            seed=seed,
            metrics=measured,
            allow_overlap=allow_overlap,
            cache=cache,
            on_cached=on_cached,
        )
        reports = []
        with step("comparing with people", len(entries), unit="simulators") as at:
            for each in entries:
                at.at(now=each.name)
                reports.append(
                    simulator_report(
                        each, copied[each.name], copying.people, standings.all,
                        validation=judging.validation(each), shift=judging.shift(each), known=people.compared.warnings,
                    )
                )  # fmt: skip
                at.advance()
        reports = [
            each.but(
                seeds=spread(
                    runs[each.name], people.compared, fit.get(each.name), chosen, seed=seed, metrics=measured
                )
            )
            if each.name in runs
            else each
            for each in reports
        ]
    reports = [_with_use_of(runs.get(each.name, ()), each) for each in reports]
    reports = [_with_plan_of(sources[each.name], each) for each in reports]
    reports = [
        each.but(budget=within(bounds, each.cost, each.validation.run if each.validation else None))
        for each in reports
    ]
    earlier = before if before is not None or len(sources) != 2 else next(iter(sources))
    axis, reports, leaner = with_places(reports, standings.all)
    return Comparison(
        seed=seed,
        made_by=MadeBy(convsim=own_version()),
        people=_people_report(people, copying.people),
        arms=question.compared,
        control=control,
        treatment=treatment,
        learned=tuple(map(_learned_file, known)),
        cost_axis=axis,
        simulators=tuple(reports),
        leaner=tuple(leaner),
        standings=standings.all,
        budget=bounds,
        versions=_versions(earlier, reports, people.compared, fit, measured) if earlier else (),
        failed=tuple(dict.fromkeys([*standings.failed, *_raised(reports)])),
        warnings=(
            *people.compared.warnings,
            *(warning for group in runs.values() for warning in told_of_reading(group)),
            *standings.warnings,
            *advised,
            *_on_axis(axis, reports),
        ),
    )


acompare = in_a_thread(compare)


def _versions(
    earlier: str,
    reports: Sequence[SimulatorReport],
    people: Side,
    fit: Mapping[str, Side],
    metrics: Metrics,
) -> tuple[Versions, ...]:
    """Say what changed from one simulator to each other; nothing where it, or the other, cannot be judged."""
    findings = {each.name: _findings(each) for each in reports if each.name in fit}
    later = [name for name in findings if name != earlier]
    if earlier not in findings or not later:
        return ()
    real, corpora = measured_together(people, {name: fit[name] for name in findings}, metrics)
    sides = {name: (name, of, (real, corpora[name])) for name, of in findings.items()}
    return tuple(versions_between(sides[earlier], sides[name]) for name in later)


def _findings(report: SimulatorReport) -> list[Finding]:
    cards = (report.validation, report.counterfactual)
    return [finding for card in cards if card is not None for finding in card.findings]


@dataclass(frozen=True)
class _Judging:
    """Makes each simulator's scorecards, all with the same people, validators and seed."""

    people: ComparedSide
    validators: Sequence[Validator]
    question: Question
    _: KW_ONLY
    seed: int
    metrics: Metrics
    allow_overlap: bool
    cache: bool
    on_cached: Callable[[str], None] | None

    def validation(self, entry: ComparedSide) -> Scorecard | None:
        """Judge a simulator on the compared arms; None where it has no part there."""
        if entry.not_judged is not None:
            return None
        sides = self.people.compared, entry.compared
        warnings = mix_warnings(*(side.conversations for side in sides))
        return self._judged(sides, self.validators, warnings)

    def shift(self, entry: ComparedSide) -> Scorecard | None:
        """Ask for a simulator's reactions; None where no arms are named or it lacks one."""
        if self.people.shift is None or entry.shift is None:
            return None
        settings = {"control": self.question.control, "treatment": self.question.treatment}
        validator = make("validators", SECTIONS["shifts"], **settings)
        return self._judged((self.people.shift, entry.shift), [validator])

    def _judged(
        self, sides: tuple[Side, Side], validators: Sequence[Validator], warnings: Iterable[str] = ()
    ) -> Scorecard:
        kept = Kept.of(*sides) if self.cache else None
        card = judge(
            *sides, validators, seed=self.seed, metrics=self.metrics, warnings=warnings,
            allow_overlap=self.allow_overlap, kept=kept,
        )  # fmt: skip
        if kept and self.on_cached and kept.told:
            self.on_cached(kept.told)
        return card


def _with_use_of(runs: Sequence[Run], report: SimulatorReport) -> SimulatorReport:
    """Let the scorecard of a simulator whose runs were pooled say what all of them asked of their models."""
    card = report.validation
    if not runs or card is None:
        return report
    return report.but(validation=card.but(run=run_use(*(run.source.path for run in runs))))


def _with_plan_of(source: Loaded, report: SimulatorReport) -> SimulatorReport:
    """Let a simulator's report say how many requests its run sent, and what its shopper was set to."""
    run = report.validation.run if report.validation else None
    cost = with_requests(report.cost, run, shoppers=report.shoppers, n=report.side.n + report.failures)
    return report.but(cost=cost, settings=settings_of(source))


def _raised(reports: Iterable[SimulatorReport]) -> Iterator[str]:
    """Yield the validators that raised while a simulator was judged."""
    for report in reports:
        for card in (report.validation, report.counterfactual):
            yield from (finding.validator for finding in card.failed) if card else ()


def _people_report(people: ComparedSide, copied: Copied) -> People:
    return People(
        side=people.compared.summary,
        failures=people.n_failed,
        endings=dict(sorted(Counter(c.ending for c in people.compared.conversations).items())),
        titles_named_early=copied.titles,
        memorisation=copied.memorisation,
        nearness=copied.nearness,
    )


def _learned_file(source: Loaded) -> LearnedFile:
    if isinstance(source, Transcripts):
        return LearnedFile(path=path_text(source.path), sha256=source.sha256, n=len(source.conversations))
    return LearnedFile(path=None, sha256=None, n=len(source))
