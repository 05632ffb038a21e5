"""``convsim show`` as a user types it: filters by arm, label and human-likeness."""

import json

import pytest

from tests.end_to_end.validating import NAIVE, PEOPLE, convsim, line, written


def test_conversations_are_filtered_by_label_and_its_value(tmp_path):
    labels = {"satisfaction": {"value": 1, "source": "self"}}
    acts = {
        "role": "user",
        "content": "cheers",
        "labels": {"acts": {"value": ["thank", "close"], "source": "rules:1"}},
    }
    file = written(
        tmp_path / "c.jsonl",
        [line(1, labels=labels), line(2), json.dumps({"id": "c3", "messages": [acts]})],
    )
    for wanted, ids in (("satisfaction", ["c1"]), ("satisfaction=1", ["c1"]), ("acts=close", ["c3"])):
        shown = convsim("show", file, "--label", wanted).stdout
        assert [name for name in ("c1", "c2", "c3") if f"{name}  " in shown] == ids
    none = convsim("show", file, "--label", "satisfaction=0")
    assert (none.returncode, none.stdout) == (2, "")


def test_the_least_human_like_come_first_and_a_range_keeps_some(tmp_path):
    out = tmp_path / "out"
    assert convsim("validate", PEOPLE, NAIVE, "--validators", "humanlikeness", "--out", out).returncode == 0
    scores = json.loads((out / "findings.json").read_text())["findings"][0]["details"]["conversation_scores"]
    lowest = sorted(scores["simulated"].values())[:3]
    shown = convsim("show", NAIVE, "--findings", out, "--limit", 3).stdout
    said = [float(each.split()[1]) for each in shown.splitlines() if each.startswith("human-likeness")]
    assert said == [float(f"{score:.3g}") for score in lowest]
    none = convsim("show", NAIVE, "--findings", out, "--hls", "0.9:1")
    assert (none.returncode, max(scores["simulated"].values()) < 0.9) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hls", "0:1"), "--hls needs --findings"),
        (("--findings", PEOPLE), "has no list of findings"),
        (("--findings", PEOPLE, "--hls", "low"), "expected LOW:HIGH"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(arguments, said):
    done = convsim("show", NAIVE, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("error:") == 1
