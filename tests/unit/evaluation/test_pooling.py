"""Runs that differ in their seed alone are one simulator; whatever else differs, and files, are not."""

import json
from pathlib import Path

import pytest

import convsim
from convsim.errors import InputError
from convsim.evaluation import compare
from convsim.evaluation.pooling import pooled as pool
from tests.unit.evaluation.test_side_by_side import Known, side


def run(folder: Path, seed: int, *, ids: str = "", n: int = 12, **plan: object) -> convsim.Transcripts:
    """Write a run folder as convsim simulate leaves it, with what a comparison reads of it."""
    folder.mkdir()
    whole = {"study": "study", "shopper": "resample", "seed": seed, "personas": [f"p{seed}"], "n": n, **plan}
    (folder / "manifest.json").write_text(json.dumps({"schema": "convsim.run/1", "plan": whole}))
    lines = [
        c.but(id=c.id if ids else f"{seed}-{c.id}") for c in side(f"{folder.name} {ids}", n, seconds=1.0)
    ]
    if ids:
        lines = [c.but(id=f"{ids}{place}") for place, c in enumerate(lines)]
    (folder / "conversations.jsonl").write_text("".join(f"{line.to_json()}\n" for line in lines))
    return convsim.read(folder)


def pooled(*sources, **more):
    far = {"lean": 0.2, "lean-s1": 0.21, "lean-s2": 0.25, "other": 0.4, "file": 0.5}
    return compare(side("r"), list(sources), seed=1, validators=[Known(far)], pool_seeds=True, **more)


def test_runs_of_one_plan_are_one_simulator_that_says_how_its_seeds_spread(tmp_path):
    runs = [run(tmp_path / f"lean-s{seed}", seed) for seed in (1, 2)]
    found = pooled(runs[0], run(tmp_path / "other", 1, shopper="replay"), runs[1])
    lean, other = found.simulators
    assert (lean.name, lean.side.n, other.name, other.seeds) == ("lean", 24, "other", ())
    assert [(each.name, each.seed, each.n, each.mean_distance.estimate) for each in lean.seeds] == [
        ("lean-s1", 1, 12, 0.21), ("lean-s2", 2, 12, 0.25),
    ]  # fmt: skip
    assert [each.path for each in lean.seeds] == [str(tmp_path / "lean-s1"), str(tmp_path / "lean-s2")]
    assert found.to_frame()["n_seeds"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ("lean-seed10 lean-seed11", "lean"),
        ("lean_s1 lean_s12", "lean"),
        ("bias1 bias2", "bias"),
        ("run-1 run-12", "run"),
        ("lean lean2", "lean"),
        ("k=10,seed=1 k=10,seed=2", "k=10"),
        ("seed=10,k=10 seed=11,k=10", "k=10"),
        ("lean-10-late lean-11-late", "lean"),
        ("lean10-late lean11-late", "lean10-late and 1 more"),
        ("alpha alpine", "alpha and 1 more"),
        ("seed=10 seed=11", "seed=10 and 1 more"),
        ("s1 s2", "s1 and 1 more"),
        ("1 2", "1 and 1 more"),
    ],
)
def test_pooled_runs_are_called_after_whole_words_and_values_of_their_names(tmp_path, names, called):
    runs = [run(tmp_path / name, seed) for seed, name in enumerate(names.split())]
    assert [*pool({each.path.name: each for each in runs})[0]] == [called]


def test_a_blank_before_the_seed_is_no_part_of_the_name(tmp_path):
    runs = {name: run(tmp_path / name, seed) for seed, name in enumerate(("run 1", "run 12"))}
    assert [*pool(runs)[0]] == ["run"]


def test_where_nothing_but_the_seed_is_left_the_name_that_was_given_is_taken_unless_a_simulator_has_it(
    tmp_path,
):
    runs = {f"seed={seed}": run(tmp_path / f"seed={seed}", seed) for seed in (10, 11)}
    assert [*pool(runs, "shop")[0]] == ["shop"]
    other = run(tmp_path / "shop", 1, shopper="replay")
    assert [*pool({**runs, "shop": other}, "shop")[0]] == ["seed=10 and 1 more", "shop"]
    far = {"shop": 0.2, "seed=10": 0.2, "seed=11": 0.3}
    found = compare(side("r"), runs, seed=1, validators=[Known(far)], pool_seeds="shop")
    assert [each.name for each in found.simulators] == ["shop"]


def test_ids_that_both_runs_have_are_told_apart(tmp_path):
    found = pooled(*(run(tmp_path / f"lean-s{seed}", seed, ids="c") for seed in (1, 2)))
    assert (found.simulators[0].side.n, [each.n for each in found.simulators[0].seeds]) == (24, [12, 12])


def test_unasked_they_stay_apart_and_a_warning_names_the_option(tmp_path):
    runs = [run(tmp_path / f"lean-s{seed}", seed) for seed in (1, 2)]
    far = {"lean-s1": 0.2, "lean-s2": 0.3}
    found = compare(side("r"), runs, seed=1, validators=[Known(far)])
    assert [each.name for each in found.simulators] == ["lean-s1", "lean-s2"]
    said = "lean-s1, lean-s2 differ only in their seed; --pool-seeds makes one simulator of them"
    assert said in found.warnings


@pytest.mark.parametrize("plan", [{"shopper": "replay"}, {"n": 13}])
def test_where_the_plans_differ_nothing_is_pooled_and_it_is_said_in_what(tmp_path, plan):
    key = next(iter(plan))
    sources = run(tmp_path / "lean-s1", 1), run(tmp_path / "lean-s2", 2, **plan)
    with pytest.raises(InputError, match=f"no two simulators are runs of one plan .*{key} was "):
        pooled(*sources)


def test_files_have_no_plan_whatever_they_are_called(tmp_path):
    for seed in (1, 2):
        lines = "".join(f"{each.to_json()}\n" for each in side(f"seed {seed}"))
        (tmp_path / f"lean-s{seed}.jsonl").write_text(lines)
    with pytest.raises(InputError, match="files have none"):
        pooled(*(tmp_path / f"lean-s{seed}.jsonl" for seed in (1, 2)))
