"""A file of personas, TOML or JSONL: each mistake is one line with its place, and the nearest key that is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim.errors import StudyError
from convsim.simulation import read_personas

TOML = '''[[persona]]
id = "a"
need = """rain
boots"""

[[persona]]
id = "b"
need = "a coat"
budget = 90
'''
JSONL = """{"id": "a", "need": "rain boots"}

{"id": "b", "need": "a coat", "budget": {"value": 90, "known": "before"}}
"""


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    toml = read_personas(written(tmp_path, "p.toml", TOML.replace("rain\nboots", "rain boots")))
    jsonl = read_personas(written(tmp_path, "p.jsonl", "\ufeff" + JSONL))
    assert [p.model_dump() for p in toml] == [p.model_dump() for p in jsonl]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.toml", TOML.replace("budget", "bugdet"), r"p\.toml:6: persona 2: bugdet: .* did you mean 'budget'\?"),
        ("p.jsonl", JSONL.replace("budget", "bugdet"), r"p\.jsonl:3: persona 2: bugdet: .* did you mean 'budget'\?"),
        ("p.toml", TOML.replace('"b"', '"a"'), r"p\.toml:6: .* id 'a' occurs twice: also on line 1"),
        ("p.jsonl", JSONL.replace('"b"', '"a"'), r"p\.jsonl:3: .* 'a' occurs twice: also on line 1"),
        ("p.jsonl", JSONL.replace('"need": "a coat"', '"need": 3'), r"p\.jsonl:3: persona 2: need: .*but is 3"),
        ("p.jsonl", JSONL.replace("before", "befor"), r"p\.jsonl:3: persona 2: budget\.known: .*'before'"),
        ("p.jsonl", JSONL + "{", r"p\.jsonl:4: is not JSON"),
        ("p.jsonl", "[1]\n", r"p\.jsonl:1: persona 1"),
        ("p.jsonl", "\n", r"p\.jsonl: expected a persona a line with id and need, but found none"),
        ("p.toml", "", r"p\.toml: expected \[\[persona\]\] tables"),
        (
            "p.jsonl",
            '{"id": "a", "need": "x", "metadata": {"learned_from": {"conversation": []}}}',
            r"p\.jsonl:1: persona 1: conversation: no such key; did you mean 'conversations'\?",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=said) as caught:
        read_personas(written(tmp_path, name, text))
    assert "\n" not in str(caught.value)
