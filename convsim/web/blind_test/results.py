"""The results of a blind test as findings, from its file alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from convsim.evaluation.layout import SECTIONS
from convsim.evaluation.scorecard import Scorecard
from convsim.schema import ExplainedEstimate, Finding, Interval, Verdict
from convsim.stats.resampling import Mark, crossed_interval
from convsim.stats.sequential import Counts, answers_until, sequential_interval
from convsim.web.blind_test.answers import CONFIDENCE, Answer, answers
from convsim.web.blind_test.database import Database
from convsim.web.blind_test.discriminator import concord
from convsim.web.blind_test.study import ArenaStudy
from convsim.web.blind_test.votes import (
    Taken,
    Vote,
    agreement,
    by_group,
    clicked_words,
    taken,
    votes,
)

CHANCE = 0.5
MARGIN = 0.10
"""Half of the interval of accuracies that are as good as chance: .40 to .60."""


class Decision(NamedTuple):
    """An accuracy, how sure it is, and what it means."""

    accuracy: float | None
    interval: Interval
    verdict: Verdict
    reason: str
    n_to_decide: int | None
    """About how many answers in all would settle it; None where it is settled, or where no number can be given."""


def decide(groups: tuple[Counts, Counts]) -> Decision:
    """Can people tell simulated shoppers from human ones better, or worse, than by chance?

    Args:
        groups: Right answers and answers, of trials whose human stands alone (or left) and of the others.

    Returns:
        ``aligned`` where the sequential interval lies inside .40 to .60; ``different`` where it excludes .5, below it
        too: who mistakes the one for the other reliably does see a difference; else ``undecided``.
    """
    interval = sequential_interval(groups)
    low, high = interval
    written = f"[{low:.2f}, {high:.2f}]"
    if not all(n for _, n in groups):
        return Decision(None, interval, "undecided", "one of the two kinds of trial has no answers yet", None)
    shares = [right / n for right, n in groups]
    accuracy = sum(shares) / 2
    if low >= CHANCE - MARGIN and high <= CHANCE + MARGIN:
        reason = f"the accuracy's interval {written} is within 0.40 to 0.60"
        return Decision(accuracy, interval, "aligned", reason, None)
    if low > CHANCE or high < CHANCE:
        way = (
            "raters tell simulated shoppers from people"
            if low > CHANCE
            else "raters take simulated shoppers for people, and people for simulated shoppers"
        )
        reason = f"{way}: the accuracy's interval {written} excludes guessing, 0.5"
        return Decision(accuracy, interval, "different", reason, None)
    away = abs(accuracy - CHANCE)
    needed = answers_until(shares, max(away, MARGIN - away))
    answered = int(sum(n for _, n in groups))
    said = (
        f"about {needed} answers would decide if the proportions stay the same; there are {answered}"
        if needed is not None and needed > answered
        else "some more answers would decide"
    )
    reason = f"too few answers: the accuracy's interval {written} includes 0.5 and goes beyond 0.40 to 0.60; {said}"
    return Decision(accuracy, interval, "undecided", reason, needed)


SOURCE = "Robbins (1970) and Howard et al. (2021), time-uniform confidence sequences; Krippendorff (2011); Owen (2007)"
COVERS = (
    "The interval may be looked at after every answer. It covers these raters and these conversations only; "
    "crossed_interval covers other raters and conversations too, but may be looked at only once."
)


def results(
    database: Database, *, scores: Mapping[str, float] | None = None, allow_overlap: bool = False
) -> Scorecard:
    """Judge simulators by what people could tell.

    Args:
        database: The file of a blind test.
        scores: An automatic discriminator's human-likeness by conversation id, to be held against people's votes.
        allow_overlap: Judge a simulator even where it learned from these people.

    Raises:
        InputError: There is no such file, or it is no file of an arena.
        ConvsimError: The file is locked or damaged.
    """
    study = database.study()
    found = list(_findings(study, answers(database), scores))
    if study.overlap and not allow_overlap:
        found = [finding.but(verdict="undecided", reason=study.overlap) for finding in found]
    said = [*study.warnings, *([study.overlap] if study.overlap else [])]
    return Scorecard(real=study.real, simulated=study.simulated, warnings=tuple(said), findings=tuple(found))


def _findings(
    study: ArenaStudy, given: Sequence[Answer], scores: Mapping[str, float] | None
) -> Iterator[Finding]:
    cast = votes(study, given)
    several = len(study.simulators) > 1
    if several:
        yield _accuracy(study, cast, given, name="accuracy", simulator=None)
    for simulator in study.simulators:
        own = [vote for vote in cast if vote.simulator in (None, simulator)]
        ending = f": {simulator}" if several else ""
        yield _accuracy(study, own, given, name=f"accuracy{ending}", simulator=simulator)
        yield _likeness(study, own, name=f"human_hls{ending}", simulator=simulator)
    yield _agreement(study, cast)
    yield _concord(study, taken(study, cast), scores)
    yield _words(study, cast, given)


def _accuracy(
    study: ArenaStudy, cast: Sequence[Vote], given: Sequence[Answer], *, name: str, simulator: str | None
) -> Finding:
    decision = decide(by_group(cast))
    raters = sorted({vote.rater for vote in cast})
    return _finding(
        study, cast, name,
        question="How often do raters tell simulated shoppers from people?",
        unit="balanced accuracy",
        estimate=decision.accuracy,
        interval=decision.interval if cast else None,
        verdict=decision.verdict,
        reason=decision.reason,
        details={
            "simulator": simulator,
            "n_answers": len(cast),
            "n_skipped": sum(answer.choice is None for answer in given),
            "n_raters": len(raters),
            "n_to_decide": decision.n_to_decide,
            "crossed_interval": _crossed(study, [Mark(v.rater, v.trial, v.group, v.right) for v in cast]),
            "by_rater": [_share([vote.right for vote in cast if vote.rater == rater]) for rater in raters],
            "by_confidence": {
                word: _share([vote.right for vote in cast if vote.confidence == level])
                for level, word in CONFIDENCE.items()
            },
            "covers": COVERS,
        },
    )  # fmt: skip


def _likeness(study: ArenaStudy, cast: Sequence[Vote], *, name: str, simulator: str) -> Finding:
    """The verdict is that of the accuracy: .5 plus half of how much more often people are taken for human."""
    seen = taken(study, cast)
    human = [each for each in seen if study.conversations[each.conversation].simulator is None]
    simulated = [each for each in seen if study.conversations[each.conversation].simulator is not None]
    decision: Decision = decide(by_group(cast))
    share = _share([each.human for each in simulated])
    return _finding(
        study, cast, name,
        question="How often do raters take a simulated shopper for a person?",
        unit="proportion of answers",
        estimate=_mean([each.human for each in simulated]),
        interval=_sequential(simulated),
        verdict=decision.verdict,
        reason=decision.reason,
        details={
            "simulator": simulator,
            "simulated": {"mean": _mean([each.human for each in simulated]), **share},
            "real": {"mean": _mean([each.human for each in human]), **_share([each.human for each in human])},
            "human_interval": _json(_sequential(human)),
            "crossed_interval": _crossed(
                study, [Mark(each.rater, each.trial, 0, each.human) for each in simulated]
            ),
            "covers": COVERS,
        },
    )  # fmt: skip


def _agreement(study: ArenaStudy, cast: Sequence[Vote]) -> Finding:
    found = agreement(cast, seed=study.seed)
    per_trial = [sum(vote.trial == number for vote in cast) for number in {vote.trial for vote in cast}]
    return _finding(
        study, cast, "agreement",
        question="Do raters agree with one another?",
        unit="Krippendorff's alpha, nominal",
        estimate=found.estimate,
        interval=found.interval,
        verdict="undecided",
        reason=found.reason or "shown for context: agreement of raters is not a verdict on a simulator",
        details={
            "role": "control",
            "n_trials": len(per_trial),
            "n_trials_of_several_raters": sum(n > 1 for n in per_trial),
        },
    )  # fmt: skip


def _concord(study: ArenaStudy, seen: Sequence[Taken], scores: Mapping[str, float] | None) -> Finding:
    found = concord(study, seen, scores, seed=study.seed)
    verdict, reason = _ranked_alike(found.tau)
    return _finding(
        study, seen, "discriminator_agreement",
        question="Does the classifier rank conversations by human-likeness as raters do?",
        unit="Kendall's tau-b",
        estimate=found.tau.estimate,
        interval=found.tau.interval,
        verdict=verdict,
        reason=reason,
        details={
            **({} if scores else {"role": "control"}),
            "n_conversations": found.n,
            "auc": {
                "estimate": found.auc.estimate,
                "interval": _json(found.auc.interval),
                "reason": found.auc.reason,
            },
        },
    )  # fmt: skip


def _ranked_alike(tau: ExplainedEstimate) -> tuple[Verdict, str]:
    if tau.interval is None:
        return "undecided", tau.reason or "no interval"
    if tau.interval[0] > 0:
        return "aligned", "conversations with higher scores are more often taken for human"
    if tau.interval[1] < 0:
        return "different", "conversations with higher scores are less often taken for human"
    return "undecided", "the interval includes 0: the scores may be unrelated to what raters think"


def _words(study: ArenaStudy, cast: Sequence[Vote], given: Sequence[Answer]) -> Finding:
    n_clicks, tells = clicked_words(study, given)
    n_with = sum(bool(answer.words) for answer in given)
    return _finding(
        study, cast, "words_clicked",
        question="Which words give people and simulators away?",
        unit="words",
        estimate=float(n_clicks) if n_clicks else None,
        interval=None,
        verdict="undecided",
        reason=f"{n_with} answers name words; these are raters' impressions, not a test",
        details={"role": "control", "n_answers_with_words": n_with, "tells": tells},
    )  # fmt: skip


def _finding(
    study: ArenaStudy,
    seen: Sequence[Vote] | Sequence[Taken],
    metric: str,
    *,
    question: str,
    unit: str,
    estimate: float | None,
    interval: Interval | None,
    verdict: Verdict,
    reason: str,
    details: dict[str, JsonValue],
) -> Finding:
    trials = [study.trials[number] for number in {each.trial for each in seen}]
    return Finding(
        validator=SECTIONS["blind_test"],
        metric=metric,
        question=question,
        unit=unit,
        estimate=estimate,
        interval=interval,
        verdict=verdict,
        reason=reason,
        n_real=sum(trial.human is not None for trial in trials),
        n_simulated=sum(trial.simulated is not None for trial in trials),
        seed=study.seed,
        version="1",
        source=SOURCE,
        details={"mode": study.mode, **details},
    )


def _sequential(seen: Sequence[Taken]) -> Interval | None:
    if not seen:
        return None
    return sequential_interval(((float(sum(each.human for each in seen)), float(len(seen))),))


def _crossed(study: ArenaStudy, marks: Sequence[Mark]) -> JsonValue:
    return _json(crossed_interval(marks, seed=study.seed))


def _json(interval: Interval | None) -> JsonValue:
    return list(interval) if interval else None


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _share(values: Sequence[bool]) -> dict[str, JsonValue]:
    return {"share": _mean(values), "n": len(values)}
