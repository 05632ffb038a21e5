"""The conversations in the page: all of both sides up to a bound, each with its nearest; no text ends the script."""

import json

import pytest

from convsim.report.html import reading as module
from convsim.report.html.reading import reading
from tests.reports import HOSTILE, card, conversation, hls, people, shoppers

SCORES = {"s0": 0.01, "s1": 0.2, "s2": 0.4, "s3": 0.8}


def loaded(made):
    return json.loads(str(made.data))


def test_both_sides_are_there_whole_with_score_marks_and_the_nearest_of_the_other_side():
    made = reading(card(hls(SCORES)), people(), shoppers(), {"certainly": "simulated"})
    data = loaded(made)
    assert made.is_whole
    assert [each["id"] for each in data["simulated"]] == ["s0", "s1", "s2", "s3"]
    assert [each["score"] for each in data["simulated"]] == [0.01, 0.2, 0.4, 0.8]
    assert data["simulated"][0]["said"][0] == {
        "by": "user",
        "text": [["Certainly", "simulated"], "! I would like boots."],
    }
    assert data["people"][data["simulated"][0]["near"]]["id"] == "h0"
    assert data["people"][0]["score"] == 0.9
    assert data["simulated"][data["people"][3]["near"]]["id"] == "s0"


@pytest.mark.parametrize(
    "hostile", [HOSTILE, "</script><b>", "<!--<script>", "\u2028\u2029&amp;", "\x00\u202e"]
)
def test_no_text_can_end_the_script_and_control_characters_are_replaced(hostile):
    made = reading(card(), people(), [conversation(hostile, hostile, hostile, task=hostile, arm=hostile)], {})
    text = str(made.data)
    assert not set("<>&\u2028\u2029\x00\u202e") & set(text)
    text.encode()
    [shown] = loaded(made)["simulated"]
    assert shown["said"][0]["text"] == hostile.replace("\x00", "\ufffd").replace("\u202e", "\ufffd")


def test_messages_of_any_length_stay_bounded_and_say_how_much_is_cut():
    made = reading(card(), [], [conversation("s0", "x" * 100_000)], {})
    [shown] = loaded(made)["simulated"]
    assert len(shown["said"][0]["text"]) + shown["said"][0]["cut"] == 100_000
    assert len(str(made.data)) < 5_000


def test_where_not_all_have_room_both_sides_have_some_and_the_nearest_people_come_first(monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 3_000)
    crowd = [conversation(f"h{i}", f"word{i} " * 5) for i in range(200)]
    some = [conversation(f"s{i}", f"word{199 - i} " * 5) for i in range(200)]
    made = reading(card(), crowd, some, {})
    data = loaded(made)
    assert len(str(made.data)) <= 3_000
    assert not made.is_whole
    assert made.of == (200, 200)
    assert 5 < made.shown[0] < 30
    assert made.shown == (len(data["simulated"]), len(data["people"]))
    assert [each["id"] for each in data["simulated"]] == [f"s{i}" for i in range(made.shown[0])]
    found = [data["people"][each["near"]]["id"] for each in data["simulated"] if "near" in each]
    assert found[:5] == ["h199", "h198", "h197", "h196", "h195"]


def test_without_any_conversation_there_is_nothing_to_read():
    assert reading(card(), [], [], {}) is None
