"""How far an automatic discriminator agrees with people: its scores against the raters' votes."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from convsim._inputs import read_input
from convsim.errors import InputError
from convsim.schema import ExplainedEstimate, ratio
from convsim.seeds import generator
from convsim.stats.agreement import estimate, kendall_tau_b
from convsim.stats.resampling import resampled
from convsim.web.blind_test.study import ArenaStudy
from convsim.web.blind_test.votes import Taken

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

KEY = "conversation_scores"
MAX_BYTES = 64 << 20


def read_scores(path: Path) -> dict[str, float]:
    """Return human-likeness, from 0 to 1, by conversation id, from the details of a findings file's ``hls``.

    Raises:
        InputError: The file cannot be read, is not a findings file, or holds no such scores.
    """
    file = path / "findings.json" if path.is_dir() else path
    try:
        document = from_json(read_input(file, MAX_BYTES))
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{file}: is no JSON; a findings.json is needed") from error
    findings = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(findings, list):
        raise InputError(f"{file}: is not a findings.json: it has no list of findings")
    for finding in findings:
        details = finding.get("details") if isinstance(finding, dict) else None
        listed = details.get(KEY) if isinstance(details, dict) else None
        if isinstance(listed, dict):
            return _merged(file, [side for side in listed.values() if isinstance(side, dict)])
    raise InputError(
        f"{file}: no finding has {KEY}; convsim validate REAL SIM --validators humanlikeness --out DIR writes them"
    )


def _merged(file: Path, sides: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Put both sides' scores together; an id of both names no one conversation, and is left out."""
    counts = Counter(name for side in sides for name in side)
    return {
        name: _score(file, name, value)
        for side in sides
        for name, value in side.items()
        if value is not None and counts[name] == 1
    }


def _score(file: Path, name: object, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{file}: {KEY} of {str(name)[:80]!r} must be a finite number")
    return float(value)


N_RESAMPLES = 999
MIN_CONVERSATIONS = 8
UNDEFINED = "all scores, or all votes, are the same"


class Concord(NamedTuple):
    """Kendall's tau-b of score and proportion of votes, and the AUC of the score for a vote "human"."""

    tau: ExplainedEstimate
    auc: ExplainedEstimate
    n: int
    """Conversations that have both a score and a vote."""


def concord(
    study: ArenaStudy, taken: Sequence[Taken], scores: Mapping[str, float] | None, *, seed: int
) -> Concord:
    """Does the discriminator rank conversations by human-likeness as people do?

    Args:
        study: Names the conversations.
        taken: Which conversation was taken for human, by whom.
        scores: Human-likeness by conversation id; an id that several conversations share is left out.
        seed: Moves the resampling of whole conversations.

    Returns:
        Tau-b is 0 and the AUC .5 where scores say nothing of votes; both are 1 where they say all. Of pairs, the votes
        of two conversations that stood side by side hang together, and the intervals take no notice of it.
    """
    if not scores:
        return _without("no scores of single conversations were given (--scores findings.json)")
    shared = Counter(conversation.id for conversation in study.conversations)
    given: defaultdict[int, list[bool]] = defaultdict(list)
    for each in taken:
        name = study.conversations[each.conversation].id
        if name in scores and shared[name] == 1:
            given[each.conversation].append(each.human)
    if len(given) < MIN_CONVERSATIONS:
        return _without(
            f"{len(given)} conversations have a score and a vote; {MIN_CONVERSATIONS} are needed", len(given)
        )
    rows = [(scores[study.conversations[place].id], votes) for place, votes in given.items()]
    return _compared(rows, seed)


def _without(reason: str, n: int = 0) -> Concord:
    return Concord(ExplainedEstimate(reason=reason), ExplainedEstimate(reason=reason), n)


def _compared(rows: Sequence[tuple[float, Sequence[bool]]], seed: int) -> Concord:
    """Compute both from counts: of conversations by score and share, of votes by score and kind."""
    import numpy as np
    from scipy.sparse import csr_matrix

    n = len(rows)
    _, score = np.unique([score for score, _ in rows], return_inverse=True)
    shares, share = np.unique([sum(votes) / len(votes) for _, votes in rows], return_inverse=True)
    k, m = int(score.max()) + 1, len(shares)
    columns = np.arange(n)
    human = np.array([sum(votes) for _, votes in rows], np.float64)
    other = np.array([len(votes) for _, votes in rows], np.float64) - human
    places = np.concatenate([score * m + share, k * m + score * 2, k * m + score * 2 + 1])
    values = np.concatenate([np.ones(n), other, human])
    counts = csr_matrix((values, (places, np.tile(columns, 3))), shape=(k * m + 2 * k, n))

    def statistics(sums: FloatArray) -> dict[str, FloatArray]:
        return {
            "tau": kendall_tau_b(sums[:, : k * m].reshape(-1, k, m)),
            "auc": _auc(sums[:, k * m :].reshape(-1, k, 2)),
        }

    computed = resampled(counts, statistics, N_RESAMPLES, generator(seed, "arena", "discriminator"))
    tau, auc = (estimate(computed[name], n, undefined=UNDEFINED) for name in ("tau", "auc"))
    return Concord(tau, auc, n)


def _auc(table: FloatArray) -> FloatArray:
    """Return the proportion of pairs of a vote "human" and another in which the first has the higher score, ties half.

    Args:
        table: Shape (r, scores in ascending order, 2): votes "simulated" and "human".
    """
    other, human = table[:, :, 0], table[:, :, 1]
    below = other.cumsum(axis=1) - other / 2
    return ratio((human * below).sum(axis=1), human.sum(axis=1) * other.sum(axis=1))
