"""``convsim drift`` as it is typed: files and months, documents, the gate, and what makes no sense."""

import json

import pytest

from tests.end_to_end.validating import convsim
from tests.junit import outcomes


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A file of three months, in the last of which all say please, and the same as two files."""
    folder = tmp_path_factory.mktemp("drift")
    lines = []
    for n in range(90):
        month = 1 + n // 30
        said = f"i am looking for a {'red' if n % 3 else 'blue'} winter coat{' please' if month == 3 else ''} {n % 7}"
        messages = [{"role": "user", "content": said}, {"role": "assistant", "content": "Ok."}]
        messages += [{"role": "user", "content": "thanks" if n % 2 else "no"}] * (1 + n % 2)
        date = f"2026-{month:02d}-{1 + n % 28:02d}"
        lines.append(json.dumps({"id": f"c{n}", "user": f"u{n}", "date": date, "messages": messages}))
    for name, part in (("all", lines), ("old", lines[:30]), ("new", lines[60:])):
        (folder / f"{name}.jsonl").write_text("\n".join(part) + "\n")
    return folder


def test_months_of_one_file_with_a_page_and_a_document(logs):
    ran = convsim("drift", logs / "all.jsonl", "--validators", "marginals", "--out", logs / "out")
    assert ran.returncode == 0
    assert "2026-03" in ran.stdout
    assert "≠ different" in ran.stdout
    assert "Habits along time" in ran.stdout
    document = json.loads((logs / "out" / "drift.json").read_text())
    assert document["verdict"] == "different"
    assert "user_please" in {
        change["metric"] for change in document["changes"] if change["p_adjusted"] <= 0.01
    }
    assert document["made_by"]["command"][0] == "drift"
    assert "| 2026-03 |" in (logs / "out" / "drift.md").read_text()


def test_two_files_fail_a_gate_and_say_so(logs):
    ran = convsim(
        "drift", logs / "old.jsonl", logs / "new.jsonl", "--validators", "marginals", "--fail-on", "different",
        "--format", "json", "--junit", logs / "junit.xml",
    )  # fmt: skip
    assert ran.returncode == 1
    found = outcomes((logs / "junit.xml").read_text(encoding="utf-8"))
    assert found == {"drift": {"people": "failure"}, "periods": {"new": "failure"}}
    assert "gate failed (--fail-on different)" in ran.stderr
    assert json.loads(ran.stdout)["reference"] == "old"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("nothing.jsonl",), "nothing.jsonl"),
        (("all.jsonl", "--by", "year"), "two or more periods"),
        (("all.jsonl", "--date", "nix"), "no conversation states a date there"),
        (("old.jsonl", "--by", "file"), "two or more periods"),
        (("all.jsonl", "--validators", "nix"), "nix"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_two(logs, asked, says):
    ran = convsim("drift", logs / asked[0], *asked[1:], "--out", logs / "nowhere")
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (logs / "nowhere").exists()
