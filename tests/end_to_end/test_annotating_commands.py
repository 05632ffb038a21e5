"""``convsim annotate`` and ``convsim annotator`` as a user types them, and ``--annotate`` in comparisons."""

import json
from pathlib import Path

import pytest

from convsim.io import read, write
from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim, line, written
from tests.junit import outcomes


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("annotated") / "people.jsonl"
    done = convsim("annotate", PEOPLE, "--with", "rules", "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def test_annotate_adds_acts_and_experience_and_leaves_what_people_said(labelled):
    before, after = read(PEOPLE).conversations, read(labelled).conversations
    assert [c.id for c in before] == [c.id for c in after]
    for here, there in zip(before, after, strict=True):
        assert [m.content for m in here.messages] == [m.content for m in there.messages]
        sources = [label.source for label in there.labels["satisfaction"]]
        assert sources == ["self", "rules:1"]
        assert all("acts" in m.labels for m in there.user_messages)
        assert not any("acts" in m.labels for m in there.messages if m.role == "assistant")
    assert not list(labelled.parent.glob(".*"))


def test_annotating_again_changes_nothing(labelled, tmp_path):
    again = tmp_path / "again.jsonl"
    done = convsim("annotate", labelled, "--out", again)
    assert done.returncode == 0
    assert "(320 of them earlier)" in done.stderr
    assert again.read_bytes() == labelled.read_bytes()


def test_an_annotator_is_checked_against_what_people_said_of_themselves(labelled, tmp_path):
    done = convsim("annotator", "check", labelled, "--against", "self", "--format", "json", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["source"], found["against"], found["n_conversations"]) == ("rules:1", "self", 320)
    assert {"satisfaction", "frustration"} <= {entry["label"] for entry in found["entries"]}
    assert json.loads((tmp_path / "reliability.json").read_text()) == found
    junit = tmp_path / "junit.xml"
    text = convsim("annotator", "check", labelled, "--against", "self", "--junit", junit)
    labels = {f"{entry['label']} of a {entry['level']}" for entry in found["entries"]}
    assert labels == set(outcomes(junit.read_text(encoding="utf-8"))["agreement with self"])
    assert "Kendall's tau-b" in text.stdout
    assert "0.165" in text.stdout


def test_a_classifier_is_trained_labels_a_file_and_is_named_by_what_it_learned(tmp_path):
    model = tmp_path / "mine.npz"
    people = tmp_path / "people.jsonl"
    write(people, read(PEOPLE).conversations[:120])
    held_out = tmp_path / "held_out.jsonl"
    trained = convsim(
        "annotator",
        "train",
        people,
        "--labels",
        "satisfaction,frustration",
        "--out",
        model,
        "--held-out",
        held_out,
    )
    assert trained.returncode == 0, trained.stderr
    assert "satisfaction of a conversation" in trained.stdout
    out = tmp_path / "out.jsonl"
    done = convsim("annotate", NAIVE, "--with", f"classifier:{model}", "--out", out)
    assert done.returncode == 0, done.stderr
    [source] = {label.source for c in read(out).conversations for label in c.labels["satisfaction"]}
    assert source.startswith("classifier:")
    assert source in trained.stderr
    fair = convsim("annotator", "check", held_out, "--source", "classifier:cv", "--against", "self")
    assert fair.returncode == 0, fair.stderr


def test_both_sides_are_labelled_first_and_compared_by_acts_and_experience():
    asked = {"marginals": 199, "prevalence": 49, "transitions": 49}
    few = [f"--set={name}.n_resamples={n}" for name, n in asked.items()]
    which = ("--validators", ",".join(asked))
    done = convsim("validate", PEOPLE, NAIVE, "--annotate", "rules", "--format", "json", *which, *few)
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    found = {f["metric"]: f for f in card["findings"] if f["validator"] == "marginals"}
    assert found["act_thank"]["details"]["label_source"] == "rules:1"
    assert found["act_thank"]["verdict"] == "different"
    assert found["satisfaction"]["details"]["label_source"] == "rules:1"
    [reliability] = card["reliability"]
    assert (reliability["source"], reliability["against"]) == ("rules:1", "self")
    assert {f["validator"] for f in card["findings"]} == set(asked)
    text = convsim("validate", PEOPLE, NAIVE, "--annotate", "rules", "--validators", "marginals", few[0])
    assert "agreement of labels by rules:1 with labels by self" in text.stdout


def test_shifts_of_acts_and_experience_are_compared_too():
    done = convsim(
        "counterfactual",
        PEOPLE,
        CLOSE,
        "--control",
        "good",
        "--treatment",
        "bad",
        "--annotate",
        "rules",
        "--set",
        "counterfactual.n_resamples=49",
        "--format",
        "json",
    )
    assert done.returncode == 0, done.stderr
    found = {f["metric"]: f for f in json.loads(done.stdout)["findings"]}
    assert found["satisfaction"]["details"]["human_shift"]["estimate"] < 0
    assert found["act_feedback_negative"]["details"]["label_source"] == "rules:1"


def test_labels_whose_reliability_nobody_can_tell_say_so(tmp_path):
    files = [
        written(
            tmp_path / f"{name}.jsonl", [line(i, text=f"{name} size {i} boots, thanks") for i in range(20)]
        )
        for name in "ab"
    ]
    done = convsim("validate", *files, "--annotate", "rules")
    assert done.returncode == 0, done.stderr
    assert "how well labels by rules:1 agree with people's is unknown" in " ".join(done.stdout.split())


BAD: dict[str, tuple[list[object], str]] = {
    "no such annotator": (
        ["annotate", PEOPLE, "--with", "oracle", "--out", "x.jsonl"], "installed: classifier, judge, rules"
    ),
    "a classifier that is none": (
        ["annotate", PEOPLE, "--with", f"classifier:{PEOPLE}", "--out", "x.jsonl"], "convapparel_standin.json"
    ),
    "a classifier without a file": (["annotate", PEOPLE, "--with", "classifier", "--out", "x.jsonl"], "path"),
    "its own input": (["annotate", NAIVE, "--out", NAIVE], "exists already; name another file"),
    "an ending that cannot be written": (["annotate", NAIVE, "--out", "x.doc"], "x.doc"),
    "nobody's labels": (["annotator", "check", NAIVE, "--against", "self"], "found: none"),
    "an unknown setting": (["annotate", NAIVE, "--out", "x.jsonl", "--set", "rules.power=3"], "power"),
    "training on no labels": (["annotator", "train", NAIVE, "--out", "x.npz"], "found: none"),
    "training on a label that is none": (
        ["annotator", "train", PEOPLE, "--labels", "joy", "--out", "x.npz"], "joy"
    ),
    "a map that is none": (["annotator", "train", PEOPLE, "--map", PEOPLE, "--out", "x.npz"], "is larger than"),
}  # fmt: skip


def test_nothing_that_is_there_is_replaced_and_nothing_is_labelled_before_that_is_known(labelled, tmp_path):
    before = labelled.read_bytes()
    run = tmp_path / "run"
    run.mkdir()
    held = written(run / "conversations.jsonl", [line(i) for i in range(3)]).read_bytes()
    for arguments in (
        (
            "annotator",
            "train",
            labelled,
            "--source",
            "self",
            "--out",
            tmp_path / "m.npz",
            "--held-out",
            labelled,
        ),
        ("annotate", run, "--out", run / "conversations.jsonl"),
        ("annotate", NAIVE, "--out", labelled),
        ("annotate", NAIVE, "--out", tmp_path / "labels.txt"),
        ("annotate", NAIVE, "--out", tmp_path / "nowhere" / "x.jsonl"),
        ("annotator", "train", labelled, "--source", "self", "--out", tmp_path / "m.pickle"),
    ):
        done = convsim(*arguments)
        assert done.returncode == 2, arguments
        assert "labelled by" not in done.stderr
    assert labelled.read_bytes() == before
    assert (run / "conversations.jsonl").read_bytes() == held
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_judge_that_can_label_nothing_is_no_comparison(tmp_path):
    files = [written(tmp_path / f"{n}.jsonl", [line(i, text=f"{n} {i}") for i in range(9)]) for n in "ab"]
    server = (
        "--model",
        "openai_compatible",
        "--set",
        "model.model=m",
        "--set",
        "model.base_url=http://127.0.0.1:9/v1",
    )
    done = convsim(
        "validate", *files, "--annotate", "judge", *server, "--set", "model.max_retries=0", "--fail-on", "different",
        OPENAI_API_KEY="none",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "labelled no conversation" in done.stderr
    assert "Traceback" not in done.stderr


def test_acts_that_are_not_defined_are_warned_of(tmp_path):
    said = {"role": "user", "content": "hi", "labels": {"acts": {"value": ["sing"], "source": "mine:1"}}}
    files = [
        written(
            tmp_path / f"{n}.jsonl", [json.dumps({"id": f"{n}{i}", "messages": [said]}) for i in range(9)]
        )
        for n in "ab"
    ]
    done = convsim("validate", *files, "--format", "json", "--allow-overlap")
    assert "labels use acts that have no definition: sing" in json.loads(done.stdout)["warnings"]


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_done_is_one_clear_line_and_exit_code_2(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    arguments, said = BAD[name]
    before = NAIVE.read_bytes()
    done = convsim(*arguments)
    assert done.returncode == 2, done.stderr
    assert [said in each for each in done.stderr.splitlines() if each.startswith("error:")] == [True], (
        done.stderr
    )
    assert "Traceback" not in done.stderr
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert NAIVE.read_bytes() == before
