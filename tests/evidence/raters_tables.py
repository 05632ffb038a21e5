"""The page's section on convsim's rank and a blind judge's, and the design for raters who are people."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import Any

from scipy.stats import binom

from tests.evidence.raters import (
    CONVSIM,
    N_DRAWN,
    N_EACH,
    N_PAIRS,
    N_PEOPLE,
    N_RATERS,
    NAMES,
    PAIRS_A_RATER,
    PER_PAIR,
    SHARES,
    SKILLS,
    VOTES,
    tau,
)
from tests.evidence.scripted_raters import accuracies
from tests.evidence.sets import PEOPLE
from tests.evidence.tables import as_table, in_how_many

POWER = 0.8
CHECKS, PASSED = 8, 7
"""Pairs with an absurd simulator that each rater sees, and how many of them a rater must get right."""
RATERS_A_PAIR = 3
PLANNED_SKILL = 0.75

Cells = dict[tuple[float, int, int], float]
"""By skill, raters a pair and votes: how often ranks agree."""


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    compared = {row["asked"]["compared"]: row["found"] for row in rows if "compared" in row["asked"]}
    arenas = [(row["asked"], row["found"]) for row in rows if "rated" in row["asked"]]
    needed = _cells([row for row in rows if "needed" in row["asked"]])
    of_convsim = {score: _told([found["tau"][score] for found in compared.values()]) for score in CONVSIM}
    shares = ", ".join(f"{share:.0%}" for share in SHARES)
    return f"""## Does the score rank simulators as a blind judge does?

{PEOPLE.name}: {len(SHARES)} simulators are held-out people among whom a known share are LLM users
({shares}; {N_EACH} conversations each), beside {N_PEOPLE} people. The share is the
truth. The judges are scripted: raters in `convsim arena --mode pair`, which is served on loopback and read and answered
page by page. Such a rater tells an LLM user from a person with the skill given (raters differ by .5 in log odds), and
guesses between two people. How skilled real raters are, nothing here says.

Kendall's tau with the truth, over {len(compared)} halvings of the people, mean and range: of the mean distance
{of_convsim["mean_distance"]}, of the human-likeness score {of_convsim["hls"]}.
{_of_arenas(compared, arenas)}

### How many votes are needed

Such raters' votes, drawn {N_DRAWN} times for each of convsim's ranks by mean distance: how often their rank agrees
with it at the level .05 (Kendall's tau, one-sided), by the votes on each of the {len(SHARES)} simulators, and by
how many raters see the same pair:

{_needed_table(needed)}

{_design(needed)}"""


def _told(values: Sequence[float]) -> str:
    return f"{mean(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else "-"


def _of_arenas(compared: dict[int, dict[str, Any]], arenas: Sequence[tuple[dict[str, Any], Any]]) -> str:
    if not arenas:
        return "No arena was served yet for this page; the command below does it."
    n_requests = sum(found["n_requests"] for _, found in arenas)
    n_votes = sum(len(found["votes"]) for _, found in arenas)
    farthest, nearest = (
        in_how_many([found["verdicts"][at] == "different" for _, found in arenas]) for at in (-1, 0)
    )
    return f"""Of the rank of {len(arenas)} arenas ({n_requests} requests, {n_votes} votes), by their raters' skill and
number; each judges the same {N_PAIRS} pairs of every simulator:

{_tau_table(compared, arenas)}

By all {N_PAIRS * N_RATERS} votes on it, the arena calls the simulator that is all LLM users different in {farthest}
arenas, and the one that is all people in {nearest}."""


def _tau_table(compared: dict[int, dict[str, Any]], arenas: Sequence[tuple[dict[str, Any], Any]]) -> str:
    lines = []
    for skill in SKILLS:
        of = [(asked["rated"], found) for asked, found in arenas if asked["skill"] == skill]
        if not of:
            continue
        for n_raters in (1, 3, N_RATERS):
            ranked = [(seed, accuracies(found["votes"], NAMES, n_raters=n_raters)) for seed, found in of]
            taus = [
                [tau(accuracy, SHARES) for _, accuracy in ranked],
                [tau(accuracy, compared[seed]["mean_distance"]) for seed, accuracy in ranked],
            ]
            lines.append([f"{skill:.0%}", str(n_raters), str(n_raters * N_PAIRS), *map(_told, taus)])
    head = ["skill", "raters", "votes a simulator", "tau with the truth", "with convsim's mean distance"]
    return as_table(head, lines)


def _cells(rows: Sequence[dict[str, Any]]) -> Cells:
    found: dict[tuple[float, int, int], list[float]] = {}
    for row in rows:
        for cell in row["found"]["cells"]:
            key = row["asked"]["skill"], cell["per_pair"], cell["votes"]
            found.setdefault(key, []).append(cell["agrees"])
    return {key: mean(of) for key, of in found.items()}


def _needed_table(needed: Cells) -> str:
    lines = [
        [f"{skill:.0%}", str(per_pair), *(f"{needed[skill, per_pair, votes]:.2f}" for votes in VOTES)]
        for skill in SKILLS
        for per_pair in PER_PAIR
    ]
    return as_table(["skill", "raters a pair", *(f"{votes} votes" for votes in VOTES)], lines)


def fewest(needed: Cells, skill: float, per_pair: int) -> int | None:
    """Return the fewest votes on each simulator from which on ranks agree in 80 % of the draws; None where none do."""
    for at, votes in enumerate(VOTES):
        if all(needed[skill, per_pair, more] >= POWER for more in VOTES[at:]):
            return votes
    return None


def _design(needed: Cells) -> str:
    a_pair, n_simulators = RATERS_A_PAIR, len(SHARES)
    votes = {skill: fewest(needed, skill, a_pair) for skill in SKILLS}
    told = ", ".join(f"{votes[skill] or f'more than {VOTES[-1]}'} at {skill:.0%}" for skill in SKILLS)
    planned = votes[PLANNED_SKILL] or VOTES[-1]
    pairs = PAIRS_A_RATER * n_simulators
    arenas = -(-(planned // a_pair) // PAIRS_A_RATER)
    raters = arenas * a_pair
    guessing, attentive = (f"{float(binom.sf(PASSED - 1, CHECKS, p)):.0%}" for p in (0.5, 0.95))
    return f"""### A design for real raters

Not carried out here: it takes people. Its numbers are those of the table.

- **Who.** Adults who read the set's language as natives and shop, cook or travel as its users do; neither authors nor
  anybody who has seen the simulators. Paid for their time, not for being right.
- **What.** `convsim arena --mode pair` with {n_simulators} simulators, chosen before by their mean distances so that
  these span the range. With 4, only the one order of 24 that agrees throughout has a p below .05.
- **How many.** Votes on each simulator, with {a_pair} raters a pair, by the raters' skill: {told}.
  A pilot of 100 votes on the simulator farthest from people tells the skill. Planned for {PLANNED_SKILL:.0%}: {planned}
  votes on each, from {raters} raters who judge {pairs} pairs each. All raters of an arena see the same pairs: there are
  {arenas} arenas, each with its own `--seed`, {a_pair} raters and {pairs} pairs.
- **Attention checks.** {CHECKS} pairs more whose simulated side is absurd, given to the arena as one more file. Who
  has fewer than {PASSED} right is replaced before anybody looks at other votes. Of those who guess, {guessing} pass;
  of those who are right in 95 %, {attentive}.
- **Agreement.** Krippendorff's alpha of each arena (`--results`). It is low where simulators are near people: it is
  reported, and leaves nobody out.
- **When to stop.** At the planned number of votes; the rank is tested once. The arena's intervals of one simulator's
  accuracy may be looked at any time.
- **What counts.** The score means something if Kendall's tau of mean distance with the arena's accuracy has a one-sided
  p of at most .05 at the planned number, and does not if it has not. The human-likeness score is tested beside it, by
  Holm. Beside both stands the tau of the difference in length alone: where that is as high, convsim adds nothing.
  Taus are reported with intervals over raters and pairs, both drawn anew."""
