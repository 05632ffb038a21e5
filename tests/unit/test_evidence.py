"""What evidence is drawn from: simulators whose truth is known, rows that are kept, and the page."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Message
from tests.evidence.doses import dosed
from tests.evidence.kept import Kept
from tests.evidence.mixtures import parted
from tests.evidence.orders import with_permuted_agents
from tests.evidence.page import page
from tests.evidence.sets import PEOPLE, read


def said(number: int, arm: str = "a", n: int = 1) -> Conversation:
    messages = tuple(Message(role="user", content=f"words {number} {i}") for i in range(n))
    return Conversation(id=f"c{number}", arm=arm, agent=arm, messages=messages)


PEOPLE_OF_TWO = [said(number, "good" if number < 40 else "bad") for number in range(60)]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_agents_are_permuted_in_no_more_than_the_share_and_each_stays_as_frequent(share: float) -> None:
    dealt = with_permuted_agents(PEOPLE_OF_TWO, share, np.random.default_rng(1))
    assert Counter(c.arm for c in dealt) == Counter(c.arm for c in PEOPLE_OF_TWO)
    changed = [a for a, b in zip(PEOPLE_OF_TWO, dealt, strict=True) if a.arm != b.arm]
    assert (len(changed) == 0) == (share == 0)
    assert len(changed) <= round(share * len(PEOPLE_OF_TWO))
    assert [c.messages for c in dealt] == [c.messages for c in PEOPLE_OF_TWO]
    assert all(c.arm == c.agent for c in dealt)


def test_a_dose_is_the_share_of_others_and_nobody_is_there_twice() -> None:
    others = [said(1000 + number) for number in range(50)]
    drawn = dosed(PEOPLE_OF_TWO, others, 0.2, 40, np.random.default_rng(2))
    ids = [c.id for c in drawn]
    assert len({*ids}) == len(ids) == 40
    assert sum(c in others for c in drawn) == 8


def test_people_are_parted_at_their_median() -> None:
    people = [said(number, n=1 + number % 5) for number in range(50)]
    little, much = parted(people)
    assert {len([*c.user_messages]) for c in little} == {1, 2, 3}
    assert {len([*c.user_messages]) for c in much} == {4, 5}


def test_what_was_found_is_not_asked_again_and_half_a_row_is(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "of" / "rows.jsonl")
    assert kept.row({"seed": 1}, lambda: {"value": 1})["found"] == {"value": 1}
    kept.row({"seed": 2}, lambda: {"value": 2})
    lines = kept.path.read_text().splitlines()
    kept.path.write_text(lines[0] + "\n" + lines[1][:-5])
    asked: list[int] = []
    again = Kept(kept.path)
    for seed in (1, 2):
        again.row({"seed": seed}, lambda seed=seed: {"value": asked.append(seed) or 10 * seed})  # type: ignore[misc, func-returns-value]
    assert asked == [2]
    assert [row["found"]["value"] for row in Kept(kept.path).rows] == [1, 20]


def test_a_set_that_is_not_there_is_named_with_its_home(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"begins with 'recllmsim_people': get RecLLMSim from github.com/"):
        read(tmp_path, PEOPLE)


def test_the_least_dose_that_is_found_is_found_at_all_above_it(tmp_path: Path) -> None:
    found = {0.0: [], 0.1: ["words.auc"], 0.2: [], 0.5: ["words.auc", "joint.mmd"], 1.0: ["words.auc"]}
    rows = [
        {
            "asked": {"others": "bots", "n": 100, "dose": dose, "seed": seed},
            "found": {"failing": failing, "headlines": {}, "verdicts": {}},
            "cpu_s": 60,
        }
        for dose, failing in found.items()
        for seed in range(5)
    ]
    (tmp_path / "doses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    written = page(tmp_path)
    assert "| `words` | 50% |" in written
    assert "| `joint` | not found |" in written
    assert "| `words` | 100 | 0/5 | 5/5 | 0/5 | 5/5 | 5/5 |" in written
    assert "## people\n\nNot run." in written
    assert "25 minutes of a processor" in written
