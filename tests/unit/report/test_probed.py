"""A probe in words: what leads, what was not asked, failed or cost; and nothing of strangers is obeyed."""

import io

import numpy as np
import pytest
from rich.console import Console

from convsim.evaluation.probing.deciding import DECISION, ENDING, ask_about
from convsim.evaluation.probing.document import Probe, Question, Words
from convsim.evaluation.scorecard import SideSummary
from convsim.report.probed import print_probe, probe_to_markdown
from convsim.schema import Estimate
from convsim.schema.conversation import Usage
from tests.deciders import answered, never, people, true_hazard


def question(ends, kinds=ENDING, n=40):
    rng = np.random.default_rng(1)
    met = people(n, rng)
    places = [each.place for each in met]
    return ask_about(kinds, places, places, answered(met, ends, rng), margin=0.1, rng=rng)


def probed(*questions: Question, **more: object) -> Probe:
    side = SideSummary.of([], path=None, sha256=None)
    stated = {
        "real": side, "shopper": "mine", "model": None, "learned": "nothing", "seed": 1, "draws": 5, "n_places": 500,
        "n_asked": 100, "n_units": 40, "n_moves": 500, "n_failed": 0, "questions": questions, **more,
    }  # fmt: skip
    return Probe.model_validate(stated)


def printed(probe: Probe) -> str:
    console = Console(file=io.StringIO(), width=160, color_system=None, force_terminal=False)
    print_probe(probe, console)
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_the_verdicts_lead_in_words():
    said = printed(probed(question(never), question(true_hazard, DECISION)))
    assert said.startswith(
        "mine at 100 places (of 500) of 40 people: go on or end: different; go on, accept or leave: needs more data"
    )
    assert "400 more places can be asked about before more people are needed." in said
    assert "Where people did so, what the shopper would do" in said
    assert "500 answers; 0 s." in said


def test_where_nothing_can_be_judged_no_more_data_are_asked_for():
    nothing = Question(
        name="item", question="?", verdict="undecided", reason="no items", score="accuracy", against="chance"
    )
    said = printed(probed(nothing))
    assert "which item: cannot be told" in said
    assert "needs more data" not in said
    assert "which item: no items." in said


def test_failures_cost_and_words_are_told():
    words = Words(
        outcome="all", n_messages=9, n_units=8, n_characters=90, n_tokens=30,
        bits_per_character=Estimate(estimate=1.25, interval=(1.0, 1.5)), bits_per_token=Estimate(estimate=4.0),
    )  # fmt: skip
    said = printed(
        probed(
            question(never), n_failed=25, reasons={"the server is away": 25}, words=(words,), words_model="tiny",
            usage=Usage(input_tokens=1000, output_tokens=20, cost_usd=0.5), words_reason="1 message was too long",
        )
    )  # fmt: skip
    assert "25 answers failed (4.8 %) and are no moves; most often: the server is away" in said
    assert "How surprising people's words are to tiny" in said
    assert "1.2 [1, 1.5]" in said
    assert "Words: 1 message was too long." in said
    assert "525 answers, 1,000 tokens read, 20 written, $0.5000; 0 s." in said


@pytest.mark.parametrize("failed", [{"n_failed": 26}, {"n_failed": 27}])
def test_more_than_a_twentieth_of_failures_is_too_many(failed):
    assert probed(**failed).too_many_failed == (failed["n_failed"] == 27)


def test_markdown_has_the_same_tables_and_nothing_of_strangers_is_obeyed():
    page = probe_to_markdown(
        probed(
            question(never),
            shopper="<script>|x",
            reasons={"\x1b[2J@all": 1},
            n_failed=1,
            warnings=("`a` <b>",),
        )
    )
    assert page.startswith("# Probe\n\n**&lt;script&gt;\\|x at 100 places")
    assert "| go on or end | " in page
    assert "## Calibration, go on or end" in page
    for live in ("<script>", "\x1b", "@all", "<b>"):
        assert live not in page


def test_it_prints_in_python_as_at_a_terminal():
    lines = str(probed(question(never))).splitlines()
    assert lines[0].startswith("mine at 100 places (of 500) of 40 people: go on or end: different")
    assert max(map(len, lines)) <= 120


def test_gates_ask_for_verdicts():
    assert probed(question(never)).fails("different")
    undecided = probed(question(true_hazard))
    assert not undecided.fails("different")
    assert undecided.fails("undecided")
    assert probed(question(never)).to_dict()["schema"] == "convsim.probe/1"
