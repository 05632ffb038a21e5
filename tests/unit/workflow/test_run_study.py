"""What a whole study does when somebody stops it, and when a validator raises."""

import pytest

from convsim.workflow import run_study

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
