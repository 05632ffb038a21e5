"""Scripted raters: what they read of a page, how often they are right, and how many votes a rank needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convsim.web.blind_test.answers import answers
from convsim.web.blind_test.study import matched
from convsim.web.blind_test.votes import votes
from tests.end_to_end.arenas import conversation, running, study
from tests.evidence.raters import SHARES, drawn_accuracies, matched_by_task
from tests.evidence.raters_tables import fewest
from tests.evidence.scripted_raters import Rater, accuracies, first_words, rate, simulator_of, skills

BOT = frozenset([first_words(conversation(0, simulator="bot"))])


@pytest.mark.parametrize(("skill", "right"), [(1.0, 12), (0.0, 0)])
def test_a_rater_reads_the_served_pages_and_is_right_by_its_skill(
    tmp_path: Path, skill: float, right: int
) -> None:
    made = study(mode="pair")
    with running(tmp_path / "arena.sqlite", made) as arena:
        assert rate(arena.port, [Rater(skill, BOT)], n=len(made.trials), seed=1) == 2 + 2 * len(made.trials)
        cast = votes(made, answers(arena.database))
    assert (len(cast), sum(vote.right for vote in cast)) == (12, right)


def test_between_two_people_a_rater_guesses(tmp_path: Path) -> None:
    made = study(mode="pair")
    with running(tmp_path / "arena.sqlite", made) as arena:
        rate(arena.port, [Rater(1.0, frozenset())], n=len(made.trials), seed=2)
        cast = votes(made, answers(arena.database))
    assert 0 < sum(vote.right for vote in cast) < len(cast)


def test_skills_lie_about_the_middle() -> None:
    drawn = skills(0.75, 2000, np.random.default_rng(1))
    assert np.median(drawn) == pytest.approx(0.75, abs=0.01)
    assert 0.5 < drawn.std() / 0.09 < 2


def test_accuracy_grows_with_the_share_and_is_chance_for_people() -> None:
    drawn = [drawn_accuracies(1000, 1, 0.9, np.random.default_rng(seed), spread=0.0) for seed in range(20)]
    expected = [0.5 + 0.4 * share for share in SHARES]
    assert np.mean(drawn, axis=0) == pytest.approx(expected, abs=0.02)


def test_votes_of_the_first_raters_count() -> None:
    cast = [[1, 0, 1], [1, 1, 0], [2, 0, 0], [2, 1, 0]]
    assert accuracies(cast, ["a", "b"], n_raters=1) == [1.0, 0.0]
    assert accuracies(cast, ["a", "b"], n_raters=2) == [0.5, 0.0]
    assert simulator_of({"shown": [{"simulator": None}, {"simulator": "b"}]}) == "b"


def test_the_fewest_votes_are_those_from_which_on_all_suffice() -> None:
    agrees = dict(zip((10, 20, 50, 100, 200, 400), (0.1, 0.9, 0.7, 0.85, 0.9, 1.0), strict=True))
    assert fewest({(0.9, 3, votes): p for votes, p in agrees.items()}, 0.9, 3) == 100
    assert fewest({(0.9, 3, votes): 0.5 for votes in agrees}, 0.9, 3) is None


def test_the_arena_is_given_no_agents_so_that_who_has_one_is_not_preferred() -> None:
    people = [conversation(number, simulator=None).but(arm="a", agent="a") for number in range(10)]
    mixed = [c.but(simulator="mixed") for c in people]
    mixed += [conversation(number, simulator="mixed").but(id=f"bot-{number}") for number in range(10)]
    of = [c.but(id=f"real-{c.id}") for c in people]
    drawn = [pair[1].id for pair in matched(of, {"mixed": mixed}, n=8, seed=1)]
    assert not any(name.startswith("bot") for name in drawn)
    drawn = [
        pair[1].id for pair in matched(matched_by_task(of), {"mixed": matched_by_task(mixed)}, n=8, seed=1)
    ]
    assert 1 <= sum(name.startswith("bot") for name in drawn) < 8
