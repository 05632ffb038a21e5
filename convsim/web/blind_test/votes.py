"""What the answers say, as numbers: votes, clicked words, and how far raters agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic import JsonValue

from convsim.schema import ExplainedEstimate
from convsim.seeds import child_seed, generator
from convsim.stats.agreement import estimate, ordinal_alpha
from convsim.stats.resampling import resampled
from convsim.stats.sequential import Counts
from convsim.web.blind_test.answers import Answer
from convsim.web.blind_test.study import ArenaStudy

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray


class Vote(NamedTuple):
    """One answer that was not skipped."""

    rater: int
    trial: int
    right: bool
    said: bool
    """What was said: of one conversation that it is human; of a pair, that the human's is the one that a coin which
    falls once for each trial calls the first, so that raters who are all right still say either."""
    group: int
    """0 or 1: the trial's human stands alone or on the left, or does not. Accuracy is balanced over both."""
    simulator: str | None
    confidence: int


class Taken(NamedTuple):
    """One conversation that was taken for human by a rater, or was not."""

    rater: int
    trial: int
    conversation: int
    human: bool


def votes(study: ArenaStudy, answers: Iterable[Answer]) -> list[Vote]:
    """Turn answers into votes; skipped trials are left out."""
    found = []
    for answer in answers:
        if answer.choice is None or answer.confidence is None:
            continue
        trial = study.trials[answer.trial]
        if study.mode == "single":
            first = trial.human is not None
            said = answer.choice == "human"
            right = said == first
        else:
            first = bool(answer.human_left)
            right = (answer.choice == "left") == first
            said = right == bool(child_seed(study.seed, "arena", "coin", answer.trial) & 1)
        found.append(
            Vote(
                rater=answer.rater,
                trial=answer.trial,
                right=right,
                said=said,
                group=int(not first),
                simulator=study.simulator_of(trial),
                confidence=answer.confidence,
            )
        )
    return found


def taken(study: ArenaStudy, votes: Iterable[Vote]) -> list[Taken]:
    """Say of every conversation in every vote whether it was taken for human."""
    found = []
    for vote in votes:
        trial = study.trials[vote.trial]
        for place, is_human in ((trial.human, True), (trial.simulated, False)):
            if place is not None:
                found.append(Taken(vote.rater, vote.trial, place, vote.right == is_human))
    return found


def by_group(votes: Sequence[Vote]) -> tuple[Counts, Counts]:
    """Count right answers and answers of both groups."""
    counts = [
        (float(sum(v.right for v in votes if v.group == group)), float(sum(v.group == group for v in votes)))
        for group in (0, 1)
    ]
    return counts[0], counts[1]


MAX_TELLS = 30
MAX_WORD_CHARACTERS = 60
EDGES = ".,;:!?…\"'“”‘’()[]{}<>*_"


def clicked_words(study: ArenaStudy, answers: Iterable[Answer]) -> tuple[int, dict[str, JsonValue]]:
    """Count clicks, and list the words clicked most in simulated and in human conversations.

    Returns:
        The number of clicks, and ``{"simulated": […], "human": […]}``: entries ``{feature, n_real, n_simulated}`` in
        which the two numbers are clicks in conversations of people and of simulators, most first.
    """
    clicks: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for answer in answers:
        trial = study.trials[answer.trial]
        shown: tuple[int | None, ...]
        if study.mode == "single":
            shown = (trial.human if trial.human is not None else trial.simulated,)
        else:
            shown = (trial.human, trial.simulated) if answer.human_left else (trial.simulated, trial.human)
        for side, message, word in answer.words:
            place = shown[side] if side < len(shown) else None
            text = study.conversations[place].shown.word(message, word) if place is not None else None
            if text:
                plain = text.strip(EDGES).casefold()[:MAX_WORD_CHARACTERS] or text[:MAX_WORD_CHARACTERS]
                clicks[place == trial.human][plain] += 1
    return sum(clicks[True].values()) + sum(clicks[False].values()), {
        "simulated": _listed(clicks[False], clicks),
        "human": _listed(clicks[True], clicks),
    }


def _listed(side: Counter[str], clicks: dict[bool, Counter[str]]) -> list[JsonValue]:
    ordered = sorted(side.items(), key=lambda entry: (-entry[1], entry[0]))
    return [
        {"feature": word, "n_real": clicks[True][word], "n_simulated": clicks[False][word]}
        for word, _ in ordered[:MAX_TELLS]
    ]


N_RESAMPLES = 999
UNDEFINED = "all raters say the same everywhere, or nothing was judged twice"


def agreement(votes: Sequence[Vote], *, seed: int) -> ExplainedEstimate:
    """Do raters say the same of the same trial?

    Alpha is 1 where they always do and 0 where they do as often as chance has it.

    Args:
        votes: The answers.
        seed: Moves the resampling of trials.

    Returns:
        Alpha with a percentile interval over trials; without an estimate where nothing was judged twice.

    Source:
        Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C: a trial that m raters judged adds
        1 / (m - 1) for each ordered pair of raters. With two values the nominal and the ordinal distance are one up to
        a constant, which cancels.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    said: defaultdict[int, list[bool]] = defaultdict(list)
    for vote in votes:
        said[vote.trial].append(vote.said)
    judged = {trial: values for trial, values in said.items() if len(values) > 1}
    if not judged:
        return ExplainedEstimate(reason="no trial was judged by two raters")
    counts = np.array([_coincidences(values) for values in judged.values()]).T
    rng = generator(seed, "arena", "agreement")
    computed = resampled(csr_matrix(counts), _alpha, N_RESAMPLES, rng)
    return estimate(computed["alpha"], len(judged), undefined=UNDEFINED)


def _coincidences(values: Sequence[bool]) -> list[float]:
    """Return the coincidence matrix of one trial, row by row."""
    counted = Counter(values)
    return [
        counted[a] * (counted[b] - (a == b)) / (len(values) - 1) for a in (False, True) for b in (False, True)
    ]


def _alpha(sums: FloatArray) -> dict[str, FloatArray]:
    return {"alpha": ordinal_alpha(sums.reshape(-1, 2, 2))}
