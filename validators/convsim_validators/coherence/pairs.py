"""Do users answer what the agent has just said as people do? A classifier and a test that see pairs of messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus, HumanBaseline
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import child_seed, generator
from convsim.stats.decision import Decision, equivalence_level
from convsim.stats.discriminator import cross_fit_repeatedly, out_of_fold_aucs
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.own_units import one_of_each_unit
from convsim.stats.recognition import Recognition
from convsim.stats.resampling import Weights
from convsim.stats.scores import Scores, score
from convsim.stats.sides import Sides
from convsim.stats.two_sample import Compared, Distances, distances, enough_rows
from convsim.stats.units import some_units
from convsim.stats.view import View, logistic_regression, tells
from convsim_validators.coherence.exchanges import Exchanges, Feature

MAX_TESTED = 5_000
"""Conversations of a side that are looked at; of more, whole users or personas at random."""
MAX_LEARNED = 1_000
"""Of these, those that a classifier is trained on; chosen likewise."""
HUMAN_SPLITS = 5
WEIGHTS: Mapping[str, float] = {"echo": 6.0, "answer": 2.0, "word": 3.0, "reply": 3.0}
"""By kind of feature: the sum of their variances, which is how far a classifier trusts them beside its penalty."""
N_EXAMPLES = {"simulated": 3, "people": 1}


@dataclass(frozen=True)
class Pairs:
    """What is known of the pairs of both sides: the two-sample test, the classifier, and why either is missing.

    H0: conversations of the two sides are exchangeable by unit. Features are of pairs of an agent's and a user's
    message, and not of either speaker alone (``Exchanges.of``): a user's side of another conversation has all marginal
    habits of people, and none of these.

    Source:
        Gretton et al. (2012), A kernel two-sample test; Lopez-Paz and Oquab (2017), Revisiting classifier two-sample
        tests. The features are ours.
    """

    sides: Sides
    """The conversations with a pair."""
    exchanges: Exchanges
    view: View | None
    distances: Distances | None
    """None where there is nothing to test, or the sides can be dealt anew in too few ways."""
    scores: Scores | None
    control_aucs: FloatArray
    """Shape (human splits,)."""
    reason: str | None
    """Why there is no classifier."""

    @classmethod
    def of(
        cls,
        real: Corpus,
        simulated: Corpus,
        deal: Callable[[], Weights] | None,
        *,
        n_resamples: int,
        seed: int,
    ) -> Pairs:
        """Test the pairs, and train classifiers on them: twenty fits, and five for each of five splits of the people.

        Of sides of over 5,000 conversations some are chosen, and dealt anew for themselves: what is corrected together
        with other questions then hangs together less than it does, which errs to the cautious side.

        Args:
            real: People.
            simulated: The simulator.
            deal: Returns what ``Design.dealings`` of these sides does, shape (units, 1 + permutations); None where the
                sides can be dealt anew in too few ways. Not called for sides of which some are chosen.
            n_resamples: Draws of the interval, and dealings of those chosen.
            seed: Moves folds, splits and draws.
        """
        if max(len(real), len(simulated)) > MAX_TESTED:
            sides = Sides.of(*_some(real, simulated, MAX_TESTED, seed))
            anew = generator(seed, "pairs", "dealings")
            dealt = sides.design.dealings(n_resamples, anew) if deal else None
            return cls._of(sides, dealt, n_resamples=n_resamples, seed=seed)
        return cls._of(Sides.of(real, simulated), deal and deal(), n_resamples=n_resamples, seed=seed)

    @classmethod
    def _of(cls, everyone: Sides, dealt: Weights | None, *, n_resamples: int, seed: int) -> Pairs:
        from threadpoolctl import threadpool_limits

        exchanges = Exchanges.of((everyone.real, everyone.simulated), everyone.unit_of)
        has_pair = np.zeros(len(everyone.is_human), bool)
        has_pair[exchanges.rows] = True
        sides = everyone.keep(has_pair)
        nothing = np.zeros(0)
        if too_few := sides.too_few("answer an agent"):
            return cls(sides, exchanges, None, None, None, nothing, too_few)
        if not exchanges.columns:
            none = "no reply to the agent varies, so there is nothing to learn from"
            return cls(sides, exchanges, None, None, None, nothing, none)
        unit_of = everyone.unit_of[exchanges.rows]
        view = _view(exchanges, unit_of, everyone.design.is_real)
        apart = None
        with threadpool_limits(1):  # small products on many BLAS threads wait for one another
            if dealt is not None:
                apart = _apart(view, everyone, exchanges.rows, dealt, seed)
            if undivided := sides.not_divisible():
                return cls(sides, exchanges, view, apart, None, nothing, undivided)
            scores, control_aucs = _fit(sides, view, n_resamples=n_resamples, seed=seed)
        return cls(sides, exchanges, view, apart, scores, control_aucs, None)

    @property
    def statistic(self) -> FloatArray | None:
        """Shape (1 + permutations,): the larger, the further from the null; None where nothing was tested."""
        return None if self.distances is None else self.distances.studentised

    @property
    def p_value(self) -> float | None:
        """Of the test alone, before it is corrected for other questions."""
        top = self.statistic
        return None if top is None else permutation_p_value(float(top[0]), top[1:])

    @property
    def n(self) -> tuple[int, int]:
        """Conversations of people and of the simulator in which a user answers the agent."""
        return len(self.sides.real), len(self.sides.simulated)

    @property
    def baseline(self) -> HumanBaseline | None:
        """The AUC between two random halves of the people, over five splits; None where there is no classifier."""
        if self.scores is None:
            return None
        aucs = self.control_aucs
        return HumanBaseline(mean=float(aucs.mean()), q95=float(np.quantile(aucs, 0.95)))

    def recognition(self, margin: float, alpha: float) -> Recognition | None:
        """Return how well the classifier does; None where there is none."""
        return (
            None
            if self.scores is None
            else Recognition(self.scores, self.n, self.sides.n_units, margin, alpha)
        )

    def decide(self, p_adjusted: float | None, margin: float, alpha: float) -> Decision:
        """Return the verdict on the pairs, with the reason."""
        shown = self.giveaway if p_adjusted is not None and p_adjusted <= alpha else None
        found = self.recognition(margin, alpha)
        if found is None:
            assert self.reason is not None
            if shown is None:
                return Decision("undecided", self.reason)
            return Decision("different", f"{shown}; how well a classifier does is not known: {self.reason}")
        untested = self.sides.design.too_few_permutations() if self.distances is None else None
        return found.decide(
            shown,
            lambda: (
                "conversations of the two sides resemble each other in pairs, as copies of people do, or people who "
                "met the same scenarios"
            ),
            untested=untested,
        )

    @property
    def giveaway(self) -> str:
        """In what the sides differ most, with both sides' numbers."""
        if self.distances is None or self.view is None or self.distances.largest is None:
            return "replies differ in many small ways"
        column = self._largest()
        real, simulated = self.exchanges.levels(column, self.sides.is_human)
        return f"{self.exchanges.columns[column].name}: simulated {simulated}, people {real}"

    @property
    def examples(self) -> list[JsonValue]:
        """Conversations that show it: up to three of the simulator, and one of people."""
        if self.distances is None or self.view is None or self.distances.largest is None:
            return []
        column = self._largest()
        values = self.exchanges.features[:, column]
        is_human = self.sides.is_human
        more = float(values[~is_human].mean()) > float(values[is_human].mean())
        conversations = [*self.sides.real.conversations, *self.sides.simulated.conversations]
        listed: list[JsonValue] = []
        for side, of_side in (("simulated", ~is_human), ("people", is_human)):
            sign = 1 if more == (side == "simulated") else -1
            rows = np.flatnonzero(of_side)
            for row in rows[np.argsort(-sign * values[rows], kind="stable")][: N_EXAMPLES[side]].tolist():
                listed.append(
                    {
                        "side": side,
                        "conversation": conversations[row].id,
                        "message": self.exchanges.message(column, row),
                        "value": float(values[row]),
                    }
                )
        return listed

    def details(self, alpha: float) -> dict[str, JsonValue]:
        """Return what a finding says beside its estimate."""
        details: dict[str, JsonValue] = {
            "n_units_real": self.sides.n_units[0],
            "n_units_simulated": self.sides.n_units[1],
            "n_pairs": int(self.exchanges.n_pairs.sum()),
        }
        if self.view is not None:
            details["tells"] = tells(self.view, self.sides.is_human)
        if self.scores is None:
            return details
        return details | {
            "accuracy": self.scores.accuracy,
            "accuracy_interval": list(self.scores.interval("accuracy")),
            "auc": self.scores.auc,
            "auc_interval": list(self.scores.interval("auc")),
            "equivalence_upper": self.scores.interval("auc", equivalence_level(alpha))[1],
            "control_auc": float(self.control_aucs.mean()),
            "control_auc_q95": float(np.quantile(self.control_aucs, 0.95)),
        }

    def _largest(self) -> int:
        """Return the column of all features that differs most on its own scale."""
        assert self.distances is not None
        assert self.distances.largest is not None
        kind, column = self.distances.largest
        return int(np.flatnonzero(_kinds(self.exchanges.columns) == kind)[column])


def _kinds(columns: tuple[Feature, ...]) -> np.ndarray:
    """Number the kind of each column by its place among the kinds that are there."""
    there = [kind for kind in WEIGHTS if any(feature.kind == kind for feature in columns)]
    return np.asarray([there.index(feature.kind) for feature in columns])


def _view(exchanges: Exchanges, unit_of: IntArray, is_real: BoolArray) -> View:
    """Make one kind of features for each kind of columns; those that too few rows have are not looked at alone."""
    spread = exchanges.features.std(axis=0)
    standard = (exchanges.features - exchanges.features.mean(axis=0)) / spread
    kinds = _kinds(exchanges.columns)
    weighed = np.empty_like(standard)
    compared = []
    there = [kind for kind in WEIGHTS if any(feature.kind == kind for feature in exchanges.columns)]
    names = [feature.name for feature in exchanges.columns]
    for number, kind in enumerate(there):
        of_kind = np.flatnonzero(kinds == number)
        has = (exchanges.features[:, of_kind] != 0).mean(axis=0)
        weighed[:, of_kind] = standard[:, of_kind] * np.sqrt(WEIGHTS[kind] * has / has.sum())
        alone = np.where(enough_rows(has, unit_of, is_real), standard[:, of_kind], 0.0)
        compared.append((Compared(weighed[:, of_kind], alone), [names[column] for column in of_kind]))
    counted = (exchanges.features > 0).astype(np.float64)
    kept = np.ones(len(standard), bool)
    return View(weighed, names, counted, compared, kept, (0, 0), {})


def _apart(view: View, everyone: Sides, rows: IntArray, dealt: Weights, seed: int) -> Distances:
    """Compare the sides under each dealing; of units of unequal size by one conversation each.

    What a conversation shows of its user's words and what several do are distributed otherwise, and dealings mix them.

    Args:
        view: What is compared, shape (rows, features).
        everyone: Both sides.
        rows: Which of their conversations these are.
        dealt: Shape (units, 1 + permutations).
        seed: Picks the conversations.
    """
    unit_of = everyone.unit_of[rows]
    kinds = [kind for kind, _ in view.compared]
    if len(np.unique(np.unique(unit_of, return_counts=True)[1])) > 1:
        texts = [*everyone.real.user_texts, *everyone.simulated.user_texts]
        picked = generator(seed, "pairs", "pick")
        [kept] = one_of_each_unit([texts[row] for row in rows], unit_of, picked, n_picks=1)
        kinds = [Compared(kind.weighed[kept], kind.single[kept]) for kind in kinds]
        unit_of = unit_of[kept]
    return distances(kinds, unit_of, dealt)


def _fit(sides: Sides, view: View, *, n_resamples: int, seed: int) -> tuple[Scores, FloatArray]:
    """Return the scores of classifiers, and the AUC between two random halves of the people by split."""
    chosen = [
        some_units(side, MAX_LEARNED, generator(seed, "pairs", "learned", name))
        for side, name in ((sides.real, "real"), (sides.simulated, "simulated"))
    ]
    learned = np.concatenate([chosen[0], len(sides.real) + chosen[1]])
    rows = sides.rows(view.features).take(learned)
    own = child_seed(seed, "pairs")
    repeats = cross_fit_repeatedly(rows, logistic_regression, repeats=1, seed=own)
    is_learned = np.zeros(len(sides.is_human), bool)
    is_learned[learned] = True
    controls, _ = sides.keep(is_learned).controls(rows, n_splits=HUMAN_SPLITS, seed=child_seed(own, "halves"))
    aucs = out_of_fold_aucs(controls, logistic_regression, seed=child_seed(own, "control"))
    return score(repeats, n_resamples=n_resamples, seed=own), aucs


def _some(real: Corpus, simulated: Corpus, most: int, seed: int) -> tuple[Corpus, Corpus]:
    """Return at most so many conversations of each side, whole units at random."""
    some = [
        side.take(some_units(side, most, generator(seed, "pairs", "sample", name)))
        for side, name in ((real, "real"), (simulated, "simulated"))
    ]
    return some[0], some[1]
