"""Agents' names dealt anew among conversations of a group, and the brief of a conversation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Message
from tests.evidence.firsts import brief_of, shuffled
from tests.evidence.firsts import section as firsts_section


def named(name: str) -> Conversation:
    return Conversation(id=name, messages=(Message(role="user", content="hello"),))


def test_names_are_dealt_within_groups_only() -> None:
    groups = ["a"] * 40 + ["b"] * 40
    values = [*"xxxy" * 10, *"yyyx" * 10]
    dealt = shuffled(values, groups, np.random.default_rng(1))
    assert dealt != values
    for rows in (slice(0, 40), slice(40, 80)):
        assert Counter(dealt[rows]) == Counter(values[rows])


@pytest.mark.parametrize(("name", "brief"), [("p-1-skills-0", "skills-0"), ("7/travel_4.json", "travel-4")])
def test_a_brief_is_the_task_and_number_at_the_end(name: str, brief: str) -> None:
    assert brief_of(named(name)) == brief


def test_a_conversation_without_a_brief_is_refused() -> None:
    with pytest.raises(InputError, match="does not end with a task and a number"):
        brief_of(named("c17"))


@pytest.mark.parametrize(
    ("rejected", "said"),
    [(1, "is not shown (four ways together)"), (12, "goes beyond its level where names are dealt freely")],
)
def test_the_section_says_what_the_rows_make(rejected: int, said: str) -> None:
    table = {
        "chi_squared": 9.0,
        "df": 3,
        "p_value": 0.03,
        "largest": {"row": "r", "arm": "b", "n": 5, "of": 6},
    }
    rows = [{"asked": {"table": of}, "found": table, "cpu_s": 0} for of in ("task", "brief", "user")]
    shift = {"satisfaction": -0.3, "user messages": 0.5}
    rows += [
        {"asked": {"control": "a", "treatment": "b", "within": of}, "found": {"p_value": p, "shift": shift}}
        for of, p in (("task", 0.01), ("brief", 0.4))
    ]
    for how in ("freely", "within a task", "within a user", "within a user's task", "within a brief"):
        n = rejected if how == "freely" else 40 if how == "within a brief" else 2
        for seed in range(60):
            found = {"rejected": [seed < n, seed < n]}
            rows.append({"asked": {"dealt": how, "seed": seed}, "found": found})
    for seed in range(3):
        rows.append({"asked": {"halves": seed}, "found": {"alone": [True, False], "said": [False, False]}})
    written = firsts_section(rows)
    assert said in written
    assert "finds the briefs" in written
    assert "1 of 1 pairs have a p of\nat most .05; among those of one brief, 0" in written
    assert "50% [50%, 50%] of the cards" in written
