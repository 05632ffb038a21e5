"""What gives a crowd away: a sentence with both sides' numbers, and the conversations that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from convsim._text import plain
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.schema.conversation import Conversation
from convsim.stats.manifolds import K_NEAREST, Space
from convsim_validators.diversity.compared import Compared
from convsim_validators.diversity.kinds import Kind, Kinds
from convsim_validators.diversity.measures import Measured

N_SIMULATED, N_PEOPLE = 3, 1
N_HABITS = 3
MAX_OPENING = 60


@dataclass(frozen=True)
class Telling:
    """Words and examples for what was found to differ."""

    compared: Compared
    kinds: Kinds

    def giveaway(self, measured: Measured) -> str:
        """Say in a plain sentence how the sides differ."""
        said: Mapping[str, Callable[[Measured], str]] = {
            "coverage": lambda m: self._uncovered(m, "with habits like theirs"),
            "text_coverage": lambda m: self._uncovered(m, "who says the like"),
            "forward_kl": lambda _: self._missed(),
            "backward_kl": lambda _: self._invented(),
            "habit_spread": self._narrow,
            "openings": self._openings,
            "effective_number": self._worth,
            "near_duplicates": self._repeated,
            "persona_icc": self._steady,
        }
        return said[measured.measure.name](measured)

    def examples(self, measured: Measured) -> list[JsonValue]:
        """Return up to three conversations of the simulator that show it best, and one of people."""
        name, compared = measured.measure.name, self.compared
        points = compared.points
        is_real = points.units.is_real
        if name in ("forward_kl", "backward_kl"):
            return self._of_kinds(missed=name == "forward_kl")
        if name == "persona_icc":
            return []
        telling = self._by_unit(name)
        found: list[JsonValue] = []
        for side, members, n in (("simulated", ~is_real, N_SIMULATED), ("people", is_real, N_PEOPLE)):
            rows = np.flatnonzero(members)
            for unit in rows[np.argsort(-telling[rows], kind="stable")[:n]]:
                conversation = points.conversation(int(unit))
                message = _first_of_user(conversation) if name == "openings" else None
                found.append(_example(side, conversation.id, message))
        return found

    def _by_unit(self, name: str) -> FloatArray:
        """Return how telling each unit is: for coverage how crowded the simulated and how lonely people are."""
        points = self.compared.points
        is_real = points.units.is_real
        if name in ("coverage", "text_coverage"):
            space = points.habit_space if name == "coverage" else points.texts.space
            assert space is not None
            return _lonely_people(space, is_real)
        own = is_real[:, None] == is_real[None, :]
        if name == "habit_spread":
            assert points.habit_space is not None
            apart = (points.habit_space.distance * own).sum(axis=1, dtype=np.float64)
            return self._people_last(-apart)
        if name == "openings":
            same = points.opening_of[:, None] == points.opening_of[None, :]
            return self._people_last((same & own).sum(axis=1).astype(np.float64))
        if name == "near_duplicates":
            return self._people_last(
                np.asarray(points.texts.twins.multiply(own).sum(axis=1), np.float64).ravel()
            )
        return self._people_last((points.texts.squared_similarity * own).mean(axis=1, dtype=np.float64))

    def _people_last(self, repeats: FloatArray) -> FloatArray:
        """Look for the simulated units that repeat most, and the people that do least."""
        return np.where(self.compared.points.units.is_real, -repeats, repeats)

    def _uncovered(self, measured: Measured, how: str) -> str:
        people, simulated = measured.levels
        return (
            f"{1 - simulated:.0%} of people have no simulated shopper {how} among their {K_NEAREST} nearest "
            f"({1 - people:.0%} between two groups of people)"
        )

    def _narrow(self, measured: Measured) -> str:
        people, simulated = measured.levels
        points = self.compared.points
        is_real, scores = points.units.is_real, points.habits.scores
        of_people, of_simulated = scores[is_real].std(axis=0), scores[~is_real].std(axis=0)
        ratio = np.divide(of_simulated, of_people, out=np.ones_like(of_people), where=of_people > 0)
        least = np.argsort(ratio, kind="stable")[:N_HABITS]
        named = [f"{points.habits.scored[place]} ({ratio[place]:.0%})" for place in least]
        return (
            f"simulated shoppers' habits lie {simulated / people:.0%} as far apart as people's; the least varied: "
            f"{', '.join(named)} of people's standard deviation"
        )

    def _missed(self) -> str:
        kind = min(self.kinds.listed, key=lambda kind: kind.apart)
        return (
            f"{kind.share_real:.0%} of people, but {kind.share_simulated:.0%} of simulated shoppers behave like this: "
            f"{kind.described}"
        )

    def _invented(self) -> str:
        kind = max(self.kinds.listed, key=lambda kind: kind.apart)
        return (
            f"{kind.share_simulated:.0%} of simulated shoppers, but {kind.share_real:.0%} of people behave like this: "
            f"{kind.described}"
        )

    def _openings(self, measured: Measured) -> str:
        points = self.compared.points
        simulated = np.flatnonzero(~points.units.is_real)
        counts = np.bincount(points.opening_of[simulated])
        unit = int(simulated[points.opening_of[simulated] == counts.argmax()][0])
        first = next((m.content for m in points.conversation(unit).user_messages), "")
        opening = plain(" ".join(first.split()), limit=MAX_OPENING)
        people, level = measured.levels
        return (
            f"{level:.0%} of simulated first messages are distinct, {people:.0%} of people's; the commonest, "
            f"“{opening}”, begins {counts.max()} of {len(simulated)} simulated conversations"
        )

    def _worth(self, measured: Measured) -> str:
        people, simulated = measured.levels
        n = min(self.compared.dealt.n)
        return (
            f"{n} simulated shoppers are worth {simulated:.0f} wholly different ones, {n} people {people:.0f}"
        )

    def _repeated(self, measured: Measured) -> str:
        people, simulated = measured.levels
        return f"{simulated:.0%} of simulated conversations nearly repeat another's words, {people:.0%} of people's"

    def _steady(self, measured: Measured) -> str:
        people, simulated = measured.levels
        return (
            f"of the variance of habits {max(0.0, simulated):.0%} lies between simulated shoppers, "
            f"{max(0.0, people):.0%} between people; the rest is between conversations of one"
        )

    def _of_kinds(self, *, missed: bool) -> list[JsonValue]:
        """Return typical conversations: of people in the kinds that are missed, of the simulator in those it adds."""
        ranked = sorted(self.kinds.listed, key=lambda kind: kind.apart, reverse=not missed)
        unlike: Callable[[Kind], bool] = (lambda k: k.apart < 0) if missed else (lambda k: k.apart > 0)
        told = [kind for kind in ranked if unlike(kind)]
        of_people = [kind.real for kind in (told if missed else reversed(ranked)) if kind.real][:N_PEOPLE]
        added = reversed(ranked) if missed else told
        of_simulated = [kind.simulated for kind in added if kind.simulated][:N_SIMULATED]
        return [
            *(_example("simulated", name) for name in of_simulated),
            *(_example("people", name) for name in of_people),
        ]


def _lonely_people(space: Space, is_real: BoolArray) -> FloatArray:
    """Return of people how far the nearest simulated unit is, of simulated units how near the nearest ones are."""
    away = space.distance.copy()
    np.fill_diagonal(away, np.inf)
    to_simulated = away[:, ~is_real]
    k = min(K_NEAREST, to_simulated.shape[1] - 1)
    near = np.partition(to_simulated, k - 1, axis=1)[:, :k]
    return np.asarray(np.where(is_real, near.min(axis=1), -near.mean(axis=1)), np.float64)


def _first_of_user(conversation: Conversation) -> int | None:
    return next((place for place, each in enumerate(conversation.messages) if each.role == "user"), None)


def _example(side: str, conversation: str, message: int | None = None) -> JsonValue:
    return {"side": side, "conversation": conversation, "message": message, "value": None}
