"""The finding on all habits together: a sentence of its own, and no habit among the others."""

import pytest

from convsim.evaluation.layout import in_section
from convsim.evaluation.scorecard import MadeBy, Scorecard
from convsim.report.caveats import CHOSEN_BEFOREHAND, limits
from convsim.report.headline import headline
from convsim.report.tables import verdict_words
from convsim.schema import Finding
from tests.reports import side


def finding(metric, verdict, **more):
    return Finding(
        validator="marginals", metric=metric, question="?", unit="KS distance", verdict=verdict, reason="so",
        n_real=9, n_simulated=9, seed=0, version="1", source="a test", **more,
    )  # fmt: skip


def card(*findings):
    both = side(9)
    return Scorecard.model_construct(
        real=both, simulated=both, made_by=MadeBy.model_construct(convsim="0"), warnings=(), reliability=(),
        findings=findings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("aligned", "On average, habits are like people's."),
        ("different", "All together, habits differ from people's."),
        ("undecided", "All together, habits need more data."),
    ],
)
def test_it_has_a_sentence_before_the_single_habits_and_is_not_counted_as_one(verdict, said):
    told = headline(card(finding("turns", "aligned"), finding("all_metrics", verdict)))
    assert told == f"{said} One by one, 0 of 1 habit differ from people's, 1 is alike and 0 need more data."
    assert headline(card(finding("all_metrics", verdict))) == said


def test_alike_on_average_is_no_contradiction_to_one_habit_that_differs():
    both = card(finding("turns", "different"), finding("all_metrics", "aligned"))
    assert headline(both).startswith("On average, habits are like people's. One by one, 1 of 1 habit differs")
    assert verdict_words(both.findings[1]) == "alike on average"
    assert verdict_words(both.findings[1].but(verdict="undecided")) == "needs more data"


def test_it_stands_in_no_table_of_metrics_and_a_failed_validator_is_said_to_have_failed():
    assert in_section([finding("all_metrics", "different")], "habits") == []
    assert "failed and gave no result" in headline(card(finding("all_metrics", "failed")))


def test_whoever_reads_a_number_of_conversations_is_told_once_to_choose_it_beforehand():
    needs = [
        finding(name, "undecided", details={"n_to_decide": {"real": 400, "simulated": 400}}) for name in "ab"
    ]
    assert limits(card(*needs)).count(CHOSEN_BEFOREHAND) == 1
    assert CHOSEN_BEFOREHAND not in limits(card(finding("a", "aligned")))
