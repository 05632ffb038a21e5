"""What the page says of size, power and coverage, from rows whose truth is written down here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from convsim.evaluation.adversaries import ADVERSARIES
from tests.evidence.calibration import TRUTH_SIZE, drawn_by_arm, plan
from tests.evidence.calibration_power import must_catch, power
from tests.evidence.page import page


def finding(validator: str, metric: str, **given: Any) -> dict[str, Any]:
    told = {"unit": "KS distance", "estimate": 0.1, "interval": [0.0, 0.2], "p": 0.5, "verdict": "aligned"}
    return {"of": [validator, metric], **told, "fails": False, "fails_alone": False, **given}


def row(found: list[dict[str, Any]], headline: str = "undecided", **asked: Any) -> dict[str, Any]:
    return {"asked": asked, "found": {"headlines": {"all": headline}, "findings": found}, "cpu_s": 30}


def card(seed: int, n: int) -> dict[str, Any]:
    """Fail of one validator always, of the other by itself in one card of ten; a third of what is asked is decided."""
    fails = {"fails": True, "fails_alone": True, "verdict": "different"}
    alone = {"fails_alone": seed % 10 == 0, "verdict": "undecided"}
    covers = {"unit": "AUC", "interval": [0.4, 0.6] if seed < 30 else [0.51, 0.6], "verdict": "undecided"}
    found = [finding("words", "auc", **fails), finding("habits", "turns", **alone)]
    found += [finding("habits", f"score_{i}", **covers) for i in range(4)]
    return row(found, part="people", n=n, seed=seed)


def written(tmp_path: Path, rows: list[dict[str, Any]]) -> str:
    (tmp_path / "calibration.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    return page(tmp_path)


def test_size_and_what_is_decided_are_counted_in_cards(tmp_path: Path) -> None:
    told = written(tmp_path, [card(seed, n) for n in (100, 50) for seed in range(40)])
    assert "| validator | 50 a side | 100 a side | all sizes | all sizes, by itself |" in told
    every, none = "40 of 40 [0.91, 1.00]", "0 of 40 [0.00, 0.09]"
    assert f"| `words` | {every} | {every} | 80 of 80 [0.95, 1.00] | 80 of 80 [0.95, 1.00] |" in told
    assert f"| `habits` | {none} | {none} | 0 of 80 [0.00, 0.05] | 8 of 80 [0.05, 0.19] |" in told
    assert "Above the level of 0.05 lies the interval of `words` in a card [0.95, 1.00]" in told
    assert "Findings that failed: `words.auc` 80." in told
    assert "| all findings | 0.17 | 0.17 |" in told
    assert "Of the findings\ndecided, 0 of 80 are aligned" in told
    assert "`python -m tests.evidence calibration --out OUT`: 40 minutes of a processor." in told


def test_where_two_people_have_no_difference_an_auc_is_held_against_one_half(tmp_path: Path) -> None:
    told = written(tmp_path, [card(seed, 100) for seed in range(40)])
    # Turns cover 0 in every card, four scores one half in 30 of 40: 40 + 120 of 200 intervals.
    assert "| `habits`, people against people | 100 a side | 40 | 200 | 160 | 0.800 [" in told
    assert "], below .95 | `score_0` 30/40, `score_1` 30/40, `score_2` 30/40, `score_3` 30/40 |" in told


def test_what_is_no_difference_is_held_against_nothing(tmp_path: Path) -> None:
    copied = [finding("copies", "near_copies", unit="proportion of users", interval=[0.01, 0.1])]
    told = written(tmp_path, [row(copied, part="people", n=100, seed=seed) for seed in range(100)])
    assert "`copies`, people against people" not in told


def test_a_headline_that_is_decided_less_often_with_more_people_is_named(tmp_path: Path) -> None:
    few = [row([finding("a", "b")], "aligned", part="people", n=100, seed=seed) for seed in range(20)]
    many = [row([finding("a", "b")], "undecided", part="people", n=200, seed=seed) for seed in range(20)]
    told = written(tmp_path, [*few, *many])
    assert (
        "less often with more people: all: 20 of 20 [0.84, 1.00] at 100, 0 of 20 [0.00, 0.16] at 200." in told
    )
    assert "less often with more people" not in written(tmp_path, few)


def test_coverage_is_of_the_value_among_very_many(tmp_path: Path) -> None:
    truth = row([finding("marginals", "turns", estimate=0.3)], part="arms", n=TRUTH_SIZE, seed="truth")
    near, far = ([finding("marginals", "turns", interval=limits)] for limits in ([0.2, 0.4], [0.0, 0.2]))
    rows = [row(far if seed < 5 else near, part="arms", n=100, seed=seed) for seed in range(100)]
    told = written(tmp_path, [truth, *rows])
    assert (
        "| `marginals`, people of arm good against bad | 100 an arm | 100 | 100 | 95 | 0.950 [0.888," in told
    )
    assert "below .95" not in told.partition("100 an arm | 100 | 100 | 95")[2].partition("\n")[0]


def test_shifts_and_ratios_are_held_against_theirs(tmp_path: Path) -> None:
    def reactions(seed: Any, ratio: list[float], n: int = 100) -> dict[str, Any]:
        found = [finding("counterfactual", "reaction_ratio", interval=ratio, fails=ratio[1] < 1)]
        found += [finding("counterfactual", f"x{i}", interval=[-0.1, 0.1]) for i in range(3)]
        made = row(found, part="reactions", n=n, seed=seed)
        made["found"]["shifts"] = {f"x{i}": {"estimate": i, "interval": [-0.5, 1.5]} for i in range(3)}
        return made

    rows = [reactions(seed, [0.5, 0.9] if seed == 0 else [0.5, 2.0]) for seed in range(40)]
    told = written(tmp_path, [reactions("truth", [1.0, 1.0], TRUTH_SIZE), *rows])
    assert "| shift of people from good to bad | 100 an arm | 40 | 120 | 80 | 0.667 [" in told
    assert "| difference between two groups' shifts | 100 an arm | 40 | 120 | 120 | 1.000 [" in told
    assert "| reaction ratio | 100 an arm | 40 | 40 | 39 | 0.975 [" in told
    assert "a failing finding is in 1 of 40 [0.00, 0.13]: `reaction_ratio` in 1." in told


CALIBRATION = r"""# Calibration

## 100 people a side

| adversary | coherence | typography | by any | headline |
|---|---|---|---|---|
| other\_people | 1/10 | · | 1/10 | 1/10 |
| lower\_case | 1/3 | **2/3** | 3/3 | 3/3 |
| emoji | · | **3/3** | 3/3 | 3/3 |

## 200 people a side

| adversary | coherence | typography | by any | headline |
|---|---|---|---|---|
| answers\_late | **1/1** | · | 1/1 | 1/1 |
"""


def test_power_is_counted_in_the_cells_of_those_that_must_catch() -> None:
    told = power(CALIBRATION)
    assert "| validator | adversaries | 100 a side | 200 a side | not in every run |" in told
    assert "| `coherence` | 1 | - | 1 of 1 [0.21, 1.00] | - |" in told
    assert "| `typography` | 2 | 5 of 6 [0.44, 0.97] | - | `lower_case` 2/3 at 100 |" in told


def test_each_adversary_of_the_page_counts_for_the_validators_that_must_catch_it() -> None:
    page_of_validators = (Path(__file__).parents[2] / "validators" / "CALIBRATION.md").read_text(
        encoding="utf-8"
    )
    for of in must_catch(page_of_validators).values():
        for adversary in ADVERSARIES.values():
            assert {name for name, runs in of.items() if adversary.name in runs} == {*adversary.caught_by}


def test_people_of_every_size_come_seed_by_seed() -> None:
    asked = [each for each, _ in plan(10)]
    assert len({json.dumps(each) for each in asked}) == len(asked)
    of_people = [each["n"] for each in asked if each["part"] == "people"]
    assert {n: of_people.count(n) for n in (50, 100, 200, 400)} == {50: 5, 100: 10, 200: 10, 400: 5}
    assert [each["seed"] for each in asked][:2] == ["truth", "truth"]
    seeds = [each["seed"] for each in asked[2:]]
    assert seeds == sorted(seeds)


def test_sides_have_as_many_people_of_either_arm_and_nobody_twice() -> None:
    sides = drawn_by_arm(10, 3, "reactions", 2)
    assert [[c.arm for c in side].count("bad") for side in sides] == [10, 10]
    assert len({c.id for side in sides for c in side}) == 40
    assert {c.id for c in sides[0]} != {c.id for c in drawn_by_arm(10, 4, "reactions", 2)[0]}
