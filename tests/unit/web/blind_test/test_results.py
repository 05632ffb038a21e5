"""Results of a blind test: shares, verdicts, agreement between raters, and agreement with a discriminator."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score

from convsim.errors import InputError
from convsim.evaluation import Scorecard
from convsim.schema import Finding
from convsim.stats.resampling import Mark, crossed_interval
from convsim.web.blind_test import ArenaStudy, Database, prepare, read_scores, results
from convsim.web.blind_test.answers import Word
from convsim.web.blind_test.votes import Vote, agreement
from tests.unit.web.blind_test.studies import database, rate, side, study, transcripts


def judged(made: ArenaStudy, path: Path, *, right: float, raters: int = 5) -> Database:
    """Let every rater be right in the first ``right`` of every ten trials of the study."""
    kept = database(path / "arena.sqlite", made)
    for number in range(raters):
        rate(made, kept, f"rater {number}", right=lambda trial: trial % 10 < 10 * right)
    return kept


def of(card: Scorecard, metric: str) -> Finding:
    (finding,) = [each for each in card.findings if each.metric == metric]
    return finding


def test_raters_who_are_always_right_tell_the_simulator_from_people(tmp_path: Path) -> None:
    card = results(judged(study(), tmp_path, right=1.0))
    accuracy, likeness = of(card, "accuracy"), of(card, "human_hls")
    assert (accuracy.estimate, accuracy.verdict) == (1.0, "different")
    assert (likeness.estimate, likeness.verdict) == (0.0, "different")
    assert likeness.details["real"] == {"mean": 1.0, "share": 1.0, "n": 100}
    assert of(card, "agreement").estimate == 1.0


def test_raters_who_mistake_one_for_the_other_see_a_difference_too(tmp_path: Path) -> None:
    accuracy = of(results(judged(study(), tmp_path, right=0.0)), "accuracy")
    assert (accuracy.estimate, accuracy.verdict) == (0.0, "different")
    assert "take simulated shoppers for people, and people for simulated shoppers" in accuracy.reason


@pytest.mark.parametrize("mode", ["single", "pair"])
def test_raters_at_chance_are_undecided_until_there_are_enough_answers(tmp_path: Path, mode: str) -> None:
    made = study(mode, n=60)  # type: ignore[arg-type]
    kept = judged(made, tmp_path, right=0.5, raters=2)
    few = of(results(kept), "accuracy")
    assert few.verdict == "undecided"
    needed = few.details["n_to_decide"]
    assert f"about {needed} answers would decide" in few.reason
    assert 200 < needed < 500
    for number in range(2, 9):
        rate(made, kept, f"rater {number}", right=lambda trial: trial % 2 == 0)
    many = of(results(kept), "accuracy")
    assert many.verdict == "aligned"
    assert 0.4 <= many.interval[0] < 0.5 < many.interval[1] <= 0.6


def test_each_simulator_has_its_own_share_beside_the_peoples(tmp_path: Path) -> None:
    made = study(n=40, simulators=("bot", "doll"))
    kept = database(tmp_path / "arena.sqlite", made)
    rate(made, kept, "Ada", right=lambda trial: made.simulator_of(made.trials[trial]) != "doll")
    card = results(kept)
    assert of(card, "human_hls: bot").estimate == 0.0
    assert of(card, "human_hls: doll").estimate == 1.0
    assert of(card, "accuracy: bot").estimate == 1.0
    assert of(card, "accuracy: doll").estimate == 0.5
    assert of(card, "accuracy").estimate == 0.75
    assert of(card, "human_hls: bot").details["real"] == {"mean": 1.0, "share": 1.0, "n": 20}


def test_accuracy_is_balanced_where_one_side_was_answered_more(tmp_path: Path) -> None:
    made = study(n=40)
    kept = database(tmp_path / "arena.sqlite", made)
    rate(
        made, kept, "Ada", right=lambda trial: made.trials[trial].human is not None, n=7
    )  # an odd number is never balanced
    assert of(results(kept), "accuracy").estimate == 0.5


def test_results_without_answers_are_undecided(tmp_path: Path) -> None:
    card = results(database(tmp_path / "arena.sqlite", study()))
    assert {finding.verdict for finding in card.findings} == {"undecided"}
    assert {finding.estimate for finding in card.findings} == {None}
    assert Scorecard.model_validate_json(card.to_json()).to_json() == card.to_json()


def test_clicked_words_are_counted_by_side(tmp_path: Path) -> None:
    made = study(n=20)
    kept = database(tmp_path / "arena.sqlite", made)
    rate(made, kept, "Ada", right=lambda trial: True, words=[Word(0, 0, 0)])
    tells = of(results(kept), "words_clicked")
    assert tells.estimate == 20.0
    assert tells.details["tells"] == {
        "simulated": [{"feature": "hello", "n_real": 0, "n_simulated": 10}],
        "human": [{"feature": "i", "n_real": 10, "n_simulated": 0}],
    }


def test_nobody_is_judged_on_the_people_it_copied(tmp_path: Path) -> None:
    people = side("human", 20)
    copies = [c.but(simulator="copy") for c in people.conversations]
    made = prepare(people, [transcripts("x", copies)], mode="single", n=20, seed=0)
    kept = judged(made, tmp_path, right=1.0)
    accuracy = of(results(kept), "accuracy")
    assert accuracy.verdict == "undecided"
    assert "a simulator is not judged on people it copied" in accuracy.reason
    assert of(results(kept, allow_overlap=True), "accuracy").verdict == "different"


def test_alpha_is_that_of_krippendorffs_example() -> None:
    """Krippendorff (2011), section A: two observers, ten items, alpha = .095."""
    meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    cast = [
        Vote(rater=rater, trial=trial, right=True, said=bool(value), group=0, simulator=None, confidence=1)
        for rater, values in enumerate((meg, owen))
        for trial, value in enumerate(values)
    ]
    alone = Vote(rater=0, trial=99, right=True, said=True, group=0, simulator=None, confidence=1)
    found = agreement([*cast, alone], seed=0)
    assert found.estimate == pytest.approx(0.095, abs=0.0005)
    assert found.interval is not None


def test_alpha_needs_trials_that_several_judged(tmp_path: Path) -> None:
    found = of(results(judged(study(), tmp_path, right=0.5, raters=1)), "agreement")
    assert found.estimate is None
    assert found.reason == "no trial was judged by two raters"


def test_the_discriminator_is_held_against_votes_as_scipy_and_scikit_learn_do(tmp_path: Path) -> None:
    made = study(n=40)
    kept = database(tmp_path / "arena.sqlite", made)
    rng = np.random.default_rng(0)
    said = rng.random((4, 40)) < 0.6
    for number, row in enumerate(said):
        rate(made, kept, f"rater {number}", right=list(map(bool, row)).__getitem__)
    shown = [made.conversations[t.human if t.human is not None else t.simulated] for t in made.trials]
    human = np.array([t.human is not None for t in made.trials]) == said
    scores = {
        c.id: round(float(v), 1)
        for c, v in zip(shown, rng.random(40) / 2 + human.mean(axis=0) / 2, strict=True)
    }
    found = of(results(kept, scores=scores), "discriminator_agreement")
    given = [scores[c.id] for c in shown]
    assert found.estimate == pytest.approx(kendalltau(given, human.mean(axis=0)).statistic)
    auc = found.details["auc"]
    assert isinstance(auc, dict)
    assert auc["estimate"] == pytest.approx(roc_auc_score(human.ravel(), given * 4))
    assert found.verdict == "aligned"
    assert found.interval[0] < found.estimate < found.interval[1]


def test_without_scores_the_discriminator_is_undecided_and_in_no_gate(tmp_path: Path) -> None:
    card = results(judged(study(), tmp_path, right=1.0))
    found = of(card, "discriminator_agreement")
    assert found.reason == "no scores of single conversations were given (--scores findings.json)"
    assert found not in card.judged


def test_an_interval_for_other_raters_needs_three_of_them_and_is_wider_where_raters_differ() -> None:
    def marks(chance: list[float]) -> list[Mark]:
        rng = np.random.default_rng(1)
        return [Mark(r, t, 0, bool(rng.random() < p)) for r, p in enumerate(chance) for t in range(40)]

    assert crossed_interval(marks([0.5, 0.5]), seed=0) is None
    alike, apart = (crossed_interval(marks(chance), seed=0) for chance in ([0.5] * 6, [0.1, 0.9] * 3))
    assert alike is not None
    assert apart is not None
    assert apart[1] - apart[0] > 1.5 * (alike[1] - alike[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "is no JSON"),
        ("[1]", "is not a findings.json"),
        ('{"findings": [{"details": {}}]}', "no finding has conversation_scores"),
        (
            '{"findings": [{"details": {"conversation_scores": {"real": {"a": "high"}}}}]}',
            "must be a finite number",
        ),
    ],
)
def test_a_file_without_scores_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "findings.json"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        read_scores(file)


def test_scores_are_read_from_findings(tmp_path: Path) -> None:
    (tmp_path / "findings.json").write_text(
        '{"findings": [{"details": {}}, {"details": {"conversation_scores": '
        '{"real": {"a": 0.25, "c": 1}, "simulated": {"b": null, "c": 0}}}}]}'
    )
    assert read_scores(tmp_path) == {"a": 0.25}
