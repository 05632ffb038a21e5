"""What a decided finding cost, and what the run behind a side asked of its models."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from convsim import compare, validate
from convsim.evaluation import Scorecard
from convsim.evaluation.spending import RunUse, per_decided, run_use
from convsim.io import read
from convsim.models.metering import Measured, Measuring, measuring, timed_message, used
from convsim.report import spending
from convsim.report.comparison import comparison_to_markdown, print_comparison
from convsim.report.html import to_html
from convsim.report.html.comparison import comparison_to_html
from convsim.report.markdown import table_cell, to_markdown
from convsim.schema import Corpus, Finding
from convsim.schema.conversation import Conversation, Message, Usage
from convsim.shoppers import Resample
from convsim.simulation import make_agent
from tests.unit.simulation.test_study import study

HOSTILE = "<script>alert(1)</script>|`x`[a](b)\n@everyone"


def finding(verdict: str) -> Finding:
    return Finding.model_validate(
        {
            "validator": "v", "metric": verdict, "verdict": verdict, "n_real": 9, "n_simulated": 9, "reason": "r",
            "question": "q", "unit": "", "seed": 1, "version": "1", "source": "s",
            "estimate": 0.1, "details": {},
        }
    )  # fmt: skip


def talk(name: str, **usage: object) -> Conversation:
    said = (Message(role="user", content=f"boots {name}"),)
    return Conversation(id=name, messages=said, usage=Usage(**usage) if usage else None)


ALL = ["cost_usd", "tokens", "seconds"]
FINDINGS = [finding(verdict) for verdict in ("aligned", "different", "undecided", "failed")]


def test_money_tokens_and_seconds_are_divided_by_the_findings_that_are_decided():
    talks = [talk(str(n), input_tokens=90, output_tokens=10, seconds=2.0, cost_usd=0.5) for n in range(4)]
    found = per_decided(FINDINGS, talks)
    assert (found.n_decided, found.cost_usd, found.tokens, found.seconds, found.reason) == (
        2,
        1.0,
        200.0,
        4.0,
        "",
    )


@pytest.mark.parametrize(
    ("findings", "usages", "nulls", "said"),
    [
        (FINDINGS[2:], [{"input_tokens": 9, "seconds": 1.0, "cost_usd": 1.0}], ALL, "no f"),
        (FINDINGS, [{"input_tokens": 9, "seconds": 1.0}], ["cost_usd"], "the price of 1 of 1"),
        (FINDINGS, [{"seconds": 1.0}], ["cost_usd", "tokens"], "no tokens were counted"),
        (FINDINGS, [{"input_tokens": None, "seconds": 1.0, "cost_usd": 1.0}], ["tokens"], ""),
        (FINDINGS, [{"input_tokens": 9, "seconds": 1.0, "cost_usd": 1.0}, {}], ALL, "1 of 2"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_null_with_the_reason_and_never_nothing(findings, usages, nulls, said):
    found = per_decided(findings, [talk(str(n), **usage) for n, usage in enumerate(usages)])
    assert [name for name in ("cost_usd", "tokens", "seconds") if getattr(found, name) is None] == nulls
    assert found.reason.startswith(said)


def test_conversations_that_say_nothing_of_it_have_none():
    assert per_decided(FINDINGS, [talk("a"), talk("b")]) is None


@pytest.mark.parametrize(
    ("shopper", "run", "spent"),
    [
        ("hybrid", RunUse(conversations=4), (0.0, 0.0, "no model was asked")),
        ("hybrid", RunUse(conversations=3), (None, None, "no tokens were counted")),
        ("mine", RunUse(conversations=4), (None, None, "no tokens were counted")),
        ("resample", None, (None, None, "no tokens were counted")),
    ],
)
def test_a_run_that_asked_no_model_cost_nothing_and_says_so(shopper, run, spent):
    talks = [talk(str(n), seconds=2.0).but(shopper=shopper) for n in range(4)]
    found = per_decided(FINDINGS, talks, run)
    assert found is not None
    assert (found.cost_usd, found.tokens, found.reason) == spent
    (said,) = spending.of_findings(found)
    free = (
        "Each of 2 decided findings cost $0, 0 tokens, 4 s of simulated conversations (no model was asked)."
    )
    assert (said == free) is (spent[0] == 0)


class Sure:
    """Decides, whatever it is shown."""

    name = "v"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        return [finding("different")]


def test_the_card_of_a_run_that_asked_no_model_says_so(tmp_path):
    people = [talk(f"p{n}") for n in range(20)]
    replace(study(n=6, agent=make_agent("retrieval")), shopper=Resample(people)).run(tmp_path / "run")
    card = validate(people, tmp_path / "run", seed=1, validators=[Sure()], allow_overlap=True)
    text = to_markdown(card)
    assert "1 decided finding cost $0, 0 tokens" in text
    assert "(no model was asked)" in text


def measured(folder: Path) -> Measured:
    """Run a study that asks no model, and let its manifest say that one with a hostile name was asked."""
    study(n=6).run(folder)
    with measuring() as at:
        used(HOSTILE, "http://127.0.0.1:9/v1", input_tokens=10, output_tokens=2, cost_usd=0.25)
        with timed_message("shopper"):
            pass
    said = at.so_far.but(conversations=6)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["measured"] = said.model_dump(mode="json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return said


def card_of(folder: Path) -> Scorecard:
    people = [talk(f"p{n}") for n in range(20)]
    return validate(people, folder, seed=1, validators="marginals", allow_failures=True)


def test_a_card_and_its_reports_say_what_the_run_asked_and_a_hostile_name_is_only_text(tmp_path):
    measured(tmp_path / "run")
    card = card_of(tmp_path / "run")
    (use,) = card.run.endpoints
    assert (use.model, use.input_tokens, use.cost_usd, card.run.conversations) == (HOSTILE, 10, 0.25, 6)
    assert Scorecard.model_validate(card.to_dict()) == card
    page = to_html(card, [talk(f"p{n}") for n in range(20)], read(tmp_path / "run"))
    assert spending.TITLE in page
    assert "<script>alert(1)" not in page
    text = to_markdown(card)
    (line,) = [line for line in text.splitlines() if "alert" in line]
    assert "<script>" not in line
    assert line.replace("\\|", "").count("|") == 12
    assert table_cell("@everyone") in line
    assert "\n\n| model |" in text


@pytest.mark.parametrize("full", [True, False])
def test_a_comparison_has_the_table_of_endpoints_of_each_simulator_everywhere(tmp_path, full):
    measured(tmp_path / "run")
    study(n=6, seed=2).run(tmp_path / "silent")
    people = [talk(f"p{n}") for n in range(20)]
    sims = {
        "asks": tmp_path / "run",
        "silent": tmp_path / "silent",
        "file": [talk(f"s{n}") for n in range(20)],
    }
    found = compare(people, sims, seed=1, validators="marginals", allow_failures=True)
    text, file = comparison_to_markdown(found, full=full), io.StringIO()
    print_comparison(found, Console(file=file, width=400, color_system=None), full=full)
    page = comparison_to_html(found)
    for shown in (text, file.getvalue(), page):
        assert "tokens in" in shown
        assert "US dollars" in shown
        assert "alert(1)" in shown
        assert "asks: A user message took" in shown
        assert "silent: A user message took" in shown
        assert "file: A user message took" not in shown
    assert "<script>alert(1)" not in page + text
    (line,) = [line for line in text.splitlines() if line.startswith("| silent |") and "none" in line]
    assert line.count("–") == 10


def test_what_is_not_known_of_tokens_is_said_with_the_reason(tmp_path):
    study(n=6).run(tmp_path / "run")
    at = Measuring()
    with at.counting("http", "http://127.0.0.1:9/") as counting:
        counting.completions, counting.uncounted, counting.unpriced = 3, 2, 3
        counting.input_tokens = 5
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    manifest["measured"] = at.so_far.model_dump(mode="json")
    (tmp_path / "run/manifest.json").write_text(json.dumps(manifest))
    card = card_of(tmp_path / "run")
    assert card.run.endpoints[0].input_tokens is None
    said = "Tokens of http at http://127.0.0.1:9/ are not known: 2 of 3 answers did not say their tokens."
    assert said in spending.sentences(card)


@pytest.mark.parametrize(
    ("place", "value", "is_read"),
    [
        (("latency_s", "n"), 10**400, False), (("latency_s", "buckets"), {"999999999": 1}, False),
        (("latency_s", "buckets"), {"1": 10**400}, False), (("requests",), 10**400, False),
        (("input_tokens",), 10**4000, False), (("cost_usd",), float("nan"), False), (("model",), "another", False),
        ((), {"shopper": {"b": -5}}, True), ((), {"shopper": {"b": 10**400, "c": "x"}}, True),
    ],
)  # fmt: skip
def test_numbers_that_somebody_wrote_into_a_manifest_are_passed_over(tmp_path, place, value, is_read):
    measured(tmp_path / "run")
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    changed = next(iter(manifest["measured"]["endpoints"].values()))
    for step in place[:-1]:
        changed = changed[step]
    if place:
        changed[place[-1]] = value
    else:
        manifest["outcome"]["fallback_messages"] = value
    (tmp_path / "run/manifest.json").write_text(json.dumps(manifest))
    found = run_use(tmp_path / "run")
    assert (found is not None) == is_read
    assert found is None or found.fallback_messages == {}


@pytest.mark.parametrize("broken", ["{}", "no JSON", '{"plan": {}, "measured": [1]}', '{"plan": {}}'])
def test_a_manifest_that_says_nothing_of_it_or_is_broken_is_passed_over(tmp_path, broken):
    measured(tmp_path / "run")
    (tmp_path / "run" / "manifest.json").write_text(broken)
    assert run_use(tmp_path / "run") is None
    assert run_use(tmp_path / "run" / "conversations.jsonl") is None
    assert run_use(None) is None


def test_a_card_without_it_is_written_as_before():
    talks = [talk(str(n)) for n in range(20)]
    card = validate(talks, [talk(f"s{n}") for n in range(20)], seed=1, validators="marginals")
    assert not {"run", "per_decided"} & card.to_dict().keys()
    assert spending.marked(card, table_cell) == ""
