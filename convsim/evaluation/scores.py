"""What is said of one simulator in a comparison: its scorecards in a few numbers, and its scores beside others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from convsim._async import stop_if_left
from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import described
from convsim.errors import ConvsimError
from convsim.evaluation.comparison import Distance, JudgedEstimate, Reactions, SimulatorReport, Verdicts
from convsim.evaluation.cost import cost_of
from convsim.evaluation.layout import (
    MEAN_DISTANCE,
    RELATIVE_HLS,
    SECTIONS,
    WORDS_VIEW,
    in_section,
    is_shift_of_one_metric,
    section_of,
)
from convsim.evaluation.leakage import Copied
from convsim.evaluation.pareto import OnFront
from convsim.evaluation.scorecard import Scorecard
from convsim.evaluation.sides import Side
from convsim.evaluation.simulators import ComparedSide
from convsim.metrics import Metrics, measure_both
from convsim.schema import (
    FAILING,
    Comparer,
    Corpus,
    Finding,
    HumanBaseline,
    SimulatorScore,
    Validator,
)
from convsim.schema.conversation import Conversation
from convsim.schema.details import AgreementDetails, JointDetails, RatioDetails
from convsim.stats.proportions import difference

LOG = logger_of("convsim.validators")


def verdicts(findings: Iterable[Finding]) -> Verdicts:
    """Count what judged findings came to; controls, and what failed, are left out."""
    judged = [f for f in findings if not f.is_control and f.verdict != "failed"]
    different = sum(f.verdict in FAILING for f in judged)
    undecided = sum(f.verdict == "undecided" for f in judged)
    counts = {"aligned": len(judged) - different - undecided, "different": different, "undecided": undecided}
    shares = {f"share_{name}": count / len(judged) for name, count in counts.items()} if judged else {}
    return Verdicts.model_validate({"n": len(judged), **counts, **shares})


def distances(findings: Iterable[Finding]) -> tuple[Distance, ...]:
    """Return the Kolmogorov-Smirnov distance of each judged metric of ``marginals``."""
    return tuple(
        Distance(
            metric=f.metric, ks=f.estimate, interval=f.interval, verdict=f.verdict, noise_floor=f.noise_floor,
            reason=f.reason,
        )
        for f in findings
        if section_of(f) == "habits" and not f.is_control
    )  # fmt: skip


def hls(findings: Iterable[Finding]) -> JudgedEstimate:
    """Return the human-likeness score."""
    found = next((f for f in in_section(findings, "recognition") if f.metric == WORDS_VIEW), None)
    return _estimate(found, f"the validator {SECTIONS['recognition']} was not run")


def score_of(
    standings: Sequence[SimulatorScore], validator: str, metric: str, name: str, why_none: str | None
) -> JudgedEstimate:
    """Return one simulator's own score; where there is none, with ``why_none`` if that is known."""
    found = _score(standings, validator, metric, name)
    if found is not None and (found.estimate is not None or why_none is None):
        return JudgedEstimate(estimate=found.estimate, interval=found.interval, reason=found.reason)
    return JudgedEstimate(reason=why_none or f"no validator gives it a score ({validator}: {metric})")


def baseline_of_score(
    standings: Sequence[SimulatorScore], validator: str, metric: str, name: str
) -> HumanBaseline | None:
    """Return the human baseline of one simulator's own score; None where it has none."""
    found = _score(standings, validator, metric, name)
    stated = found.details.get("noise_floor") if found else None
    return HumanBaseline.model_validate(stated) if isinstance(stated, dict) else None


def _score(
    standings: Sequence[SimulatorScore], validator: str, metric: str, name: str
) -> SimulatorScore | None:
    asked = (validator, metric, name, None)
    return next((s for s in standings if (s.validator, s.metric, s.simulator, s.against) == asked), None)


def reactions(card: Scorecard | None, reason: str) -> Reactions:
    """Return what came of the shift test; ``reason`` says why it was not asked where there is no scorecard."""
    if card is None:
        return Reactions(agreement=JudgedEstimate(reason=reason), reason=reason)
    joint = next((f for f in card.judged if isinstance(f.details, JointDetails)), None)
    agreement = next((f for f in card.judged if isinstance(f.details, AgreementDetails)), None)
    ratio = next((f for f in card.judged if isinstance(f.details, RatioDetails)), None)
    counts = Counter(f.verdict for f in card.judged if is_shift_of_one_metric(f))
    return Reactions(
        agreement=_estimate(agreement, "no metric could be judged"),
        ratio=_estimate(ratio, "no metric could be judged"),
        joint_p=joint.p_value if joint else None,
        counts=dict(sorted(counts.items())),
    )


def _estimate(finding: Finding | None, otherwise: str) -> JudgedEstimate:
    if finding is None:
        return JudgedEstimate(reason=otherwise)
    return JudgedEstimate(
        estimate=finding.estimate, interval=finding.interval, verdict=finding.verdict, reason=finding.reason
    )


@dataclass(frozen=True)
class SimulatorScores:
    """What validators said of all simulators, and which of them raised."""

    all: tuple[SimulatorScore, ...] = ()
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def simulator_scores(
    validators: Iterable[Validator],
    people: Side,
    simulators: Mapping[str, Side],
    *,
    seed: int,
    metrics: Metrics,
) -> SimulatorScores:
    """Ask every validator that compares; one that raises is a warning, and loses no other's work.

    Labels are read by the same source on all sides: all simulators are measured at once, and then told apart.
    """
    comparers = [validator for validator in validators if isinstance(validator, Comparer)]
    if not comparers or not simulators:
        return SimulatorScores()
    real, corpora = measured_together(people, simulators, metrics)
    found: list[SimulatorScore] = []
    failed: list[str] = []
    warnings: list[str] = []
    with step("scoring the simulators", len(comparers)) as at:
        for comparer in comparers:
            at.at(now=str(comparer.name))
            stop_if_left()
            try:
                found += comparer.compare(real, corpora, seed=seed)
            except ConvsimError:
                raise
            except (
                Exception,
                SystemExit,
            ) as error:  # somebody else's validator: whatever it raises is a warning
                failed.append(comparer.name)
                warnings.append(f"{comparer.name} failed to compare the simulators: {described(error)}")
                at.fail(warnings[-1], LOG)
            at.advance()
    return SimulatorScores(tuple(found), tuple(failed), tuple(warnings))


def measured_together(
    people: Side, simulators: Mapping[str, Side], metrics: Metrics
) -> tuple[Corpus, dict[str, Corpus]]:
    """Measure people and several simulators, labels by the same source on all sides."""
    everybody = [c for side in simulators.values() for c in side.conversations]
    real, pooled = measure_both(people.conversations, everybody, metrics=metrics)
    corpora: dict[str, Corpus] = {}
    start = 0
    for name, side in simulators.items():
        rows: Sequence[int] = range(start, start + len(side.conversations))
        corpora[name] = pooled.take(rows)
        start += len(side.conversations)
    return real, corpora


NOT_COMPARED = OnFront(place="undecided", reason="not compared with others yet")


def simulator_report(
    entry: ComparedSide,
    copied: Copied,
    people: Copied,
    standings: Sequence[SimulatorScore],
    *,
    validation: Scorecard | None,
    shift: Scorecard | None,
    known: Collection[str],
) -> SimulatorReport:
    """Put one simulator's numbers together; its place on the Pareto front is not yet known.

    Args:
        entry: The simulator's side.
        copied: What it has from others.
        people: The people's own shares.
        standings: Of all simulators.
        validation: Its scorecard on the compared arms.
        shift: Its scorecard of the shift test.
        known: Warnings of the people's side, which are said once.
    """
    findings = validation.findings if validation else ()
    conversations = entry.compared.conversations
    reason = entry.not_judged or copied.overlap.reason
    warnings = validation.warnings if validation else entry.compared.warnings
    return SimulatorReport(
        name=entry.name,
        side=entry.compared.summary,
        failures=entry.n_failed,
        shoppers=tuple(sorted({c.shopper for c in conversations if c.shopper})),
        models=_models(conversations),
        not_judged=entry.not_judged,
        habits=verdicts(in_section(findings, "habits")),
        judged=verdicts(findings),
        distances=distances(findings),
        mean_distance=score_of(standings, *MEAN_DISTANCE, entry.name, reason),
        mean_distance_floor=baseline_of_score(standings, *MEAN_DISTANCE, entry.name),
        hls=hls(findings) if validation else JudgedEstimate(reason=entry.not_judged or ""),
        relative_hls=score_of(standings, *RELATIVE_HLS, entry.name, reason),
        reactions=reactions(shift, entry.no_shift),
        endings=dict(sorted(Counter(c.ending for c in conversations).items())),
        overlap=copied.overlap,
        titles_named_early=copied.titles,
        titles_beyond_people=difference(copied.titles, people.titles),
        memorisation=copied.memorisation,
        nearness=copied.nearness,
        memorised_beyond_people=difference(copied.memorisation.after_first, people.memorisation.after_first),
        cost=cost_of(conversations),
        front=NOT_COMPARED,
        warnings=(*(w for w in warnings if w not in known), *copied.warnings),
        validation=validation,
        counterfactual=shift,
    )


def _models(conversations: Sequence[Conversation]) -> tuple[str, ...]:
    """Name the models behind the shopper, which a run records as ``SHOPPER on MODEL``."""
    named = {(c.simulator, f"{c.shopper} on ") for c in conversations if c.simulator and c.shopper}
    return tuple(sorted(who.removeprefix(start) for who, start in named if who.startswith(start)))
