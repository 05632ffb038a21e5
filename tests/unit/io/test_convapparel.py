"""ConvApparel archives: what becomes of a conversation, and every oddity that the schema allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from tests.unit.io.made import (
    AGE,
    FRUSTRATED,
    SATISFIED,
    archive,
    archived,
    turn,
    written,
    zipped,
)

ITEM = "conversations[0].turns[0].recommendations[0]"


def test_a_conversation_becomes_ours(tmp_path: Path) -> None:
    ratings = {SATISFIED: "Very satisfied", AGE: "40"}
    turns = [
        turn("boots", "These?", ratings={FRUSTRATED: "No"}),
        turn("", "Sorry.", ratings={FRUSTRATED: "Yes"}),
    ]
    path = written(tmp_path / "x.json", archive(archived("footwear_bad", turns=turns, ratings=ratings)))
    found = read(path)
    (conversation,) = found.conversations
    assert (conversation.id, conversation.source) == ("convapparel-v1-00000", "convapparel-v1")
    assert (conversation.task, conversation.arm, conversation.agent) == ("footwear", "bad", "bad-agent")
    assert (conversation.user, conversation.simulator, conversation.ending) == (None, None, "unknown")
    said = [(m.role, m.content) for m in conversation.messages]
    assert said == [("user", "boots"), ("assistant", "These?"), ("user", ""), ("assistant", "Sorry.")]
    (satisfaction,) = conversation.labels["satisfaction"]
    assert (satisfaction.value, satisfaction.source, satisfaction.scale) == (5, "self", (1, 5))
    assert [m.labels["frustration"][0].value for m in conversation.user_messages] == [0, 1]
    assert not any(m.labels for m in conversation.messages if m.role == "assistant")
    assert conversation.metadata == {"task_id": "footwear_bad", "version": "v1", "ratings": {AGE: "40"}}
    assert (found.format, found.warnings) == ("convapparel", ())


def test_descriptions_and_features_are_read_from_a_text_or_a_list(tmp_path: Path) -> None:
    bare = {"item_id": "B03", "title": None, "description": None, "features": None, "rank": 3}
    path = written(
        tmp_path / "x.json",
        archive(archived(turns=[turn(recommendations=[*turn()["recommendations"], bare])])),
    )
    first, second, third = read(path).conversations[0].messages[1].items
    assert (first.id, first.title) == ("B01", "Boot")
    assert first.attributes == {"description": "Red.", "features": ["Leather"], "image_url": "http://x/1"}
    assert second.attributes == {"description": "Low.\nSoft.", "features": ["Wide", "Dry"]}
    assert (third.title, third.attributes, third.metadata) == ("", {}, {"rank": 3})


@pytest.mark.parametrize(
    "questions", [[SATISFIED], {"session": [SATISFIED], "turn": {"q1": FRUSTRATED}}, None]
)
def test_the_archives_own_list_of_questions_may_have_any_shape(questions: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", archive(archived(ratings={SATISFIED: "4"}), questions=questions))
    assert read(path).conversations[0].labels["satisfaction"][0].value == 4


@pytest.mark.parametrize(
    ("task_id", "task", "arm"),
    [("tops", "tops", "good"), ("tops_good", "tops", "good"), ("bottoms_bad", "bottoms", "bad")],
)
def test_the_arm_is_in_the_task_id(task_id: str, task: str, arm: str, tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", archive(archived(task_id))))
    assert (found.conversations[0].task, found.conversations[0].arm) == (task, arm)
    assert found.warnings == ()


def test_an_unknown_task_id_is_named_in_a_warning(tmp_path: Path) -> None:
    ids = ["hats_bad", "tops_medium", "tops_good_bad", "tops"]
    found = read(written(tmp_path / "x.json", archive(*map(archived, ids))))
    assert [(c.task, c.arm) for c in found.conversations][:2] == [("hats", "bad"), ("tops_medium", "good")]
    (warning,) = found.warnings
    assert "'hats_bad', 'tops_good_bad', 'tops_medium'" in warning


def test_empty_turns_and_null_utterances_are_kept_as_empty(tmp_path: Path) -> None:
    turns = [turn(None, "Hello?", ratings=None, recommendations=None), turn("x", None)]
    found = read(written(tmp_path / "x.json", archive(archived(turns=turns), {**archived(), "turns": []})))
    assert [m.content for m in found.conversations[0].messages] == ["", "Hello?", "x", ""]
    assert found.conversations[1].messages == ()
    assert found.warnings == ("2 utterances are null and were read as empty",)


def test_what_the_schema_does_not_know_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", archive(archived(participant="p1", turns=[turn(seconds=3)])))
    (conversation,) = read(path).conversations
    assert conversation.metadata["participant"] == "p1"
    assert conversation.messages[0].metadata == {"seconds": 3}


def test_what_a_file_says_of_itself_is_passed_on(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x.json", archive(archived(), note="No person\nwrote this.")))
    assert found.warnings == (r"note in the file: 'No person\nwrote this.'",)


def test_ids_are_the_index_in_the_file_even_when_bad_conversations_are_skipped(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", archive(archived(), {"task_id": 3}, archived()))
    found = read(path, skip_bad_lines=True)
    assert [c.id for c in found.conversations] == ["convapparel-v1-00000", "convapparel-v1-00002"]
    assert found.skipped == 1


def test_the_reader_can_be_said_for_any_ending(tmp_path: Path) -> None:
    path = written(tmp_path / "x.txt", archive(archived()))
    assert read(path, reader="convapparel").format == "convapparel"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "must be an object, as ConvApparel is, but is a list"),
        ({}, "conversations: must be a list, as ConvApparel has it, but is missing"),
        ({"conversations": {}}, "conversations: must be a list, as ConvApparel has it, but is an object"),
        ({"conversations": [], "metadata": 3}, "metadata: must be an object, but is 3"),
        ({"conversations": []}, "is empty: it contains no conversation"),
        (archive(archived(), 3), "conversations[1]: must be an object, but is 3"),
        (archive(archived(task_id="")), "conversations[0].task_id: must not be empty"),
        (archive({"task_id": "tops"}), "conversations[0].turns: is required, but is missing"),
        (archive(archived(ratings=[])), "conversations[0].ratings: must be an object, but is a list"),
        (
            archive(archived(turns=[turn(user_utterance=3)])),
            "conversations[0].turns[0].user_utterance: must be text, but is 3",
        ),
        (
            archive(archived(turns=[{}])),
            "conversations[0].turns[0].user_utterance: is required, but is missing",
        ),
        (
            archive(archived(turns=[turn(recommendations=[{"item_id": 3}])])),
            f"{ITEM}.item_id: must be text, but is 3",
        ),
        (
            archive(archived(turns=[turn(recommendations=[{"item_id": "a", "features": [1]}])])),
            f"{ITEM}.features[0]: must be text, but is 1",
        ),
    ],
)
def test_what_is_malformed_is_told_with_its_place(document: Any, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", document)
    with pytest.raises(TranscriptError) as caught:
        read(path, reader="convapparel")
    assert str(caught.value) == f"{path}: {problem}"


@pytest.mark.parametrize("text", ["", "{", '{"conversations": [NaN]}'])
def test_what_is_no_json_is_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TranscriptError, match="is not JSON"):
        read(path)


def test_an_archive_skips_what_a_mac_puts_beside_its_member(tmp_path: Path) -> None:
    members = {
        "__MACOSX/._ConvApparel.json": "junk",
        "readme.txt": "hi",
        "ConvApparel.json": archive(archived()),
    }
    assert len(read(zipped(tmp_path / "x.zip", members)).conversations) == 1


def test_an_archive_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(archive(archived())), encoding="utf-8-sig")
    assert len(read(path).conversations) == 1
