"""DialogueKit and UserSimCRS: dialogue acts, satisfaction and errors are read; what is not said stays null."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from convsim.metrics import measure
from tests.unit.io.made import written


def said(participant: str = "USER", utterance: Any = "A comedy, please", **fields: Any) -> dict[str, Any]:
    return {"participant": participant, "utterance": utterance, "utterance ID": "u", **fields}


def dialogue(id: str = "1677", *utterances: Any, user: Any = None, **fields: Any) -> dict[str, Any]:
    return {
        "conversation ID": id,
        "conversation": list(utterances) or [said("AGENT", "Hello!"), said(), said("AGENT", "Bye")],
        "agent": {"id": "Bot", "type": "AGENT"},
        "user": user or {"id": "U1", "type": "USER"},
        **fields,
    }


def source_of(path: Path) -> str:
    return f"dialoguekit:{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"


def test_an_export_is_known_by_its_content_and_keeps_the_greeting(tmp_path: Path) -> None:
    found = read(written(tmp_path / "Bot_U1.json", [dialogue()]))
    (conversation,) = found.conversations
    assert found.format == "dialoguekit"
    assert (conversation.id, conversation.agent, conversation.user) == ("1677", "Bot", "U1")
    assert [(m.role, m.content) for m in conversation.messages] == [
        ("assistant", "Hello!"),
        ("user", "A comedy, please"),
        ("assistant", "Bye"),
    ]
    assert (conversation.simulator, conversation.task, conversation.usage) == (None, None, None)
    assert (conversation.ending, conversation.failure) == ("unknown", None)
    assert found.warnings == (
        "DialogueKit does not record whether its users are people; you must know which file is human",
    )


def test_a_user_who_is_said_to_be_simulated_is_no_unit_of_its_own(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", [dialogue(user={"id": "Agenda", "type": "SIMULATOR"})]))
    assert (found.conversations[0].simulator, found.conversations[0].user) == ("Agenda", None)
    assert found.warnings == ()


def test_an_id_that_all_dialogues_share_is_no_person(tmp_path: Path) -> None:
    shared = read(written(tmp_path / "x.json", [dialogue("1"), dialogue("2")]))
    assert [c.user for c in shared.conversations] == [None, None]
    assert [c.metadata["user_id"] for c in shared.conversations] == ["U1", "U1"]
    assert any("the same user id" in warning for warning in shared.warnings)
    two = read(
        written(tmp_path / "y.json", [dialogue("1"), dialogue("2", user={"id": "U2", "type": "USER"})])
    )
    assert [c.user for c in two.conversations] == ["U1", "U2"]


def test_ids_that_stand_twice_are_numbered_because_they_count_whole_seconds(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", [dialogue("a"), dialogue("a"), dialogue("a-2"), dialogue("a")]))
    assert [c.id for c in found.conversations] == ["a", "a-2", "a-2-2", "a-3"]
    assert any(warning.startswith("3 dialogues repeat an earlier id") for warning in found.warnings)


def test_acts_and_satisfaction_become_labels_whose_source_is_the_file(tmp_path: Path) -> None:
    acts = [
        {"intent": "DISCLOSE", "slot_values": [["GENRE", "comedy"]]},
        {"intent": "INQUIRE", "slot_values": []},
    ]
    path = written(
        tmp_path / "x.json", [dialogue("1", said(dialogue_acts=acts, satisfaction=4, utterance_feedback=1))]
    )
    found = read(path)
    message = found.conversations[0].messages[0]
    assert message.labels["acts"][0].value == ["DISCLOSE", "INQUIRE"]
    assert message.labels["acts"][0].source == source_of(path)
    assert (message.labels["satisfaction"][0].value, message.labels["satisfaction"][0].scale) == (4, None)
    assert message.labels["satisfaction"][0].source == source_of(path)
    assert (message.labels["feedback"][0].value, message.labels["feedback"][0].source) == (1, "self")
    assert message.metadata["dialogue_acts"] == acts
    assert any(source_of(path) in warning for warning in found.warnings)
    assert "act_DISCLOSE" in measure(found.conversations).metrics


@pytest.mark.parametrize(
    ("fields", "acts"),
    [
        ({"intent": "REVEAL.REFINE"}, ["REVEAL.REFINE"]),
        ({"intent": ""}, None),
        ({"dialogue_acts": []}, None),
        ({"dialogue_acts": None, "intent": None}, None),
        ({"dialogue_acts": [{"intent": None}]}, None),
    ],
)
def test_older_exports_have_one_intent_and_none_is_no_label(fields: Any, acts: Any, tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", [dialogue("1", said(**fields))]))
    labels = found.conversations[0].messages[0].labels
    assert (labels["acts"][0].value if "acts" in labels else None) == acts


def test_the_names_of_usersimcrs_data_sets_are_read_too(tmp_path: Path) -> None:
    document = dialogue(agent="RECOMMENDER", user="SEEKER", metadata={"outcome": "accept"}, extra=3)
    document["conversation_id"] = document.pop("conversation ID")
    (conversation,) = read(written(tmp_path / "x.json", [document])).conversations
    assert (conversation.id, conversation.agent, conversation.user) == ("1677", "RECOMMENDER", "SEEKER")
    assert conversation.metadata == {"outcome": "accept", "extra": 3}


def test_an_error_in_the_metadata_is_a_failure(tmp_path: Path) -> None:
    error = {"error_type": "Timeout", "trace": "no\x1b[31m answer\nat all"}
    document = [dialogue("1"), dialogue("2", metadata={"error": error})]
    found = read(written(tmp_path / "x.json", document))
    failure = found.conversations[1].failure
    assert failure is not None
    assert failure.reason == "DialogueKit: no [31m answer at all"


def test_a_dialogue_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", [{"conversation": [said()]}]))
    assert found.conversations[0].id == "dialoguekit-00000"
    assert (found.conversations[0].user, found.conversations[0].agent) == (None, None)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "must be a list of dialogues, as DialogueKit's are, but is an object"),
        ([], "is empty: it contains no conversation"),
        ([dialogue(), 3], "[1]: must be an object, but is 3"),
        ([{"conversation": {}}], "[0].conversation: must be a list, but is an object"),
        ([{"agent": "a"}], "[0].conversation: is required, but is missing"),
        (
            [dialogue("1", said("BOTH"))],
            "[0].conversation[0].participant: must be one of USER, AGENT, but is 'BOTH'",
        ),
        ([dialogue("1", said(utterance=3))], "[0].conversation[0].utterance: must be text, but is 3"),
        (
            [dialogue("1", said(dialogue_acts=[3]))],
            "[0].conversation[0].dialogue_acts[0]: must be an object, but is 3",
        ),
        ([dialogue("1", said("AGENT"))], "contains no user message in any conversation"),
    ],
)
def test_what_is_malformed_is_told_with_its_place(document: Any, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", document)
    with pytest.raises(TranscriptError) as caught:
        read(path, reader="dialoguekit")
    assert str(caught.value) == f"{path}: {problem}"


def test_bad_dialogues_can_be_skipped_and_are_counted(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", [dialogue(), {"conversation": 3}]), skip_bad_lines=True)
    assert (len(found.conversations), found.skipped) == (1, 1)
