"""``convsim calibrate`` as a user types it: small, what it prints and writes, and what it refuses."""

import json

import pytest

from tests.demo_data.crowd import crowd
from tests.end_to_end.validating import CLOSE, once, written
from tests.end_to_end.validating import convsim as command
from tests.junit import outcomes

QUICK = (
    "--validators",
    "marginals,copies",
    "--set",
    "marginals.n_resamples=49",
    "--set",
    "copies.n_resamples=49",
)
SMALL = ("--sizes", "40", "--adversaries", "messages_of_one_word,copies_with_a_word_swapped", "--runs", 1)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    lines = [c.to_json() for c in crowd(130, seed=2)]
    return written(tmp_path_factory.mktemp("people") / "people.jsonl", lines)


def test_adversaries_are_caught_and_people_are_not(people):
    done = once("calibrate", people, *QUICK, *SMALL, "--null-runs", 1, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "convsim.calibration/1"
    assert found["n_people"] == 130
    assert found["validators"] == ["marginals", "copies"]
    null, word, copies = found["trials"]
    assert (null["adversary"], null["must_catch"], null["n_runs"], null["caught"]) == (
        "other_people",
        [],
        1,
        {},
    )
    assert (word["adversary"], word["caught"]["marginals"]) == ("messages_of_one_word", 1)
    assert (copies["caught"]["copies"], copies["caught_by_any"], copies["failing_headline"]) == (1, 1, 1)
    assert done.stderr.splitlines() == [
        "seed 0",
        "40 a side, other_people: caught in 0 of 1 by nothing",
        *[line for line in done.stderr.splitlines() if "messages_of_one_word" in line],
        "40 a side, copies_with_a_word_swapped: caught in 1 of 1 by copies 1",
    ]


def test_what_is_written_is_what_is_printed_and_an_earlier_calibration_is_replaced(people, tmp_path):
    out = tmp_path / "out"
    alone = ("--sizes", 32, "--adversaries", "copies_with_a_word_swapped", "--runs", 1, "--null-runs", 1)
    done = command("calibrate", people, *QUICK, *alone, "--out", out, "--format", "md",
        "--junit", tmp_path / "junit.xml",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (out / "CALIBRATION.md").read_text(encoding="utf-8")
    assert done.stdout == page
    found = outcomes((tmp_path / "junit.xml").read_text(encoding="utf-8"))
    assert found["32 people a side"]["copies_with_a_word_swapped: copies"] == "passed"
    assert "| copies\\_with\\_a\\_word\\_swapped | · | **1/1** | 1/1 | 1/1 |" in page
    assert "32 a side: 1 of 1 adversaries are caught in 80% of runs; other people are in 0 of 1." in page
    found = json.loads((out / "calibration.json").read_text(encoding="utf-8"))
    assert found["made_by"]["command"][0] == "calibrate"
    again = command("calibrate", people, *QUICK, *alone, "--out", out)
    assert again.returncode == 0, again.stderr
    assert "copies 1/1" in again.stdout


def test_too_large_sizes_are_left_out_with_a_line_and_validators_that_did_not_run_are_named(people):
    done = once(
        "calibrate", people, *QUICK, "--sizes", "12,400", "--adversaries", "emoji,user_of_another_conversation",
        "--runs", 1, "--null-runs", 1,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "400 a side is left out: it needs 800 people, and there are 130" in done.stdout
    assert "typography (did not run)" in done.stdout
    assert "Not judged by coherence, typography: no validator of that name ran." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--sizes", "1o0"),
            "--sizes '1o0': expected numbers of people a side with commas between, such as 100,200",
        ),
        (("--sizes", "4"), "sizes are numbers of people a side, 8 or more, but 4 is too small"),
        (("--sizes", "100,200"), "too few people, 130: 100 a side need 200"),
        (("--adversaries", "emojis"), "no adversary is called 'emojis'; did you mean emoji?"),
        (("--adversaries", ","), "no adversary is named; there are: other_people"),
        (("--runs", "0"), "Invalid value for '--runs'"),
        (("--validators", ","), "no validator is named; installed:"),
    ],
)
def test_mistakes_are_one_line(people, arguments, said):
    done = once("calibrate", people, *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {said}")
    assert not done.stdout


def test_simulated_people_are_refused():
    done = once("calibrate", CLOSE, "--sizes", "10")
    assert done.returncode == 2
    assert "real conversations name a simulator" in done.stderr


def test_somebody_elses_file_is_not_replaced(people, tmp_path):
    (tmp_path / "CALIBRATION.md").write_text("mine", encoding="utf-8")
    done = command("calibrate", people, *QUICK, *SMALL, "--out", tmp_path)
    assert done.returncode == 2
    assert "is there already and was not written by this command" in done.stderr
    assert (tmp_path / "CALIBRATION.md").read_text(encoding="utf-8") == "mine"
