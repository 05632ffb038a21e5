"""``convsim study`` and ``convsim history`` as a user types them: a sweep, judged, gone on with, and what fails."""

import json
import re

import pytest

from tests.end_to_end.validating import PEOPLE, convsim, line, written
from tests.junit import outcomes

STUDY = """
[study]
name = "shop"
n = 10
max_turns = 4
[data]
real = "halves/people-a.jsonl"
[[arm]]
name = "good"
[[arm]]
name = "bad"
fault = "bad"
severity = 1.0
[judge]
real = "halves/people-b.jsonl"
validators = ["marginals"]
control = "good"
treatment = "bad"
[sweep]
shopper.k = [1, 4]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a study that was run and judged, and what the command said."""
    folder = tmp_path_factory.mktemp("project")
    assert convsim("data", "convert", PEOPLE, folder / "people.jsonl").returncode == 0
    split = ("data", "split", folder / "people.jsonl", "--by", "conversation", "--fraction", 0.5, "--seed", 1)
    assert convsim(*split, "--out", folder / "halves").returncode == 0
    (folder / "shop.toml").write_text(STUDY, encoding="utf-8")
    return folder, convsim("study", folder / "shop.toml", "--out", folder / "out")


def summary(folder):
    found = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert found["schema"] == "convsim.study/1"
    return found


def test_one_command_runs_judges_compares_and_writes_a_page_with_links_that_are_there(project):
    folder, done = project
    assert done.returncode == 0, done.stderr
    out = folder / "out"
    found = summary(out)
    assert [each["name"] for each in found["variants"]] == ["k=1", "k=4"]
    for each in found["variants"]:
        assert (each["planned"], each["failed"], each["missing"], each["reason"]) == (20, 0, 0, None)
        assert set(each["pages"]) == {"scorecard", "reactions", "ladder of bad"}
        lines = (out / each["folder"] / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 20
        card = json.loads((out / each["pages"]["scorecard"]).with_name("findings.json").read_text())
        assert card["headlines"] == each["headlines"]
    pages = re.findall(r'href="([^"#]+)"', (out / "index.html").read_text(encoding="utf-8"))
    assert len(pages) == 1 + 2 * 3
    assert all((out / page.replace("%3D", "=")).is_file() for page in pages)
    assert {each["name"] for each in json.loads((out / "comparison.json").read_text())["simulators"]} == {
        "k=1",
        "k=4",
    }
    assert "shop: Of 2 runs, " in done.stdout
    assert done.stdout.count("20/20") == 2


def test_again_it_holds_and_judges_nothing_and_a_changed_judge_judges_anew(project):
    folder, _ = project
    before = summary(folder / "out")
    junit = ("--junit", folder / "junit.xml")
    again = convsim("study", folder / "shop.toml", "--out", folder / "out", "--format", "json", *junit)
    assert again.returncode == 0, again.stderr
    suites = outcomes((folder / "junit.xml").read_text(encoding="utf-8"))
    assert {name: suite["run"] for name, suite in suites.items()} == {"k=1": "passed", "k=4": "passed"}
    assert all("habits" in suite for suite in suites.values())
    assert "nothing has changed since it was judged" in again.stderr
    told = json.loads(again.stdout)
    assert told["judged"] == before["judged"]
    assert [each["headlines"] for each in told["variants"]] == [
        each["headlines"] for each in before["variants"]
    ]
    (folder / "shop.toml").write_text(STUDY.replace("[judge]", "[judge]\nseed = 9"), encoding="utf-8")
    changed = convsim("study", folder / "shop.toml", "--out", folder / "out")
    assert "nothing has changed" not in changed.stderr
    assert summary(folder / "out")["judged"] != before["judged"]
    assert summary(folder / "out")["seed"] == 9


def test_the_history_of_a_project_names_each_study_and_what_changed(project):
    folder, _ = project
    (folder / "next.toml").write_text(
        STUDY.replace("shopper.k = [1, 4]", "shopper.k = [4]"), encoding="utf-8"
    )
    assert convsim("study", folder / "next.toml", "--out", folder / "second").returncode == 0
    done = convsim("history", folder, "--format", "json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["studies"]
    assert (first["before"], second["before"]) == (None, first["folder"])
    assert second["same_people"] is True
    assert "since the last" in convsim("history", folder).stdout
    assert convsim("history", folder, "--format", "md").stdout.count("\n| shop |") == 2


def test_a_run_that_fails_is_a_record_and_the_others_are_judged(project, tmp_path):
    folder, _ = project
    (tmp_path / "moody.py").write_text(
        "def agent(conversation):\n    raise RuntimeError('gone <b>')\n", encoding="utf-8"
    )
    study = STUDY.replace("halves/", f"{folder}/halves/").replace("shopper.k = [1, 4]", "")
    study += '[[sweep.case]]\nname = "sound"\n[[sweep.case]]\nname = "broken"\nagent.name = "moody:agent"\n'
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    done = convsim("study", tmp_path / "study.toml", "--out", tmp_path / "out", PYTHONPATH=str(tmp_path))
    assert done.returncode == 3, done.stderr
    sound, broken = summary(tmp_path / "out")["variants"]
    assert sound["reason"] is None
    assert sound["headlines"]
    assert "gone" in broken["reason"]
    assert not broken["headlines"]
    assert broken["pages"] == {}
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "gone &lt;b&gt;" in page
    assert "<b>gone" not in page


def test_the_gate_of_a_study_fails_the_command(project, tmp_path):
    folder, _ = project
    (tmp_path / "gate.toml").write_text('[metric.turns]\npass = ["different"]\n', encoding="utf-8")
    study = STUDY.replace("halves/", f"{folder}/halves/").replace("shopper.k = [1, 4]", "shopper.k = [4]")
    study = study.replace("[judge]", f'[judge]\ngate = "{tmp_path}/gate.toml"')
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    done = convsim(
        "study", tmp_path / "study.toml", "--out", tmp_path / "out", "--summary", tmp_path / "summary.md"
    )
    [only] = summary(tmp_path / "out")["variants"]
    turns = next(
        each
        for each in json.loads((tmp_path / "out/k=4/findings.json").read_text())["findings"]
        if each["metric"] == "turns"
    )
    assert only["passed"] is (turns["verdict"] == "different")
    assert done.returncode == (0 if only["passed"] else 1)
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("## shop")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("[judge]\nreal = 'nope.jsonl'", "nope.jsonl: there is no such file"),
        ("[judge]\nreal = 'people.jsonl'\ncontrol = 'good'\ntreatment = 'worse'", "its arms: good"),
        ("[judge]\nreal = 'people.jsonl'\nvalidators = ['marginal']", "did you mean 'marginals'"),
        ("[judge]\nreal = 'people.jsonl'\nannotate = 'rulez'", "did you mean 'rules'"),
        ("[judge]\nreal = 'people.jsonl'\ngate = 'none.toml'", "none.toml"),
        ("[sweep]\nshopper.nope = [1]", "nope"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_run(tmp_path, told, why):
    written(tmp_path / "people.jsonl", [line(n) for n in range(12)])
    (tmp_path / "study.toml").write_text(told, encoding="utf-8")
    done = convsim("study", tmp_path / "study.toml", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert [text for text in done.stderr.splitlines() if text.startswith("error: ")] == [
        done.stderr.splitlines()[-1]
    ]
    assert why in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_a_dry_run_prints_the_runs_and_makes_nothing(tmp_path):
    (tmp_path / "study.toml").write_text("[sweep]\nstudy.n = [3, 5]\n", encoding="utf-8")
    done = convsim("study", tmp_path / "study.toml", "--out", tmp_path / "out", "--dry-run")
    assert done.returncode == 0
    assert [text.split(":")[0] for text in done.stdout.splitlines()] == ["n=3", "n=5"]
    assert not (tmp_path / "out").exists()


def test_simulate_says_what_it_leaves_out_of_a_whole_study(tmp_path):
    (tmp_path / "study.toml").write_text("[study]\nn = 2\n[sweep]\nstudy.n = [3, 5]\n", encoding="utf-8")
    done = convsim("simulate", tmp_path / "study.toml", "--dry-run")
    assert done.returncode == 0
    assert "[sweep] left out: one run is made; convsim study reads all of it" in done.stderr
