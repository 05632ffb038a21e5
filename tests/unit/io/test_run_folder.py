"""A run folder: what a kill leaves behind, whose plan it holds, who may write."""

import json
import re

import pytest
from pydantic import JsonValue

from convsim.errors import StudyError
from convsim.io import Manifest, claim, open_run
from convsim.schema.conversation import Conversation, Failure, Message

MANIFEST: Manifest = {"plan": {"n": 3, "personas": ["a", "b"]}}


def conversation(name: str, **more: object) -> Conversation:
    return Conversation(id=name, messages=(Message(role="user", content=f"bööts {name}\n"),), **more)


def filled(folder, *names: str):
    with open_run(folder, MANIFEST) as run:
        for name in names:
            run.append(conversation(name))
    return folder / "conversations.jsonl"


def ids(path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_is_appended_is_on_disk_before_the_run_is_closed(tmp_path):
    with open_run(tmp_path, MANIFEST) as run:
        run.append(conversation("a"))
        assert ids(tmp_path / "conversations.jsonl") == ["a"]
        assert run.done == {"a"}


def test_opening_again_knows_what_is_done_and_goes_on_behind_it(tmp_path):
    path = filled(tmp_path, "a", "b")
    with open_run(tmp_path, MANIFEST) as run:
        assert run.done == {"a", "b"}
        run.append(conversation("c"))
    assert ids(path) == ["a", "b", "c"]


def test_whatever_byte_a_kill_came_at_only_the_last_line_is_lost(tmp_path):
    path = filled(tmp_path, "a", "b")
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with open_run(tmp_path, MANIFEST) as run:
            done = {"a"} if cut >= first else set()
            assert run.done == (done | {"b"} if cut == len(whole) else done)


def test_a_half_line_longer_than_a_block_is_cut_whole(tmp_path):
    path = filled(tmp_path, "a")
    with path.open("ab") as file:
        file.write(b'{"id": "b", "x": "' + b"y" * 200_000)
    with open_run(tmp_path, MANIFEST) as run:
        assert run.done == {"a"}
    assert path.read_bytes().endswith(b"}\n")


def test_a_kill_before_the_manifest_was_whole_does_not_close_the_folder(tmp_path):
    (tmp_path / ".lock").touch()
    left = tmp_path / ".convsim-0123456789abcdef.partial"
    left.write_text('{"plan": {"n"')
    path = filled(tmp_path, "a")
    outcome = {"conversations": 1, "failed": 0, "too_many_failed": False}
    assert json.loads((tmp_path / "manifest.json").read_text()) == {**MANIFEST, "outcome": outcome}
    assert ids(path) == ["a"]
    left.rename(tmp_path / "manifest.json.partial")
    (tmp_path / "manifest.json").unlink()
    path.unlink()
    with pytest.raises(StudyError, match="contains other files"):
        filled(tmp_path, "a")


def test_another_plan_is_refused_with_what_was_and_is_and_changes_nothing(tmp_path):
    path = filled(tmp_path, "a")
    manifest = tmp_path / "manifest.json"
    before = path.read_bytes(), manifest.read_bytes()
    other: Manifest = {"plan": {"n": 4, "personas": ["a", "b"], "seed": 1}}
    with (
        pytest.raises(StudyError, match=r"n was 3 and is now 4; seed was null and is now 1"),
        open_run(tmp_path, other),
    ):
        pass
    assert (path.read_bytes(), manifest.read_bytes()) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", '{"plan": 3}', '{"plan": [1]}', '"plan"'])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StudyError, match="is not the manifest of a run"):
        filled(tmp_path)


@pytest.mark.parametrize("line", ["not json", "[]", "3", '{"messages": []}'])
def test_a_line_that_is_no_conversation_stops_the_run_with_its_number(tmp_path, line):
    path = filled(tmp_path, "a")
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(StudyError, match=r"conversations\.jsonl:2: is not a conversation"):
        filled(tmp_path)
    with pytest.raises(StudyError, match=r":2: is no"), open_run(tmp_path, MANIFEST, retry_failed=True):
        pass


def test_failed_conversations_are_taken_out_when_asked_and_the_rest_kept_as_it_was(tmp_path):
    path = filled(tmp_path, "a", "b")
    whole = path.read_bytes()
    with open_run(tmp_path, MANIFEST) as run:
        run.append(conversation("c", failure=Failure(reason="gone"), ending="agent_failed"))
    with open_run(tmp_path, MANIFEST, retry_failed=True) as run:
        assert run.done == {"a", "b"}
    assert path.read_bytes() == whole


def test_a_place_where_no_folder_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(StudyError, match="a run folder cannot be made there"):
            filled(place)


def test_a_second_writer_is_refused_and_a_closed_run_may_be_opened(tmp_path):
    with open_run(tmp_path, MANIFEST), pytest.raises(StudyError, match="another convsim process is writing"):
        filled(tmp_path)
    assert ids(filled(tmp_path, "a")) == ["a"]


def plan_with(**settings: JsonValue) -> Manifest:
    return {"plan": {"n": 3, "settings": {"batch": 8, **settings}}}


NEW_SETTINGS: Manifest = {"settings": {"batch": 8, "momentum": 0.9, "share": None}}


@pytest.mark.parametrize(
    ("now", "differs"),
    [
        ({"share": None, "momentum": 0.9}, None),
        ({"share": 0.5, "momentum": 0.9}, 'settings was {} and is now {"share": 0.5}'),
        ({"share": None, "momentum": 0.5}, 'settings was {} and is now {"momentum": 0.5}'),
        ({"batch": 4}, 'settings was {"batch": 8} and is now {"batch": 4}'),
    ],
)
def test_a_setting_that_a_folder_was_made_before_is_another_plan_only_where_somebody_set_it(
    tmp_path, now, differs
):
    with claim(tmp_path / "run", plan_with()):
        before = (tmp_path / "run/manifest.json").read_bytes()
    again = claim(tmp_path / "run", plan_with(**now), defaults=NEW_SETTINGS)
    if differs is None:
        with again:
            assert (tmp_path / "run/manifest.json").read_bytes() == before
    else:
        with pytest.raises(StudyError, match=re.escape(f"another plan ({differs})")), again:
            pass


def test_a_setting_that_a_folder_states_is_not_taken_for_its_default(tmp_path):
    with claim(tmp_path / "run", plan_with(momentum=0.5)):
        pass
    with (
        pytest.raises(StudyError, match="another plan"),
        claim(tmp_path / "run", plan_with(momentum=0.9), defaults=NEW_SETTINGS),
    ):
        pass
