"""Successive halving: how much is held, what a spent budget says, and that the same search goes on."""

import numpy as np
import pytest

from convsim.errors import ConvsimError
from convsim.evaluation.halving import Candidate, Round, Search, planned_conversations, rounds_of, search
from convsim.io import write
from convsim.simulation.config import StudyConfig
from tests.populations import crowd

PERSONAS = "".join(f'[[persona]]\nid = "p{i}"\nneed = "boots {i}"\n' for i in range(30))


def test_half_of_the_candidates_go_on():
    assert rounds_of(5, (12, 24, 48)) == [Round(5, 12), Round(3, 24), Round(2, 48)]
    # 5 x 12 + 3 x 12 + 2 x 24 = 144; then 48 of the last, and 96 - 12 of the first, which may have left at once.
    assert planned_conversations(5, (12, 24, 48)) == 144 + 48 + 84
    assert planned_conversations(2, (20,)) == 2 * 20 + 20 + 20


def test_a_spent_budget_stops_the_search_and_more_money_goes_on(tmp_path):
    (tmp_path / "people.toml").write_text(PERSONAS)
    write(tmp_path / "logs.jsonl", crowd(np.random.default_rng(9), 40, wordy=0.5, prefix="l"))
    base = StudyConfig().with_flags(
        {
            "study": {"max_turns": 3, "concurrency": 1},
            "agent": {"name": "tests.doubles:Obliging"},
            "data": {"real": tmp_path / "logs.jsonl", "personas": tmp_path / "people.toml"},
        }
    )
    candidates = [Candidate({"shopper.k": 15}), Candidate({"shopper.k": 30})]
    people = crowd(np.random.default_rng(1), 80, wordy=0.5, prefix="h")
    metrics = ["user_words_per_turn", "user_words_first_message"]

    def going(budget: float | None) -> Search:
        return Search(base, candidates, [20], tmp_path / "runs", budget_usd=budget)

    with pytest.raises(
        ConvsimError, match=r"missing \(budget\); all that was held is kept: .* larger --budget-usd"
    ):
        search(people, going(0.1), seed=1, metrics=metrics)
    kept = [path.read_bytes() for path in (tmp_path / "runs").glob("*/conversations.jsonl")]
    assert len(kept) == 1
    whole = going(None)
    found, winner = search(people, whole, seed=1, metrics=metrics)
    assert [part.name for part in found.parts] == ["k=15", "k=30"]
    assert sum(part.weight for part in found.parts) == 1
    assert winner.name == found.heaviest.name
    assert any(
        path.read_bytes().startswith(kept[0]) for path in (tmp_path / "runs").glob("*/conversations.jsonl")
    )
    # What each conversation costs is the agent's .01 an answer; what was held before is not paid again.
    assert whole.spent == pytest.approx(0.01 * round(whole.spent / 0.01))
    assert whole.spent > 0.1
