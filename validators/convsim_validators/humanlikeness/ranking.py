"""How human several simulators read, and whether a classifier trained on one recognises another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from convsim.schema import Corpus, SimulatorScore
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import child_seed
from convsim.stats.discriminator import Classifier, CrossFitted, cross_fit, cross_fit_repeatedly
from convsim.stats.ngrams import ReadTexts
from convsim.stats.proportions import wilson_limits
from convsim.stats.scores import REPEATS, SHARED_FOLDS, Scores, says_human, score
from convsim.stats.sides import MIN_UNITS, Sides
from convsim.stats.units import folded_texts
from convsim_validators.humanlikeness.features import NO_FEATURES, words


class Recognition(NamedTuple):
    """What a discriminator says of one simulator's conversations."""

    share: float
    """Called simulated, at equal prior weights and threshold .5; a tie is half of a call."""
    interval: tuple[float, float]
    mean_probability: float
    """Of "human"."""
    n: int
    """Conversations."""


@dataclass(frozen=True)
class Discriminator:
    """Five folds' judges of people against one simulator: none has learned from the fold that it is named by."""

    sides: Sides
    read: ReadTexts
    fitted: CrossFitted

    @classmethod
    def fit(
        cls, sides: Sides, read: ReadTexts, make: Callable[[], Classifier], *, seed: int
    ) -> Discriminator:
        """Cross-fit on both sides' words.

        Args:
            sides: People and the simulator to catch.
            read: Makes features of texts. Its vocabulary must hold, without labels, the texts of all simulators that
                will be judged: with that of ``sides`` alone, rare words of held-out conversations are known and those
                of other simulators are not, and equals of it are recognised 1 to 3 points more often than it.
            make: Makes what learns from them.
            seed: Of the folds.
        """
        texts = [*sides.real.user_texts, *sides.simulated.user_texts]
        return cls(sides, read, cross_fit(sides.rows(read(texts)), make, seed=seed))

    @property
    def false_alarms(self) -> float:
        """The proportion of people called simulated, each by the judge that saw none of their conversations."""
        return float(1 - says_human(self.fitted.probability[self.fitted.is_human]).mean())

    def on_its_own(self) -> Recognition:
        """Judge the simulator that it learned to catch, each conversation by the judge that has not seen its unit."""
        rows = ~self.fitted.is_human
        probability = self.fitted.probability[rows]
        return _recognition(
            1 - says_human(probability), probability, self.fitted.group[rows], shared_folds=True
        )

    def on_another(self, other: Corpus, group: IntArray) -> Recognition:
        """How many of another simulator's conversations does it call simulated?

        No judge has learned from the other simulator, but it may have met the same person, persona or text on the
        sides that it has learned from, and then it would recognise what was talked about. So each conversation is
        judged by the folds' judges that met none of these, on average over them; by all five where every one has
        (a persona in many conversations, a phrase that simulators share), as in the discriminator's own simulator.

        The interval is Wilson's, with at most as many conversations as there are units. It covers what drawing other
        conversations of ``other`` moves; the discriminator is taken as it is. ``on_its_own`` has half as many, since
        folds learn from one another (see ``Scores.interval``).

        Args:
            other: Conversations of the other simulator, at least one.
            group: Shape (n,): the unit of each.

        Source:
            Meshi et al. (2026), ConvApparel, on discriminators and simulators they were not trained against; Wilson
            (1927), Probable inference. Which judges are asked, and the number of units, is ours.
        """
        features = self.read(other.user_texts)
        probability = np.stack([judge.probability(features) for judge in self.fitted.judges])
        weight = self._may_judge(other).astype(np.float64)
        weight /= weight.sum(axis=0)
        calls = ((1 - says_human(probability)) * weight).sum(axis=0)
        return _recognition(calls, (probability * weight).sum(axis=0), group, shared_folds=False)

    def _may_judge(self, other: Corpus) -> BoolArray:
        """Return which folds' judges are asked of each conversation; shape (folds, conversations)."""
        learned = [*_users(self.sides.real), *_relatives(self.sides.simulated)]
        folds_of: dict[tuple[str, str], set[int]] = {}
        for keys, fold in zip(learned, self.fitted.fold.tolist(), strict=True):
            for key in keys:
                folds_of.setdefault(key, set()).add(fold)
        may = np.ones((len(self.fitted.judges), len(other)), bool)
        for row, keys in enumerate(_relatives(other)):
            met: set[int] = set().union(*(folds_of.get(key, ()) for key in keys))
            if len(met) == 1:
                may[:, row] = np.arange(len(may)) == met.pop()
        return may


def _users(corpus: Corpus) -> list[set[tuple[str, str]]]:
    return [set() if c.user is None else {("user", c.user)} for c in corpus.conversations]


def _relatives(corpus: Corpus) -> list[set[tuple[str, str]]]:
    rows = zip(_users(corpus), corpus.units, folded_texts(corpus), strict=True)
    return [users | {("unit", str(unit)), ("text", text)} for users, unit, text in rows]


def _recognition(
    calls: FloatArray, probability: FloatArray, group: IntArray, *, shared_folds: bool
) -> Recognition:
    from scipy.stats import norm

    share = float(calls.mean())
    n = _effective_units(calls, group) / (SHARED_FOLDS**2 if shared_folds else 1)
    low, high = wilson_limits(np.asarray([share]), np.asarray([n]), float(norm.ppf(0.975)))
    return Recognition(share, (float(low[0]), float(high[0])), float(probability.mean()), len(calls))


def _effective_units(calls: FloatArray, group: IntArray) -> float:
    """How many independent conversations would know the share as well? At most one a unit, at least one."""
    units, unit_of = np.unique(group, return_inverse=True)
    share = float(calls.mean())
    by_unit = np.bincount(unit_of, calls - share)
    variance = float((by_unit**2).sum()) * len(units) / max(1, len(units) - 1) / len(calls) ** 2
    if variance <= 0:
        return float(len(units))
    return min(float(len(units)), max(1.0, share * (1 - share) / variance))


@dataclass(frozen=True)
class Compared:
    """A discriminator for each simulator, and why there is none for the others."""

    sides: dict[str, Sides]
    discriminators: dict[str, Discriminator]
    scores: dict[str, Scores]
    unfitted: dict[str, str]
    """Reasons, by simulator."""

    @classmethod
    def of(
        cls, real: Corpus, simulated: Mapping[str, Corpus], *, n_resamples: int, max_exact: int, seed: int
    ) -> Compared:
        """Cross-fit two discriminators of words for each simulator.

        HLS is that of the finding `hls` at this seed, whose vocabulary is of two sides. The discriminators that judge
        all simulators share one vocabulary, made of everybody's texts without their labels, so that none is better
        known than another.
        """
        from threadpoolctl import threadpool_limits

        sides = {name: Sides.of(real, corpus) for name, corpus in simulated.items()}
        everything = [t for corpus in (real, *simulated.values()) for t in corpus.user_texts]
        hashes = max([len(real), *map(len, simulated.values())]) > max_exact
        everybody = words(
            everything, len(real), np.arange(len(everything)), max_exact=0 if hashes else len(everything)
        )
        discriminators: dict[str, Discriminator] = {}
        scores: dict[str, Scores] = {}
        unfitted: dict[str, str] = {}
        own = child_seed(seed, "simulator")
        for name, both in sides.items():
            if too_few := both.too_few("were held") or both.not_divisible():
                unfitted[name] = too_few
                continue
            texts = [*both.real.user_texts, *both.simulated.user_texts]
            view = words(texts, len(both.real), both.group, max_exact=max_exact)
            if not view.names:
                unfitted[name] = NO_FEATURES
                continue
            # Small products on many BLAS threads wait for one another: ten times slower on a busy machine.
            with threadpool_limits(1):
                rows = both.rows(view.features)
                repeats = cross_fit_repeatedly(rows, view.make, repeats=REPEATS, seed=own)
                discriminators[name] = Discriminator.fit(both, everybody.read, everybody.make, seed=own)
            scores[name] = score(repeats, n_resamples=n_resamples, seed=own)
        return cls(sides, discriminators, scores, unfitted)

    def simulator_scores(self, say: Callable[..., SimulatorScore]) -> Iterator[SimulatorScore]:
        """Yield `relative_hls` of each simulator, then `generalisation` of each ordered pair, itself included.

        Args:
            say: Makes a standing of what is said here; the validator, its version, source and seed are filled in.
        """
        for name, sides in self.sides.items():
            yield say(
                metric="relative_hls",
                question="How human does the simulator read, compared with people, to the same classifier?",
                simulator=name,
                unit="multiple of people's mean probability of “human”",
                n_real=len(sides.real),
                n_simulated=len(sides.simulated),
                **self._relative_hls(name),
            )
        for name, against in product(self.sides, repeat=2):
            yield say(
                metric="generalisation",
                question="Does a classifier trained to recognise the other simulator recognise this one?",
                simulator=name,
                against=against,
                unit="proportion of conversations called simulated",
                n_real=len(self.sides[against].real),
                n_simulated=len(self.sides[name].simulated),
                **self._generalisation(name, against),
            )

    def _relative_hls(self, name: str) -> dict[str, object]:
        n_shared = self.sides[name].n_shared_texts
        shared = {"n_shared_texts_real": n_shared[0], "n_shared_texts_simulated": n_shared[1]}
        if name in self.unfitted:
            return {"reason": self.unfitted[name], "details": shared}
        scores = self.scores[name]
        return {
            "estimate": scores.relative_hls,
            "interval": scores.relative_interval(),
            "reason": f"HLS {scores.hls:.3f}; people score {scores.people:.3f} with the same classifier",
            "details": {
                "hls": scores.hls,
                "hls_interval": list(scores.interval("hls")),
                "people": scores.people,
                "people_interval": list(scores.interval("people")),
                **shared,
            },
        }

    def _generalisation(self, name: str, against: str) -> dict[str, object]:
        sides = self.sides[name]
        if against in self.unfitted:
            return {"reason": f"no classifier: {self.unfitted[against]}"}
        if sides.n_units[1] < MIN_UNITS:
            return {
                "reason": f"{sides.n_units[1]} groups of the simulator's conversations have no user, scenario or text "
                f"in common; at least {MIN_UNITS} are needed"
            }
        discriminator = self.discriminators[against]
        recognised: Recognition = (
            discriminator.on_its_own()
            if name == against
            else discriminator.on_another(sides.simulated, sides.group[~sides.is_human])
        )
        return {
            "estimate": recognised.share,
            "interval": recognised.interval,
            "reason": f"it calls {recognised.share:.0%} of {recognised.n} conversations simulated, and "
            f"{discriminator.false_alarms:.0%} of people's conversations that it was not trained on",
            "details": {
                "mean_probability_human": recognised.mean_probability,
                "false_alarms": discriminator.false_alarms,
            },
        }
