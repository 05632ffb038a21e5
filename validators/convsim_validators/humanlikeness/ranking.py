"""How human several simulators read, and which of them a discriminator catches that learned from another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from convsim.schema import Corpus, Standing
from convsim.seeds import child_seed
from convsim.stats.discriminator import cross_fit
from convsim_validators.humanlikeness.features import NO_FEATURES, logistic_regression, words
from convsim_validators.humanlikeness.scores import Scores, score
from convsim_validators.humanlikeness.transfer import Caught, Discriminator
from convsim_validators.humanlikeness.two_sample import MIN_UNITS, Sides


@dataclass(frozen=True)
class Compared:
    """A discriminator for each simulator, and why there is none for the others."""

    sides: dict[str, Sides]
    discriminators: dict[str, Discriminator]
    scores: dict[str, Scores]
    unfitted: dict[str, str]
    """Reasons, by simulator."""

    @classmethod
    def of(cls, real: Corpus, simulated: Mapping[str, Corpus], *, n_resamples: int, seed: int) -> Compared:
        """Cross-fit two discriminators of words for each simulator.

        HLS is that of the finding `hls` at this seed, whose vocabulary is of two sides. The discriminators that judge
        all simulators share one vocabulary, made of everybody's texts without their labels, so that none is better
        known than another.
        """
        from threadpoolctl import threadpool_limits

        sides = {name: Sides.without_shared_texts(real, corpus) for name, corpus in simulated.items()}
        read = words([t for corpus in (real, *simulated.values()) for t in corpus.user_texts], len(real)).read
        discriminators: dict[str, Discriminator] = {}
        scores: dict[str, Scores] = {}
        unfitted: dict[str, str] = {}
        own = child_seed(seed, "simulator")
        for name, both in sides.items():
            if too_few := both.too_few("remain"):
                unfitted[name] = too_few
                continue
            view = words([*both.real.user_texts, *both.simulated.user_texts], len(both.real))
            if not view.names:
                unfitted[name] = NO_FEATURES
                continue
            # Small products on many BLAS threads wait for one another: ten times slower on a busy machine.
            with threadpool_limits(1):
                fitted = cross_fit(both.rows(view.features), logistic_regression, seed=own)
                discriminators[name] = Discriminator.fit(both, read, seed=own)
            scores[name] = score(fitted, n_resamples=n_resamples, seed=own)
        return cls(sides, discriminators, scores, unfitted)

    def standings(self, say: Callable[..., Standing]) -> Iterator[Standing]:
        """Yield `relative_hls` of each simulator, then `generalisation` of each ordered pair, itself included.

        Args:
            say: Makes a standing of what is said here; the validator, its version, source and seed are filled in.
        """
        for name, sides in self.sides.items():
            yield say(
                metric="relative_hls",
                question="How human does the simulator's side read, beside people's own by the same discriminator?",
                simulator=name,
                unit="multiple of people's mean probability of human",
                n_real=len(sides.real),
                n_simulated=len(sides.simulated),
                **self._relative_hls(name),
            )
        for name, against in product(self.sides, repeat=2):
            yield say(
                metric="generalisation",
                question="Does a discriminator that learned to catch the other simulator catch this one?",
                simulator=name,
                against=against,
                unit="share of conversations called simulated",
                n_real=len(self.sides[against].real),
                n_simulated=len(self.sides[name].simulated),
                **self._generalisation(name, against),
            )

    def _relative_hls(self, name: str) -> dict[str, object]:
        n_shared = self.sides[name].n_shared
        shared = {"n_shared_texts_real": n_shared[0], "n_shared_texts_simulated": n_shared[1]}
        if name in self.unfitted:
            return {"reason": self.unfitted[name], "details": shared}
        scores = self.scores[name]
        return {
            "estimate": scores.relative_hls,
            "interval": scores.relative_interval(),
            "reason": f"HLS {scores.hls:.3f}, and people score {scores.people:.3f} with the same discriminator",
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
            return {"reason": f"no discriminator: {self.unfitted[against]}"}
        if sides.n_units[1] < MIN_UNITS:
            return {
                "reason": f"{sides.n_units[1]} independent units of the simulator remain; at least {MIN_UNITS} are "
                "needed to decide anything"
            }
        discriminator = self.discriminators[against]
        caught: Caught = (
            discriminator.on_its_own()
            if name == against
            else discriminator.on_another(sides.simulated, sides.group[~sides.is_human])
        )
        return {
            "estimate": caught.share,
            "interval": caught.interval,
            "reason": f"it calls {caught.share:.0%} of {caught.n} conversations simulated, and "
            f"{discriminator.false_alarms:.0%} of people's that it has not learned from",
            "details": {
                "mean_probability_human": caught.mean_probability,
                "false_alarms": discriminator.false_alarms,
            },
        }
