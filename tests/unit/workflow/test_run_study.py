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


def write_people(folder):
    people = [
        f'{{"id": "p{n}", "messages": [{{"role": "user", "content": "{"boots please " * (n % 5 + 1)}in size {n}"}}]}}\n'
        for n in range(40)
    ]
    (folder / "people.jsonl").write_text("".join(people), encoding="utf-8")


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
    write_people(tmp_path)
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
    assert short[0].pages == {"scorecard": "max_turns=1/report.html"}
    card = convsim.read_scorecard(tmp_path / "out" / "max_turns=1" / "findings.json")
    assert card.simulated.n == 30
    assert long[0].pages != short[0].pages
    page = to_page(found)
    assert "max_turns=3 (2 seeds)" in page
    assert "Of 2 simulators, " in page
    assert "30/30" in page
    assert run_study(study, tmp_path / "out").variants == found.variants
    assert len(past_studies(tmp_path)) == 1


def test_no_two_results_are_written_into_one_folder(study, tmp_path):
    write_people(tmp_path)
    cases = [
        ("a b", 1, 1), ("a-b", 1, 3),  # of other turns: each by itself
        ("shop", 1, 5),
        ("seed=1", 1, 2), ("seed=2", 2, 2),  # one simulator; what it would be called is a variant's name
    ]  # fmt: skip
    stated = (
        f'[[sweep.case]]\nname = "{name}"\nstudy.seed = {seed}\nstudy.max_turns = {turns}\n'
        for name, seed, turns in cases
    )
    study.write_text(
        '[study]\nname = "Shop"\nn = 15\n'
        + "".join(stated)
        + '[judge]\nreal = "people.jsonl"\nvalidators = ["marginals"]\n',
        encoding="utf-8",
    )
    found = run_study(study, tmp_path / "out")
    pages = [group[0].pages["scorecard"] for group in found.together]
    assert pages == [
        "a-b/report.html", "a-b-2/report.html", "shop/report.html", "Shop-2/report.html",
    ]  # fmt: skip
    assert {each.simulator for each in found.together[-1]} == {"Shop"}
    for group, page in zip(found.together, pages, strict=True):
        card = convsim.read_scorecard((tmp_path / "out" / page).parent / "findings.json")
        assert (card.simulated.n, card.headlines) == (15 * len(group), group[0].headlines)


def test_the_folder_of_a_run_that_is_judged_by_itself_is_its_own(study, tmp_path):
    write_people(tmp_path)
    study.write_text(
        "[study]\nn = 15\nmax_turns = 1\n[sweep]\nshopper.k = [1, 2]\n"
        '[judge]\nreal = "people.jsonl"\nvalidators = ["marginals"]\n',
        encoding="utf-8",
    )
    found = run_study(study, tmp_path / "out")
    assert [each.pages["scorecard"] for each in found.variants] == ["k=1/report.html", "k=2/report.html"]


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
