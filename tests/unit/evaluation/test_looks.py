"""The plan of looks: sizes and error rates fixed beforehand, and the record that no look is taken from twice."""

import json

import pytest
from scipy.stats import norm

from convsim.errors import StudyError
from convsim.evaluation.looks import Looks, Question, TakenLook, most_conversations, plan_looks

QUESTION = Question(
    headline="habits", people_sha256="ab", n_people=150, seed=1, first=100, at_most=1000,
    planned=plan_looks(150, 100, 1000),
)  # fmt: skip
LOOK = TakenLook(n=100, n_simulated=100, verdict="undecided", reason="?", at="2026-01-01T00:00:00+00:00")


def test_each_look_is_half_as_large_again_and_the_last_is_the_largest_that_may_be():
    planned = plan_looks(150, 100, 1000)
    assert [look.n for look in planned] == [100, 150, 225, 338, 507, 761, 1000]
    # Information is n m / (n + m): 60 at 100 against 150, of 1000 x 150 / 1150 at the last.
    assert planned[0].information == pytest.approx(60 / (150_000 / 1150))
    assert planned[-1].information == 1


def test_a_first_look_spends_what_o_brien_and_fleming_would_and_all_are_stricter_than_one():
    planned = plan_looks(150, 100, 1000)
    assert planned[0].error_rate == pytest.approx(
        2 * norm.sf(1.959964 / planned[0].information ** 0.5), rel=1e-4
    )
    assert all(look.error_rate < 0.05 for look in planned)
    assert sum(look.error_rate for look in planned) > 0.05  # they hang together, so that each may err more


def test_looks_with_hardly_any_information_and_looks_that_hardly_add_any_are_left_out():
    # At 50, 75 and 113 of 400 people .155, .221 and .308 of the information: nothing of .05 is spent, then .0004.
    assert plan_looks(400, 50, 1000)[0].n == 170
    # 30 people bound it: .883, .923, .952, .972, .986, .995 of what is there at the last: 1013 adds .014 alone.
    assert [look.n for look in plan_looks(30, 200, 2000)] == [200, 300, 450, 675, 2000]


def test_a_single_look_is_judged_as_any_scorecard_is():
    [only] = plan_looks(150, 80, 80)
    assert (only.n, only.information) == (80, 1)
    assert only.error_rate == pytest.approx(0.05)


def test_where_nothing_is_said_the_last_look_has_ten_times_the_people_within_bounds():
    assert [most_conversations(n, 50) for n in (40, 150, 900)] == [400, 1500, 2000]
    assert most_conversations(30, 500) == 500


def test_what_was_looked_at_is_read_again_as_it_was_written_and_other_headlines_stay(tmp_path):
    assert Looks.read(tmp_path).of("habits") is None
    other = QUESTION.but(headline="words")
    Looks().write(tmp_path, QUESTION).write(tmp_path, other).write(tmp_path, QUESTION.but(looks=(LOOK,)))
    read = Looks.read(tmp_path)
    assert read.of("habits") == QUESTION.but(looks=(LOOK,))
    assert read.of("words") == other
    assert json.loads((tmp_path / "looks.json").read_text())["schema"] == "convsim.looks/1"


def test_a_question_is_decided_by_its_last_look_alone():
    assert QUESTION.decided is None
    assert QUESTION.but(looks=(LOOK,)).decided is None
    last = LOOK.but(n=150, verdict="aligned")
    assert QUESTION.but(looks=(LOOK, last)).decided == last


def test_the_first_thing_that_is_asked_otherwise_is_named():
    assert QUESTION.differs_from(QUESTION.but(looks=(LOOK,))) is None
    assert QUESTION.differs_from(QUESTION.but(at_most=900)) == "at most was 1000 and is now 900"
    assert QUESTION.differs_from(QUESTION.but(arms=("good", "bad"))) == "arms was  and is now good, bad"


@pytest.mark.parametrize(
    "text", ["", "{", '{"schema": "convsim.looks/2"}', '{"questions": [{"headline": "x"}]}']
)
def test_a_record_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "looks.json").write_text(text)
    with pytest.raises(StudyError, match="is no record of looks"):
        Looks.read(tmp_path)
