import numpy as np
import pytest

from convsim import validate
from convsim.evaluation.copied import without_credit_for_copies
from convsim.report.headline import headline
from convsim.report.junit import to_junit
from convsim.report.markdown import to_markdown
from convsim.schema import FAILING
from convsim_validators import Copies
from tests.made_up_talk import one_word, side, swapped, talk
from tests.reports import distance, finding, hls


def near(verdict: str = "copies"):
    return finding("copies", "near_copies", verdict=verdict, reason="all have one source", estimate=0.9)


@pytest.mark.parametrize("verdict", ["aligned", "undecided"])
def test_a_plagiarist_has_no_human_likeness_score(verdict):
    score = hls({"s1": 0.5}).but(verdict=verdict)
    _, found, habit = without_credit_for_copies([near(), score, distance("turns", verdict="aligned")])
    assert (found.verdict, found.estimate, found.interval) == ("undecided", None, None)
    assert "near_copies" in found.reason
    assert habit.verdict == "aligned"


def test_what_gives_a_plagiarist_away_all_the_same_is_still_said():
    _, found = without_credit_for_copies([near(), hls({"s1": 0.1})])
    assert (found.verdict, found.estimate) == ("different", 0.2)


@pytest.mark.parametrize("verdict", ["aligned", "undecided", "different"])
def test_where_nothing_was_copied_nothing_changes(verdict):
    findings = [near(verdict), hls({"s1": 0.5}).but(verdict="aligned")]
    assert without_credit_for_copies(findings) == findings


def conversations(said, prefix):
    return side(said, prefix).conversations


@pytest.fixture(scope="module")
def plagiarist():
    rng = np.random.default_rng(3)
    said = talk(rng, 40)
    copied = swapped(rng, said, one_word(rng))
    return conversations(said, "r"), conversations(copied, "s")


@pytest.fixture(scope="module")
def card(plagiarist):
    return validate(*plagiarist, seed=1, validators=[Copies(n_resamples=99)], metrics=["turns"])


def test_a_gate_fails_on_copies_and_a_warning_says_why(card):
    assert "copies" in FAILING
    assert [f.metric for f in card.failing("different")] == ["near_copies"]
    assert any(warning.startswith("near copies: 100% of 40") for warning in card.warnings)


def test_every_report_says_copies_first(card):
    assert headline(card).startswith("Simulated shoppers copy the people they are judged on: 100% of 40")
    assert "| near_copies |" in to_markdown(card).replace("near\\_copies", "near_copies")
    assert "| copies |" in to_markdown(card)
    assert '<failure message="copies" type="copies">' in to_junit(card, "different")
    assert "copies" in str(card)


def test_exact_copies_are_not_made_undecided(plagiarist):
    real, _ = plagiarist
    renamed = [conversation.but(id=f"s{n}") for n, conversation in enumerate(real)]
    found = validate(real, renamed, seed=1, validators=[Copies(n_resamples=99)], metrics=["turns"])
    assert [f.verdict for f in found.findings if f.metric == "near_copies"] == ["copies"]
