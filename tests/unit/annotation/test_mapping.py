"""Maps from another scheme's labels to our acts."""

from __future__ import annotations

import pytest

from convsim._resources import shared
from convsim.annotation import acts_of, read_map
from convsim.errors import InputError
from convsim.schema.conversation import Label, Message

MAP = """
label = "moves"
ignored = ["noise"]
unseen = ["repeat_request"]
[acts]
tell = "inform_preference"
wish = ["inform_preference", "refine"]
bye = "close"
rest = "other"
[merged]
compare = "refine"
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "map.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def moves(written):
    return read_map(written(MAP))


@pytest.mark.parametrize(
    ("value", "acts"),
    [
        ("tell", ["inform_preference"]),
        ("wish", ["inform_preference", "refine"]),
        (["bye", "tell"], ["close", "inform_preference"]),
        ({"bye": 2, "tell": 1.0}, ["close"]),
        ({"bye": 1}, []),
        ("noise", []),
        (["noise", "bye"], ["close"]),
        ("rest", ["other"]),
        (["rest", "bye"], ["close"]),
        ([], []),
    ],
)
def test_a_text_a_list_and_counted_votes_give_acts(moves, value, acts):
    assert acts_of(value, moves) == acts


def test_the_votes_that_are_needed_can_be_set(moves):
    assert acts_of({"bye": 2, "tell": 3}, moves, min_votes=3) == ["inform_preference"]


@pytest.mark.parametrize("value", [3, None, True, [1], {"bye": "many"}, {"bye": True}, [["bye"]]])
def test_a_value_of_another_shape_is_refused(moves, value):
    with pytest.raises(InputError, match="'moves' must be a text, a list of texts or a number of votes"):
        acts_of(value, moves)


def test_a_value_that_the_map_does_not_know_is_refused_and_the_known_ones_are_listed(moves):
    with pytest.raises(InputError, match=r"no 'sing' .* it has bye, noise, rest, tell, wish"):
        acts_of("sing", moves)


def test_the_acts_of_a_message_are_those_of_the_named_label_by_the_named_source(moves):
    labels = {"moves": [Label(value="bye", source="ann"), Label(value="noise", source="ben")]}
    message = Message(role="user", content="so long", labels=labels)
    assert moves.acts_of(message, source="ann") == ["close"]
    assert moves.acts_of(message, source="ben") is None
    assert moves.acts_of(message, source="cy") is None


def test_our_acts_are_merged_as_the_scheme_merges_them(moves):
    assert moves.as_seen(["compare", "thank"]) == ["refine", "thank"]
    assert moves.as_seen(["repeat_request"]) == []
    assert moves.as_seen(["other"]) == ["other"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('label = "m"\n[acts]\ntell = "sing"', "no act 'sing'; the acts are: inform_preference, refine"),
        ('label = "m"\n[acts]\ntell = ["close", "sing"]', "no act 'sing'"),
        ('label = "m"\nunseen = ["sing"]\n[acts]\ntell = "close"', "no act 'sing'"),
        ('label = "m"\n[acts]\ntell = "close"\n[merged]\nthank = "sing"', "no act 'sing'"),
        ('label = "m"\n[acts]\ntell = "thank"\n[merged]\nthank = "close"', "'thank' is under"),
        (
            'label = "m"\nunseen = ["close"]\n[acts]\ntell = "refine"\n[merged]\nthank = "close"',
            "the scheme lacks too",
        ),
        ('label = "m"\nlabels = 3\n[acts]\ntell = "close"', "labels: no such key; did you mean 'label'?"),
        ('[acts]\ntell = "close"', "a map needs 'label'"),
        ('label = "m"', "a map needs 'acts'"),
        ('label = "m"\n[acts]\ntell = 3', "acts.tell"),
        ('label = "m"\nmin_votes = 0\n[acts]\ntell = "close"', "min_votes"),
        ("label = ", "is not TOML"),
        ('{"label": "m"}', "is not TOML"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_its_file_and_the_reason(written, text, problem):
    path = written(text)
    with pytest.raises(InputError, match=r"map\.toml") as caught:
        read_map(path)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_map(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not TOML"):
        read_map(tmp_path / "bytes.toml")


def test_the_map_of_mg_shopdial_is_readable_and_knows_its_eleven_intents():
    made = read_map(shared("maps/mgshopdial.toml"))
    known = {*made.acts, *made.ignored}
    assert len(known) == 12
    assert acts_of({"greeting": 3.0, "disclose": 2.0, "pf": 1.0}, made) == ["chit_chat", "inform_preference"]
