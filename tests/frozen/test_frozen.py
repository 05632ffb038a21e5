"""What convsim answers is what it answered before every file was moved: findings, conversations, help, plugins."""

import json
import math

import pytest

from tests.frozen.differences import differences, told
from tests.frozen.references import MADE, REFERENCES, libraries, load, make


@pytest.mark.parametrize("name", MADE)
def test_what_was_answered_before_is_answered_now(name, tmp_path):
    said = [told(file, load(file), json_of(answer)) for file, answer in make(name, tmp_path).items()]
    problems = [text for text in said if text]
    if problems:
        others = {
            library: f"{was} then, {libraries()[library]} now"
            for library, was in load("libraries.json").items()
            if was != libraries()[library]
        }
        pytest.fail(
            "\n".join(problems)
            + (f"\nlibraries that differ: {others}" if others else "")
            + f"\nWhere this is meant: `python -m tests.frozen {name}`, read the diff, and say in CHANGELOG.md "
            'under "Findings changed" which numbers moved and why.',
            pytrace=False,
        )


def json_of(answer):
    return answer if isinstance(answer, str) else json.loads(json.dumps(answer))


def test_every_reference_is_made_by_something():
    made = [file for _, files in MADE.values() for file in files]
    assert sorted(file.name for file in REFERENCES.iterdir()) == sorted([*made, "libraries.json"])


def test_a_number_a_key_or_a_word_that_differs_is_told_and_the_last_digit_is_not():
    was = {"findings": [{"estimate": 0.1, "n": 3, "reason": "few"}], "gone": None}
    assert differences(was, was) == ([], [])
    now = {"findings": [{"estimate": math.nextafter(0.1, 1), "n": 4, "reason": "many"}], "new": None}
    numbers, words = differences(was, now)
    assert numbers == ["$.findings[0].n: was 3 and is 4", "$.gone: is gone", "$.new: is new"]
    assert words == ["$.findings[0].reason: was 'few' and is 'many'"]
    assert differences([0.1], [0.1 + 1e-6]) == (["$[0]: was 0.1 and is 0.100001"], [])
    assert differences([1], [True])[0]
    assert differences([0.0], [1e-17])[0]
    assert differences("a\nb", "a\nc") == ([], ["-b", "+c"])
