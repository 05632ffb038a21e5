"""``humanlikeness`` under the null and under known differences."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binom

from convsim.schema import Corpus
from convsim.schema.persona import Persona
from convsim.stats.discriminator import Rows, cross_fit_repeatedly, out_of_fold_aucs
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.resampling import permute
from convsim.stats.scores import REPEATS, score
from convsim.stats.sides import Sides
from convsim.stats.two_sample import distances
from convsim.stats.view import View, logistic_regression
from convsim_validators import HumanLikeness
from convsim_validators.humanlikeness.features import first_words, habits, words
from tests.corpora import corpus

VOCABULARY = np.array([f"w{i}" for i in range(600)])


def texts(rng: np.random.Generator, n: int, more: float = 0.0) -> list[str]:
    """Draw texts by Zipf's law; twenty frequent words are ``1 + more`` times as frequent."""
    weights = 1 / np.arange(1, 601)
    weights[5:25] *= 1 + more
    weights /= weights.sum()
    return [" ".join(rng.choice(VOCABULARY, size=rng.integers(8, 40), p=weights)) for _ in range(n)]


def judge(
    n_real: int, n_simulated: int, seed: int, *, more: float = 0.0, shift: float = 0.0, users_of: int = 1
):
    rng = np.random.default_rng([seed, n_real, n_simulated])
    sides = []
    for prefix, n in (("r", n_real), ("s", n_simulated)):
        simulated = prefix == "s"
        columns = {"a": rng.normal(shift * simulated, 1, n), "b": rng.poisson(3, n).astype(float)}
        users = [f"{prefix}{i // users_of}" for i in range(n)]
        sides.append(corpus(columns, texts=texts(rng, n, more * simulated), prefix=prefix, users=users))
    return HumanLikeness(n_resamples=199).validate(*sides, seed=seed)


@pytest.mark.parametrize(("n_real", "n_simulated", "users_of"), [(40, 200, 1), (200, 40, 1), (80, 80, 2)])
def test_under_the_null_every_score_is_one_half_at_any_ratio_of_sizes(n_real, n_simulated, users_of):
    runs = [judge(n_real, n_simulated, seed, users_of=users_of) for seed in range(30)]
    for view in range(3):
        for value in (
            [run[view].estimate for run in runs],
            [run[view].details["accuracy"] for run in runs],
            [run[view].details["auc"] for run in runs],
            [run[view].details["control_accuracy"] for run in runs],
            [run[view].details["accuracy_at_control_n"] for run in runs],
        ):
            assert abs(np.mean(value) - 0.5) <= 3.5 * np.std(value) / np.sqrt(len(value)) + 0.002
    # Three views a run are not independent; each is held to its own binomial interval.
    for view in range(3):
        assert sum(run[view].p_value <= 0.05 for run in runs) <= binom.ppf(0.999, 30, 0.05)
        covered = sum(
            run[view].details["auc_interval"][0] <= 0.5 <= run[view].details["auc_interval"][1]
            for run in runs
        )
        assert covered >= binom.ppf(0.001, 30, 0.95)


@pytest.mark.smoke
def test_under_the_null_forty_a_side_are_far_from_certain():
    found = [finding for seed in range(3) for finding in judge(40, 40, seed)]
    assert all(0.25 < finding.estimate < 0.75 for finding in found)
    # One view of one comparison in twenty may differ by chance; nothing is shown to be alike by so few.
    assert {finding.verdict for finding in found} <= {"undecided", "different"}
    assert sum(finding.verdict == "different" for finding in found) <= binom.ppf(0.99, 9, 0.05)


def p_of(sides: Sides, view: View, seed: int) -> float:
    """Return the p-value of a view's two-sample test."""
    design = sides.design
    dealt = permute(design.exchangeable, design.is_real, 199, np.random.default_rng(seed))
    dealt = np.column_stack([design.is_real.astype(np.float32), dealt])
    top = distances([kind for kind, _ in view.compared], sides.unit_of[view.kept], dealt).studentised
    return permutation_p_value(float(top[0]), top[1:])


def words_alone(both: Sequence[Corpus], seed: int) -> tuple[float, float]:
    """Return the p-value and the AUC of the view of words, without what else a finding holds."""
    sides = Sides.of(both[0], both[1])
    view = words([*sides.real.user_texts, *sides.simulated.user_texts], len(sides.real), sides.group)
    [auc] = out_of_fold_aucs([sides.rows(view.features)], logistic_regression, seed=seed)
    return p_of(sides, view, seed), float(auc)


def at_alpha(p_values: Sequence[float]) -> bool:
    return bool(sum(p <= 0.05 for p in p_values) <= binom.ppf(0.999, len(p_values), 0.05))


def at_one_half(aucs: Sequence[float]) -> bool:
    return bool(abs(np.mean(aucs) - 0.5) <= 3.5 * np.std(aucs) / np.sqrt(len(aucs)))


@pytest.mark.parametrize("name", ["words", "first words", "habits"])
def test_the_two_sample_test_of_each_view_rejects_at_alpha(name):
    rejected = 0
    for seed in range(150):
        rng = np.random.default_rng([9, seed])
        columns = [{"a": rng.normal(size=40), "b": rng.poisson(3, 40).astype(float)} for _ in "rs"]
        real, simulated = (
            corpus(c, texts=texts(rng, 40), prefix=p) for c, p in zip(columns, "rs", strict=True)
        )
        sides = Sides.of(real, simulated)
        said = [*sides.real.user_texts, *sides.simulated.user_texts]
        view = {
            "words": lambda: words(said, 40, sides.group),  # noqa: B023
            "first words": lambda: first_words(said, 40, sides.group),  # noqa: B023
            "habits": lambda: habits(sides.real, sides.simulated),  # noqa: B023
        }[name]()
        rejected += p_of(sides, view, seed) <= 0.05
    assert binom.ppf(0.001, 150, 0.05) <= rejected <= binom.ppf(0.999, 150, 0.05)


@pytest.mark.parametrize("n", [100, 250])
def test_other_words_are_found_by_words_and_not_by_habits(n):
    runs = [judge(n, n, seed, more=2.0) for seed in range(6)]
    assert all(run[0].verdict == "different" and run[1].verdict == "different" for run in runs)
    assert sum(run[2].verdict == "different" for run in runs) <= 1
    assert all(run[0].estimate < 0.4 for run in runs)


@pytest.mark.parametrize(("n", "power"), [(100, 0.5), (250, 0.95)])
def test_a_habit_moved_by_half_a_standard_deviation_is_found_without_words(n, power):
    runs = [judge(n, n, seed, shift=0.5) for seed in range(20)]
    assert np.mean([run[2].p_value <= 0.05 for run in runs]) >= power
    assert np.mean([run[0].verdict == "different" for run in runs]) <= 0.2


def test_the_tells_name_the_words_that_differ():
    listed = judge(150, 150, 1, more=2.0)[0].details["tells"]
    planted = set(VOCABULARY[5:25])
    assert all(set(entry["feature"].split()) & planted for entry in listed["simulated"][:5])
    assert all(entry["n_simulated"] > entry["n_real"] for entry in listed["simulated"][:5])


def own_words(rng: np.random.Generator, n_people: int, each: int) -> list[list[str]]:
    """Draw ``each`` texts of every person, half of whose words are from ten of the person's own."""
    said = []
    for _ in range(n_people):
        mine = rng.choice(VOCABULARY, 10, replace=False)
        said.append(
            [
                " ".join(w for pair in zip(rng.choice(mine, 8), text.split(), strict=False) for w in pair)
                for text in texts(rng, each)
            ]
        )
    return said


def test_people_with_two_conversations_a_persona_are_not_told_from_people():
    found = []
    for seed in range(60):
        rng = np.random.default_rng([3, seed])
        people, others = own_words(rng, 40, 1), own_words(rng, 20, 2)
        real = corpus({}, texts=[t for own in people for t in own], prefix="r")
        personas = [Persona(id=f"p{i}", need=f"n{i}") for i in range(20) for _ in range(2)]
        simulated = corpus({}, texts=[t for own in others for t in own], prefix="s", personas=personas)
        found.append(words_alone((real, simulated), seed))
    assert at_alpha([p for p, _ in found])
    assert at_one_half([auc for _, auc in found])


def test_users_of_one_conversation_against_users_of_several_reject_at_alpha():
    p_values = []
    for seed in range(60):
        rng = np.random.default_rng([10, seed])
        real = corpus({}, texts=texts(rng, 40), prefix="r")
        users = [f"u{i // 4}" for i in range(120)]
        simulated = corpus({}, texts=texts(rng, 120), prefix="s", users=users)
        p_values.append(words_alone((real, simulated), seed)[0])
    assert at_alpha(p_values)


@pytest.mark.parametrize(("n_real", "n_simulated"), [(300, 60), (60, 300)])
def test_texts_that_many_say_do_not_tell_the_sides_apart_at_unequal_sizes(n_real, n_simulated):
    common = [
        f"{thing} in {color}" for thing in ("boots", "a coat", "jeans") for color in ("red", "blue", "tan")
    ]
    common += [f"{text} please" for text in common] + [f"no {text}" for text in common]
    found = []
    for seed in range(40):
        rng = np.random.default_rng([4, seed])
        sides = [
            corpus(
                {},
                texts=[str(rng.choice(common)) if rng.random() < 0.5 else text for text in texts(rng, n)],
                prefix=prefix,
            )
            for prefix, n in (("r", n_real), ("s", n_simulated))
        ]
        found.append(words_alone(sides, seed))
    assert at_alpha([p for p, _ in found])
    assert at_one_half([auc for _, auc in found])


def scenario_sides(rng: np.random.Generator, *, shared: bool, giveaway: float, n_tasks: int = 50):
    """Make one real and two simulated conversations a task; half of the words are the task's own."""
    sides = []
    letters = np.array(list("bcdfglmnprstaeiou"))
    own_words_of = [["".join(rng.choice(letters, 7)) for _ in range(10)] for _ in range(2 * n_tasks)]
    for prefix, each in (("r", 1), ("s", 2)):
        tasks = [t if shared or prefix == "r" else t + n_tasks for t in range(n_tasks) for _ in range(each)]
        said = []
        for task in tasks:
            own = rng.choice(own_words_of[task], 12)
            messages = " ".join([*own, *texts(rng, 1)[0].split()])
            said.append(messages + (" kindly" if prefix == "s" and rng.random() < giveaway else ""))
        sides.append(corpus({}, texts=said, tasks=[f"t{t}" for t in tasks], prefix=prefix))
    return sides


def test_a_giveaway_word_is_recognised_as_well_where_both_sides_met_the_same_tasks():
    def found(*, shared: bool, giveaway: float, n_runs: int = 20):
        seeds = range(n_runs)
        drawn = [
            scenario_sides(np.random.default_rng([5, s]), shared=shared, giveaway=giveaway) for s in seeds
        ]
        return [words_alone(sides, seed) for seed, sides in enumerate(drawn)]

    same, other = (found(shared=shared, giveaway=0.9) for shared in (True, False))
    assert abs(np.mean([auc for _, auc in same]) - np.mean([auc for _, auc in other])) <= 0.03
    assert all(p <= 0.05 for p, _ in same)
    for shared in (True, False):
        null = found(shared=shared, giveaway=0.0, n_runs=60)
        assert at_alpha([p for p, _ in null])
        assert at_one_half([auc for _, auc in null])


def test_one_conversation_a_task_on_each_side_is_judged():
    rng = np.random.default_rng(8)
    sides = [
        corpus(
            {"x": rng.normal(size=20)},
            texts=texts(rng, 20),
            tasks=[f"t{i}" for i in range(20)],
            prefix=prefix,
        )
        for prefix in "rs"
    ]
    assert all(
        f.verdict == "undecided" and f.estimate is not None for f in HumanLikeness().validate(*sides, seed=1)
    )


@pytest.mark.parametrize(
    ("p", "n", "shift"), [(20, 100, 0.0), (100, 100, 0.0), (20, 100, 0.5), (20, 250, 0.8)]
)
def test_the_interval_of_hls_covers_what_other_conversations_would_give(p, n, shift):
    found = []
    for run in range(40):
        rng = np.random.default_rng([7, p, n, run])
        features = rng.standard_normal((2 * n, p))
        features[n:, :5] += shift / np.sqrt(5)
        is_human = np.arange(2 * n) < n
        rows = Rows(features, is_human, np.arange(2 * n), is_human.astype(int))
        scores = score(
            cross_fit_repeatedly(rows, logistic_regression, repeats=REPEATS, seed=run),
            n_resamples=199,
            seed=run,
        )
        found.append((scores.hls, *scores.interval("hls")))
    truth = np.mean([hls for hls, _, _ in found])
    # The mean of forty runs is itself uncertain by a sixth of a standard deviation.
    slack = np.std([hls for hls, _, _ in found]) / np.sqrt(40)
    covered = sum(low - slack <= truth <= high + slack for _, low, high in found)
    assert covered >= binom.ppf(0.01, 40, 0.95)


def test_the_order_of_lines_changes_nothing():
    rng = np.random.default_rng(11)
    real, simulated = (corpus({"x": rng.normal(size=60)}, texts=texts(rng, 60), prefix=p) for p in "rs")
    turned = simulated.take(rng.permutation(60))
    once, again = (HumanLikeness(n_resamples=99).validate(real, side, seed=0) for side in (simulated, turned))
    assert [f.model_dump(exclude={"details"}) for f in once] == [
        f.model_dump(exclude={"details"}) for f in again
    ]


def test_the_seed_moves_folds_and_at_most_one_verdict_in_twenty():
    flips, aucs = 0, set()
    for more in (0.0, 0.7, 1.5, 3.0):
        rng = np.random.default_rng([12, int(10 * more)])
        sides = [
            corpus({"x": rng.normal(size=80)}, texts=texts(rng, 80, extra), prefix=prefix)
            for prefix, extra in (("r", 0.0), ("s", more))
        ]
        runs = [HumanLikeness(n_resamples=199).validate(*sides, seed=seed) for seed in range(5)]
        aucs |= {run[0].details["auc"] for run in runs}
        for view in range(3):
            verdicts = [run[view].verdict for run in runs]
            flips += len(verdicts) - max(verdicts.count(verdict) for verdict in set(verdicts))
    assert len(aucs) > 4
    assert flips <= 60 / 20
