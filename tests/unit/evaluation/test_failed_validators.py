"""A validator that raises: a verdict of its own, with its traceback, and nobody else's findings lost."""

from __future__ import annotations

import io
import json
import logging

import pytest
from rich.console import Console

import convsim
from convsim.evaluation.scores import verdicts
from convsim.evaluation.validation import MAX_TRACEBACK_CHARACTERS
from convsim.report import print_scorecard, to_markdown
from convsim.report.document import read_scorecard
from convsim.report.html import to_html
from convsim.report.junit import to_junit
from convsim.schema import FAILING, Corpus, Finding
from convsim.schema.conversation import Conversation, Message
from tests.reports import card, distance, finding

SIDES = [
    [Conversation(id=f"{side}{i}", messages=(Message(role="user", content="boots"),)) for i in range(12)]
    for side in "rs"
]


class Broken:
    """Raises what holds markup, from a line that a reader of the traceback looks for."""

    name = "broken"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        raise KeyError("<script>alert(1)</script>")


class Deep(Broken):
    """Raises at the end of a long chain of calls."""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        raise ValueError("x" * 100_000 + "the end")


def test_a_validator_that_raises_failed_with_its_traceback_and_the_others_stand(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="convsim"):
        found = convsim.validate(*SIDES, seed=1, validators=["marginals", Broken()], metrics=["turns"])
    [failed] = found.failed
    assert (failed.verdict, failed.validator, failed.estimate) == ("failed", "broken", None)
    assert "failed" not in failed.details
    assert 'raise KeyError("<script>alert(1)</script>")' in str(failed.details["traceback"])
    assert [f.metric for f in found.findings if f.verdict != "failed"] == ["turns"]
    assert any(f.startswith("broken: the validator failed: KeyError") for f in found.warnings)
    assert "Traceback" in caplog.text


class Ending(Broken):
    """Tries to end the program."""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        raise SystemExit(0)


def test_a_validator_that_tries_to_end_the_program_failed_too() -> None:
    found = convsim.validate(*SIDES, seed=1, validators=["marginals", Ending()], metrics=["turns"])
    assert [f.reason for f in found.failed] == ["the validator failed: SystemExit: 0"]
    assert [f.metric for f in found.findings if f.verdict != "failed"] == ["turns"]


def test_a_long_traceback_keeps_its_end() -> None:
    [failed] = convsim.validate(*SIDES, seed=1, validators=[Deep()]).failed
    kept = str(failed.details["traceback"])
    assert len(kept) == MAX_TRACEBACK_CHARACTERS
    assert kept.endswith("the end\n")


def test_nothing_of_a_traceback_is_markup_in_a_page_and_none_of_it_is_on_the_terminal() -> None:
    found = convsim.validate(*SIDES, seed=1, validators=[Broken()])
    page = to_html(found, None, None)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    console = Console(width=200, record=True, file=io.StringIO())
    print_scorecard(found, console)
    assert "Traceback" not in console.export_text()
    assert "<script>alert" not in to_markdown(found)


def test_a_failed_finding_is_neither_a_pass_nor_a_difference() -> None:
    found = card(distance("turns", verdict="aligned"), finding("broken", "broken", verdict="failed"))
    assert "failed" not in FAILING
    assert found.failing("different") == ()
    assert [f.metric for f in found.failing("undecided")] == ["broken"]
    assert verdicts(found.findings).n == verdicts(found.findings).aligned == 1
    assert "<error" in to_junit(found, None)


def test_what_an_earlier_version_wrote_of_a_failed_validator_reads_as_failed(tmp_path) -> None:
    document = json.loads(card(finding("broken", "broken")).to_json())
    document["findings"][0] |= {"verdict": "undecided", "details": {"failed": True, "n": 3}}
    (tmp_path / "findings.json").write_text(json.dumps(document))
    [read] = read_scorecard(tmp_path).findings
    assert read.verdict == "failed"
    assert dict(read.details) == {"n": 3}
