"""Tasks, arms and languages: what is right on average alone is found, and what cannot be compared is said."""

import numpy as np
import pytest

from convsim.errors import InputError
from convsim_validators import ByStratum
from tests.corpora import corpus

SINGLE = tuple(map(str, range(60)))
OPENINGS = {"boots": "i want boots for the snow", "coats": "a coat against rain please"}


def side(prefix, n=100, *, seed=0, tasks=("boots", "coats"), known=True, own=2.0, others=0.0, **more):
    """People of each task in turn: of the first ``x`` is larger by ``own``; words are those of the task."""
    rng = np.random.default_rng([seed, len(prefix), ord(prefix[0])])
    task_of = [tasks[i % len(tasks)] for i in range(n)]
    values = rng.normal(size=n) + np.asarray([own if task == tasks[0] else others for task in task_of])
    texts = [f"{OPENINGS.get(task, 'a hat')} {rng.integers(9)} {prefix}{i}" for i, task in enumerate(task_of)]
    columns = {"x": values, "y": rng.normal(size=n), "z": rng.normal(size=n)}
    return corpus(columns, texts=texts, tasks=task_of if known else None, prefix=prefix, **more)


def judged(real, simulated, **settings):
    return {f.metric: f for f in ByStratum(n_resamples=239, **settings).validate(real, simulated, seed=1)}


def renamed(made, task_of):
    conversations = [c.but(task=task) for c, task in zip(made.conversations, task_of, strict=True)]
    return type(made)(conversations, made.table, made.metrics)


def test_right_on_average_and_wrong_in_every_task_is_found_with_the_worst_task_and_its_words():
    real, other = side("r"), side("s")
    swapped = {"boots": "coats", "coats": "boots"}
    found = judged(real, renamed(other, [swapped[c.task] for c in other.conversations]))
    habits, words = found["habits_by_task"], found["words_by_task"]
    assert habits.verdict == words.verdict == "different"
    assert habits.details["pooled"] < 0.1 < 0.4 < habits.estimate
    assert [group["furthest"] for group in habits.details["groups"]] == ["x", "x"]
    assert "x" in habits.details["giveaway"]
    assert {example["side"] for example in habits.details["examples"]} == {"simulated", "people"}
    assert {group["name"] for group in words.details["groups"]} == {"boots", "coats"}
    for group in words.details["groups"]:
        assert abs(group["real"] - group["simulated"]) == 1
    assert "100%" in words.details["giveaway"]
    known = {c.id for c in (*real.conversations, *other.conversations)}
    assert {e["conversation"] for f in (habits, words) for e in f.details["examples"]} <= known


def test_people_of_the_same_tasks_are_alike_in_habits():
    found = judged(side("r", 400), side("s", 400))
    assert found["habits_by_task"].verdict == "aligned"
    assert found["habits_by_task"].details["pooled"] == pytest.approx(0, abs=0.05)
    assert found["words_by_task"].verdict == "undecided"
    assert "humanlikeness" in found["words_by_task"].reason
    assert found["missing_groups"].verdict == "aligned"


def test_a_task_that_nobody_simulated_is_named_whatever_else_is_alike():
    real = side("r", 150, tasks=("boots", "coats", "hats"))
    found = judged(real, side("s", 100))["missing_groups"]
    assert found.verdict == "different"
    assert found.details["missing"]["task"] == ["hats"]
    assert found.estimate == pytest.approx(1 / 3)
    assert "“hats”" in found.details["giveaway"]


def test_tasks_that_few_people_have_are_not_missed():
    real = side("r", 60, tasks=tuple(f"task {i}" for i in range(20)) + ("boots",) * 10)
    assert judged(real, side("s", 60, tasks=("boots", "boots")))["missing_groups"].verdict == "undecided"


@pytest.mark.parametrize(
    ("real", "simulated", "says"),
    [
        (side("r", known=False), side("s"), "not recorded in the real conversations"),
        (side("r"), side("s", known=False), "not recorded in the simulated conversations"),
        (side("r", tasks=("a",)), side("s", tasks=("a",)), "one task"),
        (side("r", tasks=("a", "b")), side("s", tasks=("c", "d")), "no task in common"),
        (side("r", 10), side("s", 10), "at least two tasks with 8 on each side"),
        (side("r", 60, tasks=SINGLE), side("s", 60, tasks=SINGLE), "at least two tasks"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_undecided_and_says_what_is_lacking(real, simulated, says):
    found = judged(real, simulated)
    for name in ("habits_by_task", "words_by_task"):
        assert found[name].verdict == "undecided"
        assert says in found[name].reason
        assert found[name].p_value is None


def test_habits_that_do_not_vary_are_not_alike():
    constant = {name: np.ones(80) for name in ("x", "y")}
    tasks = ["a", "b"] * 40
    found = judged(corpus(constant, tasks=tasks, prefix="r"), corpus(constant, tasks=tasks, prefix="s"))
    assert found["habits_by_task"].verdict == "undecided"
    assert "can be compared" in found["habits_by_task"].reason


def test_arms_are_compared_as_tasks_are():
    arms = ["good", "bad"] * 50
    rng = np.random.default_rng(3)
    better = np.asarray([2.0 * (arm == "good") for arm in arms])
    real = corpus({"x": better + rng.normal(size=100), "y": rng.normal(size=100)}, arms=arms, prefix="r")
    ignores = corpus(
        {"x": better[::-1] + rng.normal(size=100), "y": rng.normal(size=100)}, arms=arms, prefix="s"
    )
    found = judged(real, ignores)
    assert found["habits_by_arm"].verdict == "different"
    assert found["habits_by_arm"].details["pooled"] < 0.1


def test_languages_are_groups_where_people_write_in_several():
    english = "i am looking for a warm coat that i can wear to work in the winter number"
    german = "ich suche einen warmen mantel den ich im winter bei der arbeit tragen kann nummer"
    texts = [f"{german if i % 2 else english} {i}" for i in range(100)]
    rng = np.random.default_rng(5)
    real = corpus({"x": rng.normal(size=100), "y": rng.normal(size=100)}, texts=texts, prefix="r")
    both = corpus({"x": rng.normal(size=100), "y": rng.normal(size=100)}, texts=texts, prefix="s")
    one = corpus(
        {"x": rng.normal(size=100), "y": rng.normal(size=100)},
        texts=[f"{english} {i}" for i in range(100)],
        prefix="s",
    )
    names = {group["name"] for group in judged(real, both)["habits_by_language"].details["groups"]}
    assert names == {"English", "German"}
    assert judged(real, one)["missing_groups"].details["missing"]["language"] == ["German"]


def test_names_of_tasks_are_printed_as_plain_short_text():
    hostile = "\x1b[31m" + "<b>x</b>" * 30
    real, other = side("r", tasks=(hostile, "coats")), side("s", tasks=("coats", hostile))
    reason = judged(real, other)["habits_by_task"].reason
    assert "\x1b" not in reason
    assert len(reason) < 700


def test_the_order_of_a_files_lines_moves_nothing():
    real, other = side("r"), side("s", seed=4)
    rows = np.random.default_rng(1).permutation(100)
    shuffled = corpus(
        {name: np.asarray(other.table[name])[rows] for name in ("x", "y", "z")},
        texts=[other.user_texts[row] for row in rows], prefix="t",
        tasks=[other.conversations[row].task for row in rows],
    )  # fmt: skip
    first, second = judged(real, other), judged(real, shuffled)
    for name, finding in first.items():
        assert (finding.verdict, finding.p_adjusted) == (second[name].verdict, second[name].p_adjusted)


@pytest.mark.parametrize(
    "settings", [{"margin": -1}, {"missing_margin": 2}, {"n_resamples": 1}, {"alpha": 0.6}]
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(InputError):
        ByStratum(**settings)
