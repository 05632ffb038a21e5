"""Are simulated shoppers like people within each task, arm and language, and not on average alone?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar, get_args

from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline, Interval
from convsim.schema.arrays import FloatArray
from convsim.schema.corpus import refused_labels
from convsim.seeds import child_seed, generator
from convsim.stats.decision import ALPHA, Decision
from convsim.stats.equivalence import Margins, stated
from convsim.stats.joint_equivalence import JOINT_MARGIN, SPREAD_MARGIN, JointRule
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.resampling import Design
from convsim_validators.by_stratum.grouping import Grouping, Kind, shown
from convsim_validators.by_stratum.habits import Cell, Habits
from convsim_validators.by_stratum.missing import Missing
from convsim_validators.by_stratum.words import Words
from convsim_validators.metric_tests.all_metrics import MIN_PEOPLE

WORDS = "words_by_task"
MISSING = "missing_groups"
MISSING_LEVEL = 0.1
"""The part of the level that is spent on groups which nobody simulated: these are seen at any level."""
QUESTIONS = {
    **{f"habits_by_{kind}": f"Within each {kind}, are habits like people's?" for kind in get_args(Kind)},
    WORDS: "Within each task, do simulated shoppers use people's words?",
    MISSING: "Are all the tasks and languages of people simulated?",
}


@dataclass(frozen=True)
class _Answer:
    decision: Decision
    unit: str = "-"
    estimate: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    noise_floor: HumanBaseline | None = None
    details: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True)
class _Sides:
    real: Corpus
    simulated: Corpus

    @cached_property
    def groupings(self) -> Mapping[Kind, Grouping]:
        return {kind: Grouping.of(kind, self.real, self.simulated) for kind in get_args(Kind)}

    @cached_property
    def design(self) -> Design:
        """Units are dealt within their tasks and arms, even where the sides have these in other proportions."""
        return replace(Design.of(self.real, self.simulated), same_mix=True)

    @cached_property
    def names(self) -> Sequence[str]:
        """The habits of both tables that are judged."""
        refused = refused_labels(self.real, self.simulated)
        return [
            name
            for name, metric in self.real.metrics.items()
            if metric.role == "metric" and name in self.simulated.metrics and name not in refused
        ]


@dataclass(frozen=True, kw_only=True)
class ByStratum:
    """Compares habits and words within each task, arm and language: right on average, and wrong in every task.

    H0: within a task and arm, real and simulated conversations are exchangeable by unit; a unit that is dealt anew
    takes its groups along. The statistics are distances within groups, over all groups with 8 units on both sides, each
    divided by its standard error in the same dealing (``Column.dealt``, ``two_sample.distances``); all questions are
    corrected together by step-down max-T. `aligned` needs the root mean square of Cliff's delta over habits and groups,
    and that of the spread score, within their margins by 90 % limits, and no habit of any group beyond its margin for
    sure. Of words, no likeness is ever shown here: ``humanlikeness`` judges that.

    ``missing_groups`` asks whether a task or language of people is never simulated: by an exact test that so many
    units of it all fell to the side of the people, with a tenth of the level.

    Source:
        Simpson (1951), The interpretation of interaction in contingency tables, for why; the tests are those of
        ``marginals`` and ``humanlikeness`` within groups.
    """

    name: ClassVar[str] = "by_stratum"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "convsim: permutation tests within tasks, arms and languages; after Simpson (1951)"
    )

    margin: Annotated[float, Field(ge=0, le=1)] = JOINT_MARGIN
    """Of the root mean square of Cliff's delta over habits and groups."""
    spread_margin: Annotated[float, Field(ge=0, le=1.3)] = SPREAD_MARGIN
    """The same of the spread score."""
    missing_margin: Annotated[float, Field(ge=0, le=1)] = 0.10
    """The proportion of people whose task or language is missing up to which that counts as nothing."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return ``habits_by_task``, ``…_arm`` and ``…_language``, ``words_by_task`` and ``missing_groups``."""
        from threadpoolctl import threadpool_limits

        sides = _Sides(real, simulated)
        with threadpool_limits(1):
            answers = {**self._within(sides, seed), MISSING: self._missing(sides)}
        return [self._finding(name, answers[name], sides, seed) for name in QUESTIONS]

    def _within(self, sides: _Sides, seed: int) -> dict[str, _Answer]:
        asked = {f"habits_by_{kind}": sides.groupings[kind] for kind in sides.groupings}
        asked[WORDS] = sides.groupings["task"]
        answers = {name: _undecided(grouping.lacking) for name, grouping in asked.items() if grouping.lacking}
        left = {name: grouping for name, grouping in asked.items() if name not in answers}
        if not left:
            return answers
        if reason := sides.design.too_few_permutations():
            return {**answers, **{name: _undecided(reason) for name in left}}
        dealt = sides.design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))
        both = (sides.real, sides.simulated)
        habits: dict[str, Habits] = {}
        words: Words | None = None
        tested: dict[str, FloatArray] = {}
        for name, grouping in left.items():
            if name == WORDS:
                words = Words.of(both, grouping, sides.design, dealt, seed=child_seed(seed, self.name))
                if words is not None:
                    tested[name] = words.statistic
            elif found := Habits.of(
                both, grouping, sides.names, sides.design, dealt, rule=self._rule, margins=Margins(),
                seed=child_seed(seed, self.name, name),
            ):  # fmt: skip
                habits[name], tested[name] = found, found.together.statistic
        adjusted = {name: min(1.0, p / (1 - MISSING_LEVEL)) for name, p in max_t(tested).items()}
        for name, grouping in left.items():
            p = adjusted.get(name)
            if p is None:
                what = "words" if name == WORDS else "habits"
                answers[name] = _undecided(f"no {what} of two {grouping.kind}s vary and can be compared")
            elif name in habits:
                answers[name] = self._of_habits(habits[name], grouping, both, p)
            elif words is not None:
                answers[name] = self._of_words(words, grouping, p)
        return answers

    @property
    def _rule(self) -> JointRule:
        return JointRule(self.margin, self.alpha, self.spread_margin)

    def _of_habits(
        self, found: Habits, grouping: Grouping, sides: tuple[Corpus, Corpus], p_adjusted: float
    ) -> _Answer:
        together = found.together
        worst = next(iter(found.distance))
        said = (
            f"on average over {len(found.cells)} habits of single {grouping.kind}s, location differs by "
            f"{together.joint.distance:.3f}, at most {together.upper[0]:.3f} of {self.margin:g}, and spread by "
            f"{together.spread.distance:.3f}, at most {together.upper[1]:.3f} of {self.spread_margin:g}; with all "
            f"{grouping.kind}s together location differs by {found.pooled:.3f}; worst simulated: "
            f"{_in_words(found.furthest(worst))}"
        )
        details: dict[str, JsonValue] = {
            "groups": [
                {
                    "name": group, "distance": distance, "n_real": int(grouping.rows(group)[0].sum()),
                    "n_simulated": int(grouping.rows(group)[1].sum()),
                    "furthest": found.furthest(group).metric,
                    "cliffs_delta": float(found.furthest(group).contrast.estimates[0]),
                    "spread": float(found.furthest(group).contrast.estimates[1]),
                }
                for group, distance in found.distance.items()
            ],
            "left_out": list(grouping.left_out),
            "pooled": found.pooled,
            "n_cells": len(found.cells),
            "margin": {"cliffs_delta": self.margin, "spread": self.spread_margin},
            "equivalence_upper": together.upper[0],
            "spread_upper": together.upper[1],
        }  # fmt: skip
        decision = self._decide_habits(found, p_adjusted, said)
        if decision.verdict == "different":
            cell = found.furthest(worst)
            details |= {
                "giveaway": f"Worst simulated is the {grouping.kind} {_in_words(cell)}",
                "examples": cell.examples(sides, grouping),
            }
        reason = decision.reason
        if decision.verdict == "undecided" and min(together.n_units) >= MIN_PEOPLE:
            needs = together.needs
            details |= stated(needs, together.n)
            reason += (
                f"; if nothing differs, {needs.words} would show it"
                if needs
                else "; if nothing differed, this much data would show it in four of five cases"
            )
        return _Answer(
            Decision(decision.verdict, reason),
            "root mean square of Cliff's delta",
            together.joint.distance,
            together.joint.limits(JointRule(alpha=0.025).z),
            together.p_value,
            p_adjusted,
            together.baseline(),
            details,
        )

    def _decide_habits(self, found: Habits, p_adjusted: float, said: str) -> Decision:
        together = found.together
        if p_adjusted <= self.alpha:
            return Decision("different", f"more than chance explains: {said}")
        if min(together.n_units) < MIN_PEOPLE:
            return Decision(
                "undecided",
                f"{together.n_units[0]} real and {together.n_units[1]} simulated users or conversations; likeness is "
                f"judged from {MIN_PEOPLE} on each side; {said}",
            )
        if together.inside and not together.far_off:
            return Decision("aligned", f"{said}; no habit of a single group is far off")
        return Decision("undecided", f"neither within the margins nor shown to differ: {said}")

    def _of_words(self, found: Words, grouping: Grouping, p_adjusted: float) -> _Answer:
        worst = next((group for group in found.apart if group in found.furthest), None)
        details: dict[str, JsonValue] = {
            "groups": [
                {
                    "name": group, "n_real": int(grouping.rows(group)[0].sum()),
                    "n_simulated": int(grouping.rows(group)[1].sum()),
                    "furthest": found.furthest[group].text if group in found.furthest else None,
                    "real": found.furthest[group].proportions[0] if group in found.furthest else None,
                    "simulated": found.furthest[group].proportions[1] if group in found.furthest else None,
                }
                for group in found.apart
            ],
            "left_out": list(grouping.left_out),
        }  # fmt: skip
        decision = Decision(
            "undecided",
            f"no difference is shown within {len(found.apart)} {grouping.kind}s; whether words are alike is judged by "
            "humanlikeness",
        )
        if p_adjusted <= self.alpha:
            told = ""
            if worst is not None:
                real, simulated = found.furthest[worst].proportions
                told = (
                    f"in the {grouping.kind} {shown(worst)}, {simulated:.0%} of simulated and {real:.0%} of real "
                    f"conversations say {shown(found.furthest[worst].text)}"
                )
                details |= {"giveaway": told[0].upper() + told[1:]}
                details |= {"examples": found.examples[worst]}
            decision = Decision(
                "different",
                f"words within {grouping.kind}s differ by more than chance explains{'; ' + told if told else ''}",
            )
        p_value = permutation_p_value(float(found.statistic[0]), found.statistic[1:])
        return _Answer(decision, p_value=p_value, p_adjusted=p_adjusted, details=details)

    def _missing(self, sides: _Sides) -> _Answer:
        asked = [sides.groupings["task"], sides.groupings["language"]]
        found = [missing for grouping in asked if (missing := Missing.of(grouping))]
        if not found:
            return _undecided("; ".join(grouping.nothing_shared or "" for grouping in asked))
        worst = max(found, key=lambda each: each.proportion)
        p_value = min(1.0, min(each.p_value for each in found) * len(found))
        p_adjusted = min(1.0, p_value / MISSING_LEVEL)
        upper = max(each.upper(self.alpha) for each in found)
        details: dict[str, JsonValue] = {
            "missing": {each.grouping.kind: list(each.names) for each in found},
            "only_simulated": {each.grouping.kind: list(each.only_simulated) for each in found},
            "margin": self.missing_margin,
            "equivalence_upper": upper,
        }
        kinds = " and ".join(f"{each.grouping.kind}s" for each in found)
        if p_adjusted <= self.alpha:
            said = "; ".join(each.told for each in found if each.names)
            decision = Decision("different", f"{said}: simulate it, or compare without it")
            details |= {
                "giveaway": said[0].upper() + said[1:],
                "examples": worst.examples(sides.real.conversations),
            }
        elif upper <= self.missing_margin:
            decision = Decision(
                "aligned",
                f"all {kinds} of people are simulated, but for at most {upper:.1%} of their users or conversations "
                f"(margin {self.missing_margin:.0%})",
            )
        else:
            told = [each.told for each in found if each.names] or [f"no {kinds} are seen to be missing"]
            least = max(each.least_people(self.missing_margin, self.alpha) for each in found)
            decision = Decision(
                "undecided",
                f"{'; '.join(told)}; at most {upper:.1%} of people's users or conversations are missing (margin "
                f"{self.missing_margin:.0%}): at least {least} people, none of whose {kinds} is missing, would show it",
            )
        return _Answer(
            decision, "proportion of people", worst.proportion, None, p_value, p_adjusted, None, details
        )

    def _finding(self, name: str, answer: _Answer, sides: _Sides, seed: int) -> Finding:
        design = sides.design
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=answer.estimate,
            unit=answer.unit,
            interval=answer.interval,
            p_value=answer.p_value,
            p_adjusted=answer.p_adjusted,
            noise_floor=answer.noise_floor,
            verdict=answer.decision.verdict,
            reason=answer.decision.reason,
            n_real=len(sides.real),
            n_simulated=len(sides.simulated),
            seed=seed,
            version=self.version,
            source=self.source,
            details={
                **answer.details,
                "n_units_real": design.real.n_units,
                "n_units_simulated": design.simulated.n_units,
                "n_resamples": self.n_resamples,
            }
            if answer.details
            else {},
        )


def _undecided(reason: str | None) -> _Answer:
    return _Answer(Decision("undecided", reason or ""))


def _in_words(cell: Cell) -> str:
    delta, spread = map(float, cell.contrast.estimates)
    how = f"{delta:+.2f}" if abs(delta) >= abs(spread) else f"{spread:+.2f} in spread"
    return f"{shown(cell.group)}: {cell.metric.replace('_', ' ')} {how}"
