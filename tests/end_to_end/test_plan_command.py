"""``convsim plan`` as a user types it: what it prints and writes, in Python too, and what it refuses."""

import asyncio
import json

import numpy as np
import pytest
from scipy.stats import norm

import convsim
from tests.end_to_end.validating import convsim as command
from tests.end_to_end.validating import line, once, written

METRICS = ("--metrics", "conversation_words,user_words_per_turn,user_digits")
WIDE = ("--set", "marginals.joint_margin=0.3", "--set", "marginals.spread_margin=0.5")
ARMS = ("--counterfactual", "--control", "good", "--treatment", "bad")


def run(*arguments: object):
    return once("plan", *arguments)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A hundred and forty people, half of them with a bad agent, to whom they say more."""
    lines = []
    for n in range(140):
        text = f"number {n * n} {'boots ' * (n % 7 + 1)}{'please ' * (n % 3 == 0)}{'and more ' * (n % 2)}"
        lines.append(line(n, arm="bad" if n % 2 else "good", text=text))
    return written(tmp_path_factory.mktemp("people") / "people.jsonl", lines)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Twelve people, who say different things at different length."""
    folder = tmp_path_factory.mktemp("few")
    lines = [line(n, text="boots " * (n % 5 + 1) + f"number {n * n}") for n in range(12)]
    return written(folder / "few.jsonl", lines)


def test_it_leads_with_what_is_decided_with_how_many_and_what_only_more_people_decide(people):
    done = run(people, *ARMS, *METRICS, *WIDE)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.startswith("With these 140 people: habits are decided with 140 simulated (")
    assert "words need" in said or "words are decided" in said
    assert "power with simulated" in said
    assert "smallest margin with" in said
    assert "70 an arm" in said
    assert (
        "Not planned, since nothing is known of them beforehand: by_stratum, coherence, consistency, copies and 8 more."
        in said
    )
    assert "each of a persona of its own" in said


def test_json_holds_each_question_with_its_power_by_number_of_simulated_conversations(people):
    done = run(people, *METRICS, "--simulated", 100, "--simulated", 1000, "--format", "json")
    plan = json.loads(done.stdout)
    assert plan["schema"] == "convsim.plan/1"
    assert plan["made_by"]["command"][0] == "plan"
    assert [each["name"] for each in plan["headlines"]] == ["habits", "words"]
    questions = {(f["validator"], f["metric"]): f for f in plan["findings"]}
    assert {metric for validator, metric in questions if validator == "marginals"} == {
        "conversation_words", "user_words_per_turn", "user_digits", "all_metrics",
    }  # fmt: skip
    for found in questions.values():
        few, many = found["at"]
        assert (few["n_simulated"], many["n_simulated"]) == (100, 1000)
        assert 0 <= few["power"] <= many["power"] <= 1
        assert many["smallest_margin"] < few["smallest_margin"]
    assert plan["summary"].startswith("With these 140 people")


def test_a_wider_margin_is_asked_for_with_set_and_the_file_is_what_is_printed(tmp_path, people):
    asked = ("plan", people, *METRICS, "--set", "humanlikeness.margin=0.7", "--validators", "humanlikeness")
    done = command(*asked, "--out", tmp_path / "out", "--format", "json")
    assert done.returncode == 0, done.stderr
    held = json.loads((tmp_path / "out/plan.json").read_text(encoding="utf-8"))
    assert held == json.loads(done.stdout)
    [words] = held["findings"]
    # An upper limit within .2 of an AUC of .5, but for the 2.5 % in which it is below .5 by chance.
    error = 1.33 * (2 / 140 / 12) ** 0.5
    assert words["at"][0]["power"] == pytest.approx(norm.cdf(0.2 / error - 1.645) - 0.025, abs=1e-3)
    assert words["margin"] == 0.7


def test_a_gate_s_margins_are_planned_with(tmp_path, people):
    gate = tmp_path / "gate.toml"
    gate.write_text("[headline.habits]\nmargin = 0.3\n[headline.words]\nmargin = 0.7\n", encoding="utf-8")
    held = json.loads(run(people, *METRICS, "--gate", gate, "--format", "json").stdout)
    margins = {found["metric"]: found["margin"] for found in held["findings"]}
    assert (margins["all_metrics"], margins["hls"]) == (0.3, 0.7)
    slip = written(tmp_path / "slip.toml", ["[headline.habit]", "margin = 0.3"])
    assert "did you mean 'habits'?" in bad(people, "--gate", slip)


def test_a_plan_for_a_pull_request_is_a_page_of_tables(people):
    said = run(people, *METRICS, *WIDE, "--format", "md").stdout
    assert said.startswith("**With these 140 people: habits are decided with 140 simulated")
    assert (
        "| power with simulated | 140 | 280 | 700 | 1,400 | decided with |\n|---|---:|---:|---:|---:|---|\n"
        in said
    )
    assert "| user\\_words\\_per\\_turn | " in said


def test_twelve_people_decide_nothing_and_the_plan_says_how_many_more_would(few):
    done = run(few)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.startswith(
        "With these 12 people, nothing is decided for sure, whatever is simulated: habits need about "
    )
    assert "more people, words need about " in said


def test_people_who_all_say_the_same_are_as_one_and_a_warning_says_so(tmp_path):
    lines = [line(n, text="the very same words were said by all of them") for n in range(40)]
    done = run(written(tmp_path / "same.jsonl", lines), "--metrics", "conversation_words,user_digits")
    said = " ".join(done.stdout.split())
    assert "habits need about 29 more people" in said
    assert "warning: real side: " in said


def test_in_python_a_plan_is_a_record_a_table_and_a_screen(people):
    plan = asyncio.run(convsim.aplan(people, seed=0, metrics=["turns", "user_digits"]))
    frame = plan.to_frame()
    assert list(frame["n_simulated"][:4]) == [140, 280, 700, 1400]
    assert np.isfinite(frame["power"]).all()
    assert str(plan).splitlines()[0].startswith("With these 140 people: ")
    assert len(str(plan).splitlines()) <= 40
    assert "<table" in plan._repr_html_()
    assert repr(plan).startswith("Plan(With these 140 people")


def bad(*arguments: object) -> str:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (("--counterfactual",), "--counterfactual needs two arms: give --control ARM --treatment ARM"),
        (("--counterfactual", "--control", "good"), "--counterfactual needs two arms"),
        (("--control", "good"), "reactions are planned between two arms: name both, control and treatment"),
        (("--control", "good", "--treatment", "good"), "control and treatment are the same arm, 'good'; name two"),
        (("--control", "good", "--treatment", "worse"), "the real data have no arm 'worse'; they have: bad, good"),
        (("--arm", "worse"), "the real data have no arm 'worse'"),
        (("--simulated", 0), "simulated conversations: expected numbers from 1 to 10,000,000, got 0"),
        (("--simulated", 10**9), "got 1000000000"),
        (("--metrics", ","), "--metrics is empty"),
        (("--metrics", "nothing"), "nothing"),
        (("--validators", ","), "--validators ',' is empty"),
        (("--set", "marginals.margine=1"), "margine"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line_and_exit_two(people, asked, answer):
    assert answer in bad(people, *asked)


def test_an_empty_file_and_conversations_of_a_simulator_are_refused(tmp_path):
    assert "is empty: it contains no conversation" in bad(written(tmp_path / "empty.jsonl", []))
    said = bad(written(tmp_path / "run.jsonl", [line(n, simulator="bot") for n in range(3)]))
    assert "3 of 3" in said
    assert "conversations name a simulator" in said
    assert "give conversations of people" in said


def test_people_among_whom_some_are_simulated_are_planned_with_a_warning(tmp_path):
    lines = [line(n, **({"simulator": "bot"} if n < 5 else {})) for n in range(40)]
    done = run(written(tmp_path / "mixed.jsonl", lines), "--metrics", "conversation_words,user_digits")
    assert done.returncode == 0, done.stderr
    assert "5 of 40 conversations name a simulator (bot)" in " ".join(done.stdout.split())
