"""The description of a file: counts that were made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convsim.io import Description, describe, read
from convsim.io.description import Alternation, LabelCount, Spread, Stratum, Users
from tests.unit.io.made import archive, archived, jsonl, written


def said(role: str, content: str, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **fields}


LABEL = {"satisfaction": {"value": 2, "source": "self", "scale": [1, 5]}}
ACT = {"act": {"value": "ask", "source": "third_party"}}
TALKS = [
    {
        "id": "a",
        "task": "tops",
        "arm": "bad",
        "agent": "x",
        "user": "u1",
        "labels": LABEL,
        "ending": "accepted",
        "messages": [
            said("user", "red shirt, it's urgent", labels=ACT),
            said("assistant", "This?", items=[{"id": "1"}, {"id": "2"}]),
            said("user", "ok", action="accept", accepted=["1", "2"]),
        ],
    },
    {
        "id": "b",
        "task": "tops",
        "arm": "bad",
        "agent": "x",
        "user": "u1",
        "labels": {"satisfaction": {"value": 5, "source": "self", "scale": [1, 5]}},
        "messages": [
            said("assistant", " "),
            said("user", ""),
            said("user", "hi"),
            said("assistant", "a"),
            said("assistant", "b"),
        ],
    },
    {
        "id": "c",
        "simulator": "sim",
        "failure": {"reason": "timeout"},
        "ending": "agent_failed",
        "messages": [said("system", "be nice")],
    },
]


def found(tmp_path: Path) -> Description:
    return describe(read(jsonl(tmp_path / "a.jsonl", *TALKS)))


def test_conversations_are_counted_by_what_they_state(tmp_path: Path) -> None:
    about = found(tmp_path)
    assert (about.conversations, about.format, about.skipped) == (3, "convsim", 0)
    assert about.strata == (Stratum(task="tops", arm="bad", n=2), Stratum(task=None, arm=None, n=1))
    assert about.agents == {"x": 2, "-": 1}
    assert about.simulators == {"-": 2, "sim": 1}
    assert about.users == Users(known=1, conversations=2)
    assert about.endings == {"accepted": 1, "unknown": 1, "agent_failed": 1}
    assert about.failures == {"timeout": 1}


def test_messages_are_counted_and_nothing_is_repaired(tmp_path: Path) -> None:
    about = found(tmp_path)
    assert about.messages == {"user": 4, "assistant": 4, "system": 1}
    assert about.empty_messages == {"assistant": 1, "user": 1}
    assert about.alternation == Alternation(agent_first=1, user_twice=1, agent_twice=1, no_user=1, no_agent=1)
    assert (about.items_shown, about.items_accepted, about.conversations_with_accepted) == (2, 2, 1)


def test_turns_and_words_are_summarised(tmp_path: Path) -> None:
    about = found(tmp_path)
    assert about.turns == Spread(n=3, mean=1, median=1, min=0, max=2)
    assert about.user_words == Spread(n=4, mean=1.5, median=1, min=0, max=4)


def test_labels_are_counted_by_name_level_source_and_scale(tmp_path: Path) -> None:
    act = LabelCount(
        name="act",
        level="user",
        source="third_party",
        scale=None,
        n=1,
        n_numbers=0,
        mean=None,
        values={"ask": 1},
    )
    satisfaction = LabelCount(
        name="satisfaction",
        level="conversation",
        source="self",
        scale=(1, 5),
        n=2,
        n_numbers=2,
        mean=3.5,
        values={},
    )
    assert found(tmp_path).labels == (act, satisfaction)


def test_the_survey_is_part_of_it(tmp_path: Path) -> None:
    about = describe(
        read(written(tmp_path / "x.json", archive(archived(ratings={"Satisfied?": "yes", "Age?": "4"}))))
    )
    assert about.survey is not None
    assert [row.question for row in about.survey.mapped] == ["Satisfied?"]
    assert [row.question for row in about.survey.left] == ["Age?"]


def test_conversations_that_repeat_one_another_are_a_warning(tmp_path):
    said = "I am looking for a red coat that keeps the rain out"
    talk = [{"role": "user", "content": said}, {"role": "assistant", "content": "this?"}]
    path = jsonl(tmp_path / "repeats.jsonl", *({"id": f"c{n}", "messages": talk} for n in range(3)))
    [warning] = describe(read(path)).warnings
    assert warning.startswith("2 of 3 conversations repeat what another user said (2 word for word)")
