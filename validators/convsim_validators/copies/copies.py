"""Are the simulated conversations copies: of the people that they are judged on, or of one another?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline, Interval, Needs, Verdict
from convsim.schema.arrays import IntArray
from convsim.seeds import generator
from convsim.stats.decision import ALPHA
from convsim.stats.equivalence import needed, normal_power, stated
from convsim.stats.sample_size import one_sided_errors
from convsim.stats.units import some_units
from convsim_validators.copies.diversity import Diversity, diversity
from convsim_validators.copies.near_copies import MIN_UNITS, judge
from convsim_validators.copies.sources import Judged, Texts, Traced

MAX_CONVERSATIONS = 2_000
"""Of a side that are looked at, whole units at random; a simulated one is looked for among all people."""
MAX_PAIRS = 20
EXPECTED = 0.02
"""From which on a reason says what sizes and shared scenarios alone make of the difference."""
PAIR_GAP = 0.5
NEAR_COPIES, DIVERSITY = "near_copies", "diversity"


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Finds simulators whose conversations lie nearer to people judged than people lie to each other, or to themselves.

    A copy has one source, a commonplace has many, and two conversations of one task are alike without copying. What
    counts is therefore the gap: the similarity to the nearest unit of the people judged less that to the nearest other
    unit. People leave themselves out, and a simulated conversation leaves out the one person who alone met its task,
    need or user.

    Source:
        Ours; thresholds, levels and what was measured with them: validators/README.md. Multiplicity within
        ``diversity``: Westfall and Young (1993), step-down max-T.
    """

    name: ClassVar[str] = "copies"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "convsim: similarity to the nearest of the people judged, beyond that to any other"
    )

    margin: Annotated[float, Field(ge=0, le=1)] = 0.10
    """Share of copies, beyond people's, that may be there for none to count as found."""
    diversity_margin: Annotated[float, Field(ge=0, le=1)] = 0.05
    """How much nearer simulated conversations may lie to each other, in similarity, to count as diverse as people's."""
    alpha: ErrorRate = ALPHA
    """Of ``diversity``; the rules of ``near_copies`` have levels of their own."""
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return the findings ``near_copies`` and ``diversity``; none where a side is empty."""
        if not len(real) or not len(simulated):
            return []
        rows = [
            some_units(side, MAX_CONVERSATIONS, generator(seed, self.name, "sample", name))
            for side, name in ((real, "real"), (simulated, "simulated"))
        ]
        return [self._near_copies(real, simulated, rows, seed), self._diversity(real, simulated, rows, seed)]

    def _near_copies(self, real: Corpus, simulated: Corpus, rows: Sequence[IntArray], seed: int) -> Finding:
        texts = Texts(Judged.of(real), real.conversations, simulated.conversations)
        people, shoppers = texts.trace(rows[0], real=True), texts.trace(rows[1], real=False)
        judged = judge(people, shoppers, margin=self.margin)
        pairs = [
            {
                "simulated": simulated.conversations[rows[1][place]].id, "real": real.conversations[row].id,
                "similarity": similarity, "gap": gap,
            }
            for place, row, similarity, gap in _pairs(shoppers, all_of_them=judged.verdict == "copies")
        ]  # fmt: skip
        reason = judged.reason
        if pairs and judged.verdict != "copies":
            reason += f"; {len(pairs)} lie so near to one person that they are listed (details.pairs)"
        details: dict[str, JsonValue] = {
            "margin": self.margin,
            "n_units_real": people.n,
            "n_units_simulated": shoppers.n,
            "n_with_the_scenario_of_one_person": int(shoppers.has_twin.sum()),
            "rules": [
                {"rule": r.name, "share_real": r.real, "share_simulated": r.simulated, "p_value": r.p_value}
                for r in judged.rules
            ],
            "pairs": list(pairs[:MAX_PAIRS]),
            "n_pairs": len(pairs),
        }
        if judged.n_to_decide is not None:
            details["n_to_decide"] = {"real": len(real), "simulated": judged.n_to_decide}
        answer = _Answer(
            NEAR_COPIES, "Do simulated conversations copy the people they are judged on?",
            "proportion of users", judged.verdict, reason, judged.estimate, judged.interval,
            judged.p_value, noise_floor=judged.baseline,
        )  # fmt: skip
        return self._finding(answer, details, n=(len(rows[0]), len(rows[1])), seed=seed)

    def _diversity(self, real: Corpus, simulated: Corpus, rows: Sequence[IntArray], seed: int) -> Finding:
        sides = real.take(rows[0]), simulated.take(rows[1])
        asked = (
            DIVERSITY, "Do simulated conversations repeat one another no more than people's do?",
            "similarity",
        )  # fmt: skip
        n = (len(sides[0]), len(sides[1]))
        n_units = [len(set(side.units)) for side in sides]
        if min(n_units) < MIN_UNITS:
            few = f"{n_units[0]} real and {n_units[1]} simulated users; at least {MIN_UNITS} each are needed"
            return self._finding(_Answer(*asked, "undecided", few), {}, n=n, seed=seed)
        found = diversity(*sides, n_resamples=self.n_resamples, seed=seed)
        said = (
            f"mean similarity to the nearest other user: simulated {found.similarity[1]:.3f}, people "
            f"{found.similarity[0]:.3f}; the same words as another: {found.identical[1]:.0%}, {found.identical[0]:.0%}"
        )
        if abs(found.expected) >= EXPECTED:
            said += f" (sizes and shared scenarios alone make a difference of {found.expected:.2f})"
        upper = found.difference + one_sided_errors(self.alpha) * found.standard_error
        verdict: Verdict = "undecided"
        if upper <= self.diversity_margin:
            verdict, more = "aligned", f"no more than people by the margin of {self.diversity_margin:g}"
        elif found.p_adjusted <= self.alpha:
            verdict, more = "different", "more than people"
        else:
            more = "not shown to be more than among people, nor to be within the margin"
        reach = 1.96 * found.standard_error
        answer = _Answer(
            *asked, verdict, f"{said}; {more}", found.difference,
            (found.difference - reach, found.difference + reach), found.p_value, found.p_adjusted,
        )  # fmt: skip
        details: dict[str, JsonValue] = {
            "margin": self.diversity_margin,
            "equivalence_upper": upper,
            "similarity_expected": found.expected,
            "similarity_real": found.similarity[0],
            "similarity_simulated": found.similarity[1],
            "identical_real": found.identical[0],
            "identical_simulated": found.identical[1],
            "n_units_real": n_units[0],
            "n_units_simulated": n_units[1],
            "n_resamples": self.n_resamples,
        }
        if verdict == "undecided":
            details |= stated(self._needs(found, n), n)
        return self._finding(answer, details, n=n, seed=seed)

    def _needs(self, found: Diversity, n: tuple[int, int]) -> Needs | None:
        """Return how much more shows in four of five cases that the simulator repeats itself no more, if so."""
        z = one_sided_errors(self.alpha)

        def power(n_real: int, n_simulated: int) -> float:
            error = found.standard_error_at((n_real / n[0], n_simulated / n[1]))
            return normal_power(self.diversity_margin, error, z=z)

        return needed(power, n)

    def _finding(
        self, answer: _Answer, details: dict[str, JsonValue], *, n: tuple[int, int], seed: int
    ) -> Finding:
        return Finding(
            validator=self.name, **answer._asdict(), n_real=n[0], n_simulated=n[1], seed=seed, version=self.version,
            source=self.source, details=details,
        )  # fmt: skip


class _Answer(NamedTuple):
    metric: str
    question: str
    unit: str
    verdict: Verdict
    reason: str
    estimate: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    noise_floor: HumanBaseline | None = None


def _pairs(shoppers: Traced, *, all_of_them: bool) -> list[tuple[int, int, float, float]]:
    """Return conversations with one source: their place, its row, similarity and gap, the nearest first.

    Where copies were found, all that lie nearer than people mostly do; else only those that no person ever does.
    """
    found = shoppers.with_twins
    gap = found.gap
    order = np.argsort(-gap, kind="stable")
    least = 0.1 if all_of_them else PAIR_GAP
    return [
        (int(place), int(found.row[place]), float(found.similarity[place]), float(gap[place]))
        for place in order
        if gap[place] > least and found.row[place] >= 0
    ]
