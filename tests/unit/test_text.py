"""Lists that say how many more there are, complaints of pydantic in one line, and text for pages."""

import json
import os
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError

from convsim._text import complaint, described, listed, path_of, path_text, plain, readable, visible_json


@pytest.mark.parametrize(
    ("parts", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")],
)
def test_a_list_names_its_first_parts_and_counts_the_rest(parts, said):
    assert listed(parts, 2) == said


def test_parts_may_be_separated_otherwise():
    assert listed(["a", "b", "c", "d"], 2, separator="; ") == "a; b and 2 more"


class Inner(BaseModel):
    price: float


class Outer(BaseModel):
    rows: list[Inner]


def test_a_complaint_names_its_place_on_one_line_and_its_record_where_it_was_raised():
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"rows": [{"price": "a\n\x1b[31m"}]})
    said = complaint(raised.value)
    assert said.startswith("rows.0.price: must be a number")
    assert "\n" not in said
    assert described(raised.value) == f"ValidationError: Outer: {said}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rows": [{"price": "a\n\x1b[31m"}]}, "but is 'a\\n\\x1b[31m'"),
        ({"rows": 3}, "rows: must be a list, but is 3"),
        ({}, "rows: is missing"),
    ],
)
def test_a_complaint_says_what_stood_there_unless_nothing_did(given, said):
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(given)
    assert complaint(raised.value, with_value=True).endswith(said)


class Sized(BaseModel):
    few: list[int] = Field(default=[1], min_length=1, max_length=2)
    more: tuple[int, ...] = Field(default=(1, 2), min_length=2)
    code: str = Field(default="ab", min_length=2, max_length=3)
    word: str = Field(default="a", pattern="^[a-z]+$", max_length=1_000)
    count: int = 1
    kinds: set[str] = set()
    kept: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"few": [1, 2, 3]}, "few: must have at most 2 entries"),
        ({"few": []}, "few: must have at least 1 entry"),
        ({"more": [1]}, "more: must have at least 2 entries"),
        ({"code": "abcd"}, "code: must be at most 3 characters long"),
        ({"code": "a"}, "code: must be at least 2 characters long"),
        ({"word": "a" * 1_001}, "word: must be at most 1,000 characters long"),
        ({"word": "A1"}, "word: must be text of the form ^[a-z]+$"),
        ({"count": "9" * 5_000}, "count: must be a shorter whole number"),
        ({"kinds": 3}, "kinds: must be a list"),
        ({"kept": 3}, "kept: must be a list"),
    ],
)
def test_a_complaint_of_a_size_or_a_form_is_in_plain_words(given, said):
    with pytest.raises(ValidationError) as raised:
        Sized.model_validate(given)
    assert complaint(raised.value) == said


class Mute:
    def __repr__(self):
        raise RuntimeError("no words")


def test_a_complaint_of_what_cannot_be_printed_says_so():
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"rows": Mute()})
    assert complaint(raised.value, with_value=True).endswith("but is something that cannot be printed")


def test_text_for_a_page_keeps_what_scripts_need_and_nothing_that_turns_it_around():
    assert readable("👩\u200d👧 می\u200cخواهم co\u00adop\r\n") == "👩\u200d👧 می\u200cخواهم co\u00adop\n"
    assert readable("a\x00\u202eb\u2066\ud800") == "a\ufffd\ufffdb\ufffd\ufffd"


@pytest.mark.parametrize(
    "hidden", ["\x9b", "\x7f", "\u202e", "\u2066", "\u200f", "\ufeff", "\U000e0001", "\ud800", "\x85"]
)
def test_json_for_a_terminal_says_the_same_without_a_hidden_character(hidden):
    document = {f"a{hidden}": f"é 靴 {hidden}31m"}
    written = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    safe = visible_json(written)
    assert hidden not in safe
    assert "é 靴" in safe
    assert json.loads(safe) == document


@pytest.mark.parametrize("name", [b"caf\xe9.jsonl", b"\xff\xfe/\xc3", "café 靴.jsonl".encode(), b"plain"])
def test_a_name_that_is_no_utf_8_is_text_that_every_file_can_hold_and_names_the_file_again(name):
    written = path_text(Path(os.fsdecode(name)))
    assert written.encode().decode() == written
    assert os.fsencode(path_of(written)) == name


def test_a_name_that_is_no_utf_8_is_written_with_its_bytes():
    assert path_text(Path(os.fsdecode(b"caf\xe9.jsonl"))) == r"caf\xe9.jsonl"
    assert path_text("café 靴.jsonl") == "café 靴.jsonl"
    # What is no such byte stays as it was written.
    assert path_of(r"a\x41\n\xZZ") == Path(r"a\x41\n\xZZ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dया", "क्\u200dया"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("ad\u200dmin", "ad\ufffdmin"),
        ("م\u200d\u200dن", "م\ufffd\ufffdن"),
        ("\u200dمن\u200c", "\ufffdمن\ufffd"),
        ("\u202eم\x1b[31mن\u2066\ufeff", "\ufffdم\ufffd[31mن\ufffd\ufffd"),
    ],
)
def test_a_terminal_is_shown_what_joins_letters_and_nothing_that_hides_or_turns_text(text, shown):
    assert plain(text) == shown
