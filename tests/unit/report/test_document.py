"""Reading findings back: what is wrong is one line, and what is right is what was written."""

import json

import pytest

from convsim.errors import InputError
from convsim.report import document
from convsim.report.document import read_scorecard
from tests.reports import card, distance

GOOD = json.loads(card(distance("turns")).to_json())


def test_what_was_written_is_read_back_from_the_folder_or_the_file(tmp_path):
    (tmp_path / "findings.json").write_text(card(distance("turns")).to_json())
    for path in (tmp_path, tmp_path / "findings.json"):
        assert read_scorecard(path).to_json() == card(distance("turns")).to_json()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{oops", "is not JSON"),
        ("[]", "must be an object, but is a list"),
        ("{}", "is no findings document"),
        ('{"schema": "convsim.findings/2"}', "schema: is 'convsim.findings/2', and this convsim reads"),
        ('{"schema": "convsim.run/1"}', "is no findings document"),
        ('{"schema": ["convsim.findings/1"]}', "is no findings document"),
        (json.dumps({**GOOD, "findings": [{"validator": 3}]}), "findings[0]"),
        (json.dumps({**GOOD, "simulated": None}), "simulated"),
        ("[" * 100_000, "is not JSON"),
        ('{"schema": NaN}', "is not JSON"),
    ],
)
def test_a_document_that_cannot_be_used_is_one_line_that_names_the_file(tmp_path, content, said):
    (tmp_path / "findings.json").write_text(content)
    with pytest.raises(InputError) as raised:
        read_scorecard(tmp_path)
    assert said in str(raised.value)
    assert "findings.json" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text_are_one_line(tmp_path):
    (tmp_path / "findings.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_scorecard(tmp_path)


def test_a_missing_document_says_what_writes_one(tmp_path):
    with pytest.raises(InputError, match=r"is a folder without findings\.json; convsim validate --out"):
        read_scorecard(tmp_path)
    with pytest.raises(InputError, match="there is no such file"):
        read_scorecard(tmp_path / "none.json")


def test_a_huge_document_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "MAX_BYTES", 100)
    (tmp_path / "findings.json").write_text(card().to_json())
    with pytest.raises(InputError, match="is larger than"):
        read_scorecard(tmp_path)
