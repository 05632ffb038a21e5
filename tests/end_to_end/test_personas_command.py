"""``convsim personas`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.commands import typed

NOTE = json.dumps({"need": "red boots", "constraints": [], "budget": None, "style": "short"})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    path = tmp_path / "logs.jsonl"
    said = ["red boots under 90", "hi", "a wool coat", "a hat"]
    lines = ({"id": f"c{n}", "messages": [{"role": "user", "content": text}]} for n, text in enumerate(said))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_personas_are_made_checked_and_simulated_and_never_replaced_unasked(
    logs: Path, tmp_path: Path
) -> None:
    done = typed("personas", "from", logs, "--out", "p.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "warning: 1 of 4 conversations in" in done.stderr
    assert done.stderr.endswith("wrote 3 personas to p.jsonl\n")
    again = typed("personas", "from", logs, "--out", "p.jsonl", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    checked = typed("personas", "check", "p.jsonl", cwd=tmp_path)
    assert checked.stdout.startswith("3 personas; of these state: task 0, constraints 1, budget 1,")
    plan = typed("simulate", "--shopper", "replay", "--personas", "p.jsonl", "--dry-run", cwd=tmp_path)
    assert (plan.returncode, "3 personas" in plan.stdout) == (0, True)


def test_failures_are_an_account_of_their_own_and_exit_3_where_most_failed(
    logs: Path, tmp_path: Path
) -> None:
    def asked(*answers: str) -> tuple[object, ...]:
        settings = f"model.answers={json.dumps(answers)}"
        given = ("--out", "p.jsonl", "--model", "scripted", "--set", settings, "--concurrency", 1)
        return ("personas", "from", logs, *given)

    most = typed(*asked(NOTE, *["no"] * 4), cwd=tmp_path)
    assert most.returncode == 3
    failures = [json.loads(line) for line in (tmp_path / "p.failures.jsonl").read_text().splitlines()]
    assert [failure["conversation"] for failure in failures] == ["c2", "c3"]
    assert all("does not fit the schema" in failure["reason"] for failure in failures)
    assert len((tmp_path / "p.jsonl").read_text().splitlines()) == 1
    rest = typed(*asked(NOTE, NOTE), "--force", cwd=tmp_path)
    assert rest.returncode == 0, rest.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs.jsonl", "p.jsonl"]
    assert len((tmp_path / "p.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--out", "p.json"), "--out p.json: must end in .jsonl"),
        (("--out", "p.jsonl", "--set", "model.path=x"), "name one with --model"),
        (("--out", "none/p.jsonl"), "cannot be written"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(
    more: tuple[str, ...], said: str, logs: Path, tmp_path: Path
) -> None:
    done = typed("personas", "from", logs, *more, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["logs.jsonl"]
