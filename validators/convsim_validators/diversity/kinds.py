"""The kinds of behaviour among both sides: which the simulator has, lacks or adds, in words and with an example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import JsonValue

from convsim._text import plain
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.stats.cluster_divergence import shares
from convsim.stats.kernel import embed
from convsim_validators.diversity.compared import Compared

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Status = Literal["captured", "missed", "invented"]
LEVEL = 0.95
"""Of the largest difference among all kinds: none is named where nothing differs, in so many of the cases."""
FACTOR = 2.0
"""What the other side has half as often, at most, is missed or invented; less than that is captured."""
N_WORDS, N_HABITS = 6, 3
MIN_CONVERSATIONS = 3
"""Of a kind that hold a word, for it to stand for the kind."""
MIN_APART = 0.3
"""A habit that is nearer to the others', in standard deviations, does not stand for a kind."""
MAX_CHARACTERS = 40


@dataclass(frozen=True)
class Kind:
    """One cluster of behaviour."""

    status: Status
    share_real: float
    share_simulated: float
    words: tuple[str, ...]
    habits: tuple[str, ...]
    real: str | None
    """The conversation of people that is most typical; None where there is none."""
    simulated: str | None

    @property
    def apart(self) -> float:
        """How much more often the simulator has it, as a difference of proportions."""
        return self.share_simulated - self.share_real

    @property
    def described(self) -> str:
        """In words: its habits, else what is said."""
        said = ", ".join(f"“{word}”" for word in self.words[:3])
        return ", ".join(self.habits) or (f"says {said}" if said else "nothing stands out")

    def stated(self) -> dict[str, JsonValue]:
        """Return it as details have it."""
        return {
            "status": self.status,
            "share_real": self.share_real,
            "share_simulated": self.share_simulated,
            "words": list(self.words),
            "habits": list(self.habits),
            "real": self.real,
            "simulated": self.simulated,
        }


@dataclass(frozen=True)
class Kinds:
    """Describes the clusters of both sides."""

    compared: Compared

    @cached_property
    def listed(self) -> list[Kind]:
        """All of them: missed ones first, then invented ones, then captured ones, the largest difference first."""
        points = self.compared.points
        sides = [points.units.is_real, ~points.units.is_real]
        found = []
        for cluster, status in enumerate(self._status):
            inside = points.cluster_of == cluster
            people, simulated = (float((inside & side).sum() / side.sum()) for side in sides)
            real, shopper = (self._typical(inside, side) for side in sides)
            words, habits = self._words_of(inside), self._habits_of(inside)
            found.append(Kind(status, people, simulated, words, habits, real, shopper))
        order = ("missed", "invented", "captured")
        return sorted(found, key=lambda kind: (order.index(kind.status), -abs(kind.apart)))

    @cached_property
    def _status(self) -> list[Status]:
        """Tell of each cluster whether its shares differ by more than chance makes the largest difference of any."""
        points, dealt = self.compared.points, self.compared.dealt
        people, simulated = (
            shares(points.cluster_of, points.n_clusters, side) for side in (dealt.people, dealt.simulated)
        )
        apart = simulated - people
        spread = apart.std(axis=1, keepdims=True)
        z = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
        least = float(np.quantile(np.abs(z).max(axis=0), LEVEL))
        found: list[Status] = []
        for cluster in range(points.n_clusters):
            p, q = people[cluster, 0], simulated[cluster, 0]
            missed = z[cluster, 0] < -least and q * FACTOR <= p
            invented = z[cluster, 0] > least and p * FACTOR <= q
            found.append("missed" if missed else "invented" if invented else "captured")
        return found

    @cached_property
    def _said(self) -> tuple[csr_matrix, list[str], FloatArray]:
        """Return the words of each unit, which words they are, and how rare each is."""
        points = self.compared.points
        texts = [*points.real.user_texts, *points.simulated.user_texts]
        matrix, words = embed([texts[row] for row in points.rows])
        said = matrix[:, : len(words)].tocsr()
        rarity = np.log((1 + said.shape[0]) / (1 + np.bincount(said.indices, minlength=len(words))))
        return said, words, rarity

    def _words_of(self, inside: BoolArray) -> tuple[str, ...]:
        said, words, rarity = self._said
        if not words or inside.all():
            return ()
        of_kind, others = said[inside], said[~inside]
        more = np.asarray(of_kind.mean(axis=0) - others.mean(axis=0)).ravel()
        more *= rarity * (np.bincount(of_kind.indices, minlength=len(words)) >= MIN_CONVERSATIONS)
        best = np.argsort(-more, kind="stable")[:N_WORDS]
        return tuple(plain(words[place], limit=MAX_CHARACTERS) for place in best if more[place] > 0)

    def _habits_of(self, inside: BoolArray) -> tuple[str, ...]:
        habits = self.compared.points.habits
        if inside.all():
            return ()
        apart = habits.scores[inside].mean(axis=0) - habits.scores[~inside].mean(axis=0)
        order = np.argsort(-np.abs(apart), kind="stable")[:N_HABITS]
        best = [place for place in order if abs(apart[place]) >= MIN_APART]
        return tuple(
            f"{'more' if apart[place] > 0 else 'less'} {habits.scored[place]} "
            f"({_mean(habits.values[inside, place])} against {_mean(habits.values[~inside, place])})"
            for place in best
        )

    def _typical(self, inside: BoolArray, side: BoolArray) -> str | None:
        points = self.compared.points
        members = np.flatnonzero(inside & side)
        if not len(members):
            return None
        scores = points.habits.scores
        away = ((scores[members] - scores[inside].mean(axis=0)) ** 2).sum(axis=1)
        return points.conversation(int(members[away.argmin()])).id


def _mean(values: FloatArray) -> str:
    known = values[~np.isnan(values)]
    return f"{known.mean():.3g}" if len(known) else "undefined"
