"""What a whole study does when somebody stops it, and when a validator raises."""

import pytest

import convsim
from convsim.workflow import past_studies, run_study
from convsim.workflow.page import to_page

SWEEP = "[study]\nn = 2\nmax_turns = 2\n[sweep]\nstudy.seed = [1, 2, 3]\n"


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(SWEEP, encoding="utf-8")
    return file


def test_who_stops_one_run_stops_the_study_and_goes_on_later(study, tmp_path):
    begun = []

    def stopped(planned, folder, _):
        begun.append(folder.parent.name)
        outcome = planned.run(folder)
        if len(begun) == 2:
            return type(outcome)(**{**vars(outcome), "missing": 1, "stop": "interrupted"})
        return outcome

    first = run_study(study, tmp_path / "out", hold=stopped)
    assert begun == ["seed=1", "seed=2"]
    assert [each.reason for each in first.variants] == [
        None, "1 of 2 conversations are missing (interrupted)", "not begun: the study was interrupted",
    ]  # fmt: skip
    assert first.variants[2].missing == 2
    later = run_study(study, tmp_path / "out")
    assert [(each.reason, each.missing) for each in later.variants] == [(None, 0)] * 3


def test_runs_that_differ_in_their_seed_alone_are_judged_together(study, tmp_path):
    people = [
        f'{{"id": "p{n}", "messages": [{{"role": "user", "content": "{"boots please " * (n % 5 + 1)}in size {n}"}}]}}\n'
        for n in range(40)
    ]
    (tmp_path / "people.jsonl").write_text("".join(people), encoding="utf-8")
    study.write_text(
        SWEEP.replace("n = 2\n", "n = 15\n").replace("[1, 2, 3]", "[1, 2]\nstudy.max_turns = [1, 3]")
        + '[judge]\nreal = "people.jsonl"\nvalidators = ["marginals"]\n',
        encoding="utf-8",
    )
    found = run_study(study, tmp_path / "out")
    assert [[each.name for each in group] for group in found.together] == [
        ["seed=1,max_turns=1", "seed=2,max_turns=1"], ["seed=1,max_turns=3", "seed=2,max_turns=3"],
    ]  # fmt: skip
    short, long = found.together
    assert {each.simulator for each in short} == {"max_turns=1"}
    assert short[0].headlines == short[1].headlines != ()
    assert short[0].mean_distance == short[1].mean_distance
    assert short[0].own_distance != short[1].own_distance
    assert short[0].pages == {"scorecard": "max_turns-1/report.html"}
    card = convsim.read_scorecard(tmp_path / "out" / "max_turns-1" / "findings.json")
    assert card.simulated.n == 30
    assert long[0].pages != short[0].pages
    page = to_page(found)
    assert "max_turns=3 (2 seeds)" in page
    assert "Of 2 simulators, " in page
    assert "30/30" in page
    assert run_study(study, tmp_path / "out").variants == found.variants
    assert len(past_studies(tmp_path)) == 1


def test_a_validator_that_raises_is_named_and_judged_again_the_next_time(study, tmp_path, monkeypatch):
    people = tmp_path / "people.jsonl"
    lines = [
        f'{{"id": "p{n}", "messages": [{{"role": "user", "content": "boots in size {n}"}}]}}\n'
        for n in range(9)
    ]
    people.write_text("".join(lines), encoding="utf-8")
    (tmp_path / "raising.py").write_text(
        "def broken(real, simulated):\n    raise ArithmeticError('no such number')\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    judge = '[judge]\nreal = "people.jsonl"\nvalidators = ["raising:broken"]\n'
    study.write_text(SWEEP.replace("[1, 2, 3]", "[1]") + judge, encoding="utf-8")
    said: list[str] = []
    for _ in range(2):
        found = run_study(study, tmp_path / "out", tell=said.append)
        assert len(found.failed) == 1
        assert found.variants[0].pages.keys() == {"scorecard"}
    assert not any("nothing has changed" in line for line in said)
