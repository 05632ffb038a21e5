"""Survey answers as labels: what is mapped, what is left alone, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convsim.errors import InputError
from convsim.io import SurveyReport, Transcripts, read
from tests.unit.io.made import archive, archived, jsonl, line, turn, written


def rated(path: Path, *ratings: dict[str, Any], survey_map: Path | None = None) -> Transcripts:
    """Read an archive whose conversations have these session ratings."""
    written(path / "x.json", archive(*(archived(ratings=each) for each in ratings)))
    return read(path / "x.json", survey_map=survey_map)


def report(found: Transcripts) -> SurveyReport:
    assert found.survey is not None
    return found.survey


def values(found: Transcripts, label: str) -> list[tuple[Any, Any]]:
    return [
        (c.labels[label][0].value, c.labels[label][0].scale) for c in found.conversations if label in c.labels
    ]


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("How satisfied were you with the assistant?", "satisfaction"),
        ("Rate your SATISFACTION.", "satisfaction"),
        ("Was the assistant frustrating?", "frustration"),
        ("I felt confused by the answer", "confusion"),
        ("Would you buy any of these items?", "purchase_intent"),
        ("How likely are you to purchase an item?", "purchase_intent"),
        ("Did the conversation feel natural?", "naturalness"),
    ],
)
def test_usual_questions_are_mapped(question: str, label: str, tmp_path: Path) -> None:
    found = rated(tmp_path, {question: "yes"})
    assert values(found, label) == [(1, (0, 1))]
    assert [row.label for row in report(found).mapped] == [label]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("How old are you?", "no pattern matches"),
        ("How dissatisfied were you?", "no pattern matches"),
        ("Was the talk unnatural?", "no pattern matches"),
        ("How often do you buy clothes online?", "no pattern matches"),
        ("Were you satisfied or frustrated?", "patterns of several labels match: frustration, satisfaction"),
        ("I was not satisfied", "it is negated"),
        ("It didn’t feel natural", "it is negated"),
    ],
)
def test_a_question_that_might_mean_something_else_is_left_alone_and_kept(
    question: str, reason: str, tmp_path: Path
) -> None:
    found = rated(tmp_path, {question: "yes"}, {question: None})
    assert [c.labels for c in found.conversations] == [{}, {}]
    assert found.conversations[0].metadata["ratings"] == {question: "yes"}
    assert [(row.question, row.reason, row.n) for row in report(found).left] == [(question, reason, 1)]


def test_two_questions_of_one_survey_for_one_label_are_both_left_alone(tmp_path: Path) -> None:
    a, b, c = "Satisfied with the items?", "Satisfied with the talk?", "Satisfied overall?"
    found = rated(tmp_path, {a: "yes", b: "no"}, {b: "yes", c: "yes"}, {c: "no"})
    assert [conversation.labels for conversation in found.conversations] == [{}, {}, {}]
    assert {row.reason for row in report(found).left} == {
        "another question of the same survey also matches satisfaction"
    }


def test_the_same_question_may_be_asked_of_the_session_and_of_each_turn(tmp_path: Path) -> None:
    question = "Were you satisfied?"
    path = written(
        tmp_path / "x.json",
        archive(archived(ratings={question: "yes"}, turns=[turn(ratings={question: "no"})])),
    )
    (conversation,) = read(path).conversations
    assert conversation.labels["satisfaction"][0].value == 1
    assert conversation.messages[0].labels["satisfaction"][0].value == 0


ASKED = "How satisfied were you?"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["Yes", "no.", "YES"], [(1, (0, 1)), (0, (0, 1)), (1, (0, 1))]),
        ([True, False], [(1, (0, 1)), (0, (0, 1))]),
        (["yes", "maybe", "no"], [(2, (0, 2)), (1, (0, 2)), (0, (0, 2))]),
        (["Very satisfied", "dissatisfied"], [(5, (1, 5)), (2, (1, 5))]),
        (["Strongly  disagree", "Agree"], [(1, (1, 5)), (4, (1, 5))]),
        (["Somewhat agree", "Agree", "Strongly agree"], [(5, (1, 7)), (6, (1, 7)), (7, (1, 7))]),
        (["Not at all", "Extremely"], [(1, (1, 5)), (5, (1, 5))]),
        ([3, "4", 4.5, "-1"], [(3, None), (4, None), (4.5, None), (-1, None)]),
        (["5 - Very satisfied", "1: awful", "2"], [(5, None), (1, None), (2, None)]),
        (["Yes", "N/A"], [(1, (0, 1)), ("N/A", None)]),
        (["Yes", "kind of"], [("Yes", None), ("kind of", None)]),
        (["4/5", "10%"], [("4/5", None), ("10%", None)]),
        ([None, "", "Yes"], [(1, (0, 1))]),
        ([["a", "b"]], [(["a", "b"], None)]),
    ],
)
def test_answers_become_numbers_only_where_that_is_certain(
    answers: list[Any], expected: list[Any], tmp_path: Path
) -> None:
    found = rated(tmp_path, *({ASKED: answer} for answer in answers))
    assert values(found, "satisfaction") == expected
    assert all(c.labels["satisfaction"][0].source == "self" for c in found.conversations if c.labels)


def test_the_report_counts_numbers_and_names_texts(tmp_path: Path) -> None:
    found = rated(tmp_path, {ASKED: "Yes"}, {ASKED: "No"}, {ASKED: "N/A"})
    (row,) = report(found).mapped
    assert (row.level, row.question, row.label, row.scale) == ("session", ASKED, "satisfaction", (0, 1))
    assert (row.n_numbers, row.n_texts, row.texts) == (2, 1, ("N/A",))
    assert report(found).map == "built-in"


OWN = """
[[question]]
label = "joy"
pattern = "how happy"
scale = [1, 7]

[[scale]]
name = "moods"
low = 10
answers = [["sad"], ["glad", "merry"]]
"""


def test_the_map_can_be_replaced(tmp_path: Path) -> None:
    own = tmp_path / "map.toml"
    own.write_text(OWN, encoding="utf-8")
    found = rated(tmp_path, {"How HAPPY?": "5", ASKED: "yes"}, {"How HAPPY?": "9"}, survey_map=own)
    assert values(found, "joy") == [(5, (1, 7)), ("9", None)]
    assert report(found).map == str(own)
    assert [row.question for row in report(found).left] == [ASKED]
    assert values(rated(tmp_path, {"how happy": "merry"}, survey_map=own), "joy") == [(11, (10, 11))]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[question", "the survey map is not TOML"),
        ("", "question: is required, but is missing"),
        ("question = []", "needs at least one"),
        ('[[question]]\nlabel = "x"\npattern = "("', r"question\[0\].pattern: is not a regular expression"),
        ('[[question]]\nlabel = "x"', r"question\[0\].pattern: is required, but is missing"),
        ('[[question]]\nlabel = "x"\npattern = "y"\nscales = 1', r"question\[0\].scales: "),
    ],
)
def test_a_map_that_cannot_be_used_is_told_why(text: str, problem: str, tmp_path: Path) -> None:
    own = tmp_path / "map.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        rated(tmp_path, {ASKED: "yes"}, survey_map=own)


def test_a_missing_map_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the survey map cannot be read: No such file"):
        rated(tmp_path, {ASKED: "yes"}, survey_map=tmp_path / "none.toml")


def test_the_map_does_not_matter_to_other_files(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", line())
    assert read(path, survey_map=tmp_path / "none.toml").survey is None
