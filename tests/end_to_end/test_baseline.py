"""``validate --baseline FILE --fail-on worse`` as a pipeline runs it: exit codes, what is listed, what is refused."""

import json
from pathlib import Path

import pytest

from convsim.io import write
from tests.end_to_end.validating import convsim
from tests.unit.evaluation.test_versions import CHATTY, METRICS, PEOPLE, POLITE

QUICK = ("--validators", "marginals", "--set", "marginals.n_resamples=99", "--metrics", ",".join(METRICS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, two versions, and the scorecard of the polite one."""
    where = tmp_path_factory.mktemp("baseline")
    for name, talk in (("people", PEOPLE), ("chatty", CHATTY), ("polite", POLITE)):
        write(where / f"{name}.jsonl", talk)
    done = validated(where, "polite", "--out", where / "earlier")
    assert done.returncode == 0, done.stderr
    return where


def validated(where, name, *more):
    return convsim("validate", where / "people.jsonl", where / f"{name}.jsonl", *QUICK, *more)


def test_a_worse_version_exits_with_1_and_is_listed_with_values(folder, tmp_path):
    gate = ("--baseline", folder / "earlier", "--fail-on", "worse")
    done = validated(folder, "chatty", *gate, "--out", tmp_path / "now", "--summary", tmp_path / "summary.md")
    assert done.returncode == 1
    assert "  metric user_words_per_turn: worse; distance from people " in done.stderr
    assert done.stderr.splitlines()[-1].startswith("gate failed (--fail-on worse): ")
    found = json.loads((tmp_path / "now/findings.json").read_text())["baseline"]
    assert (found["by"], found["before"]) == ("conversations", str(folder / "earlier"))
    assert "❌ from " in (tmp_path / "summary.md").read_text()
    again = convsim("report", tmp_path / "now", "--fail-on", "worse", "--format", "junit")
    assert again.returncode == 1
    assert 'type="worse"' in again.stdout


def test_the_same_version_passes_and_moved_conversations_are_said_so_in_a_line(folder, tmp_path):
    card = json.loads((folder / "earlier/findings.json").read_text())
    card["simulated"]["path"] = str(tmp_path / "gone.jsonl")
    (tmp_path / "findings.json").write_text(json.dumps(card))
    done = validated(folder, "polite", "--baseline", tmp_path / "findings.json", "--fail-on", "worse")
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "compared by the numbers in the file" in line]
    assert "gone.jsonl" in line


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"schema": "convsim.comparison/1"}, "is no findings document: its schema is 'convsim.comparison/1'"),
        ({"schema": "convsim.findings/2"}, "update convsim"),
        (None, "there is no such file; convsim validate --out DIR writes one"),
    ],
)
def test_what_is_no_baseline_is_one_line(folder, tmp_path, made, said):
    file = tmp_path / "findings.json"
    if made is not None:
        file.write_text(json.dumps(made))
    done = validated(folder, "polite", "--baseline", file, "--out", tmp_path / "out")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


def test_worse_than_what_is_asked_back(folder):
    done = validated(folder, "polite", "--fail-on", "worse")
    assert done.returncode == 2
    assert "--fail-on worse needs --baseline FILE" in done.stderr
    arms = ("--control", "a", "--treatment", "b", "--fail-on", "worse")
    done = convsim("counterfactual", folder / "people.jsonl", folder / "polite.jsonl", *arms)
    assert done.returncode == 2
    assert "--fail-on worse needs --baseline FILE" in done.stderr
    done = convsim("counterfactual", "--relations", folder / "polite.jsonl", "--baseline", folder / "earlier")
    assert done.returncode == 2
    assert "--baseline needs --control and --treatment" in done.stderr
    done = convsim("report", folder / "earlier", "--fail-on", "worse")
    assert done.returncode == 2
    assert "needs findings that were made with --baseline" in done.stderr
