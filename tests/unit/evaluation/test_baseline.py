"""A later version is held against an earlier scorecard: what fits, what is refused, and what is worse."""

from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest

from convsim.errors import InputError
from convsim.evaluation import Scorecard, validate
from convsim.evaluation.baseline import Baseline
from convsim.evaluation.sides import Selection, Side
from convsim.io import Transcripts, read, write
from convsim.metrics import find_metrics
from convsim.report import to_markdown
from convsim.report.html import to_html
from convsim.report.junit import to_junit
from convsim.report.summary import scorecard_summary
from convsim_validators import Marginals
from tests.unit.evaluation.test_versions import CHATTY, METRICS, PEOPLE, POLITE, talks

HABITS = Marginals(n_resamples=99)
MEASURED = find_metrics(METRICS)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Transcripts]:
    folder = tmp_path_factory.mktemp("sides")
    sides = {"people": PEOPLE, "chatty": CHATTY, "polite": POLITE, "others": talks("o", words=5, thanks=0.1)}
    for name, talk in sides.items():
        write(folder / f"{name}.jsonl", talk)
    return {name: read(Path(folder, f"{name}.jsonl")) for name in sides}


@pytest.fixture(scope="module")
def cards(files) -> dict[str, Scorecard]:
    judge = partial(validate, files["people"], seed=1, validators=HABITS, metrics=METRICS)
    return {name: judge(files[name]) for name in ("chatty", "polite")}


def side(files, name):
    return Side.of(files[name], name, Selection())


def held(files, cards, *, at_hand=True, before="polite", after="chatty"):
    baseline = Baseline(
        "old", cards[before], files[before].conversations if at_hand else None, "" if at_hand else "they are gone"
    )  # fmt: skip
    baseline.check(side(files, "people").summary, [HABITS], MEASURED)
    return baseline.against(cards[after], side(files, "people"), side(files, after), MEASURED)


def worse(versions):
    return {each.name for each in versions.worse if each.kind == "metric"}


@pytest.mark.parametrize(("at_hand", "by"), [(True, "conversations"), (False, "numbers")])
def test_what_is_worse_than_the_baseline_is_found_from_conversations_or_numbers(files, cards, at_hand, by):
    versions = held(files, cards, at_hand=at_hand)
    assert versions.by == by
    assert worse(versions) == {"user_words_per_turn"}
    assert [each.name for each in versions.better] == ["user_thanks"]
    assert versions.note == (
        ""
        if at_hand
        else "they are gone: compared by the numbers in the file, which shows large changes alone"
    )


def test_both_ways_tell_the_same_change_and_the_numbers_are_less_sure(files, cards):
    both = [held(files, cards, at_hand=at_hand) for at_hand in (True, False)]
    ways = [{each.name: each for each in versions.moved} for versions in both]
    for name in METRICS:
        first, second = (way[name] for way in ways)
        assert first.change == pytest.approx(second.change)
        widths = [each.interval[1] - each.interval[0] for each in (first, second)]
        assert widths[0] < widths[1]


def test_a_version_is_not_worse_than_itself(files, cards):
    for at_hand in (True, False):
        assert held(files, cards, at_hand=at_hand, after="polite").worse == ()


def check(card, people, *, validators=(HABITS,), metrics=MEASURED):
    Baseline("old", card).check(people.summary, validators, metrics)


def test_a_baseline_of_other_people_is_refused(files, cards):
    with pytest.raises(
        InputError, match=r"--baseline old: was made with other people: SHA-256 \w{12}… there"
    ):
        check(cards["chatty"], side(files, "others"))


def test_a_baseline_of_other_arms_is_refused(files, cards):
    people = side(files, "people").keep(lambda c: c.id != "people0")
    with pytest.raises(InputError, match="another part of the people: 45 conversations there, 44 here"):
        check(cards["chatty"], people)


def test_a_baseline_of_other_metrics_is_refused(files, cards):
    with pytest.raises(
        InputError, match="other metrics: without turns and with user_digits; make a baseline"
    ):
        check(
            cards["chatty"],
            side(files, "people"),
            metrics=find_metrics(["turns", "user_thanks", "user_words_per_turn"]),
        )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"joint_margin": 0.2}, "other margins: 0.147 on average there, 0.2 here"),
        ({"metric_margins": {"user_thanks": {"ks": 0.3}}}, "other margins of user_thanks"),
    ],
)
def test_a_baseline_of_other_margins_is_refused(files, cards, settings, said):
    with pytest.raises(InputError, match=said):
        check(cards["chatty"], side(files, "people"), validators=[Marginals(**settings)])


def test_a_baseline_that_kept_no_variances_is_refused(files, cards):
    def without(finding):
        details = {key: value for key, value in finding.details.items() if key != "squares_by_metric"}
        return finding.but(details=details)

    old = cards["chatty"].but(findings=tuple(map(without, cards["chatty"].findings)))
    with pytest.raises(InputError, match="which did not keep the variances that this needs"):
        check(old, side(files, "people"))
    other = cards["chatty"].but(findings=tuple(f.but(version="0") for f in cards["chatty"].findings))
    with pytest.raises(InputError, match="was made by version 0 of marginals"):
        check(other, side(files, "people"))
    none = cards["chatty"].but(findings=())
    with pytest.raises(InputError, match="has no finding marginals/all_metrics"):
        check(none, side(files, "people"))


def test_a_baseline_without_the_validator_of_habits_is_refused(files, cards):
    with pytest.raises(InputError, match="--baseline needs the validator marginals"):
        check(cards["chatty"], side(files, "people"), validators=[])


def test_every_report_lists_what_is_worse_with_its_values(files, cards):
    card = cards["chatty"].but(baseline=held(files, cards))
    assert card.fails("worse")
    assert not cards["chatty"].fails("worse")
    line = "metric user_words_per_turn: worse; distance from people "
    suite = ElementTree.fromstring(to_junit(card, "worse")).find("testsuite[@name='baseline']")
    [failure] = suite.iter("failure")
    assert failure.text.startswith(line)
    assert suite.get("failures") == "1"
    for text in (to_markdown(card), scorecard_summary(card), to_html(card, None, None)):
        assert "user\\_words\\_per\\_turn" in text or "user_words_per_turn" in text
        assert "metrics worse" in text or "metric worse" in text
    assert Scorecard.model_validate_json(card.to_json()).baseline == card.baseline


SIDE = {
    "path": "sim.jsonl",
    "sha256": "a",
    "n": 9,
    "simulator": "s",
    "arms": {"good": 5, "bad": 4},
    "tasks": {"-": 9},
}


def shifts(ratio, interval, over=("turns",), arms=("good", "bad"), version="1"):
    """A scorecard of a shift test with that ratio."""
    finding = {
        "validator": "counterfactual", "metric": "reaction_ratio", "question": "?", "unit": "-", "verdict": "undecided",
        "reason": "r", "n_real": 9, "n_simulated": 9, "seed": 0, "version": version, "source": "s", "estimate": ratio,
        "interval": interval, "details": {
            "control": arms[0], "treatment": arms[1],
            "shifts_in_human_sd": {name: {"people": 1.0, "simulated": 1.0} for name in over}},
    }  # fmt: skip
    return Scorecard.model_validate(
        {"schema": "convsim.findings/1", "real": SIDE, "simulated": SIDE, "findings": [finding]}
    )


def test_reactions_are_held_against_the_ratio_of_the_baseline():
    before = Baseline("old", shifts(0.9, (0.7, 1.1)))
    before.check_reactions(before.card.simulated, ("good", "bad"), "1")
    versions = before.reactions_against(shifts(0.1, (-0.1, 0.3)))
    [moved] = versions.worse
    # From .1 to .9 off; both errors .2 / 1.96, added up.
    assert moved.name == "reactions"
    assert moved.change == pytest.approx(0.8)
    assert moved.interval == pytest.approx((0.4, 1.2))
    assert before.reactions_against(shifts(0.7, (0.5, 0.9))).worse == ()
    other = before.reactions_against(shifts(0.1, (-0.1, 0.3), over=("turns", "left")))
    assert other.moved == ()
    assert other.note == "the ratios are over different metrics, and cannot be compared"


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (
            shifts(0.9, (0.7, 1.1), arms=("bad", "good")),
            "was made from bad to good, and this is from good to bad",
        ),
        (shifts(0.9, None), "has no reaction_ratio with an interval"),
        (shifts(0.9, (0.7, 1.1), version="0"), "version 0 of counterfactual"),
    ],
)
def test_a_baseline_of_another_shift_test_is_refused(card, said):
    with pytest.raises(InputError, match=said):
        Baseline("old", card).check_reactions(card.real, ("good", "bad"), "1")
