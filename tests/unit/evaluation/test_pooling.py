"""Runs that differ in their seed alone are one simulator; whatever else differs, and files, are not."""

import json
from pathlib import Path

import pytest

import convsim
from convsim.errors import InputError
from convsim.evaluation import compare
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
