"""What is logged of a result: numbers that were decided, tags for what was not, and the run that it came of."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import convsim
from convsim.errors import InputError, MissingExtraError
from convsim.schema import Finding
from convsim.schema.persona import Persona
from convsim.simulation import Study
from convsim.tracking import log_to
from convsim.tracking.entry import (
    MAX_CHARACTERS,
    Entry,
    entry_of_comparison,
    entry_of_run,
    entry_of_scorecard,
    entry_of_study,
)
from convsim.workflow import StudySummary, run_study
from tests.compared import comparison, simulator
from tests.doubles import Told, say
from tests.reports import card, distance, finding, side

SECRET = "sk-planted-0123456789-secret"
WORDS = finding("humanlikeness", "hls", estimate=0.2)
HABITS = finding("marginals", "all_metrics", estimate=0.31)
WAITING = finding(
    "counterfactual", "reaction_ratio", estimate=0.4, verdict="undecided", reason="needs 60 more people"
)


def logged(*findings: Finding) -> Entry:
    return entry_of_scorecard(card(*findings), folder=None)


def test_what_was_decided_is_a_number_and_what_was_not_is_a_tag_that_says_why() -> None:
    entry = logged(HABITS, WORDS, WAITING, distance("turns", verdict="aligned"))
    assert entry.metrics == {
        "joint_distance": 0.31,
        "human_likeness_score": 0.2,
        "findings.different": 2,
        "findings.aligned": 1,
        "findings.undecided": 1,
    }
    assert entry.tags["absent.reaction_ratio"] == "undecided: needs 60 more people"
    assert entry.tags["verdict.reactions"] == "undecided"
    assert (entry.tags["verdict"], entry.tags["verdict.habits"]) == ("different", "different")


def test_a_number_that_is_not_there_is_neither_0_nor_nan() -> None:
    failed = finding("humanlikeness", "hls", estimate=None, verdict="failed", reason="it raised")
    entry = logged(failed, distance("turns", None, verdict="undecided"))
    assert "human_likeness_score" not in entry.metrics
    assert entry.tags["absent.human_likeness_score"] == "failed: it raised"
    assert not any(math.isnan(value) for value in entry.metrics.values())


def run(folder: Path) -> Path:
    people = [Persona(id="ann", need="boots")]
    study = Study(
        Told(lambda turn: say()), lambda conversation: "Hello", people, seed=5, n=2, max_turns=1, name="shop",
        model="small", provenance={"settings": {"model": {"base_url": "http://127.0.0.1:1/v1", "odd key": 1}}},
    )  # fmt: skip
    study.run(folder)
    return folder


def test_a_run_is_logged_with_its_plan_versions_and_what_it_came_to(tmp_path: Path) -> None:
    entry = entry_of_run(run(tmp_path / "run"))
    assert (entry.name, entry.kind) == ("shop", "run")
    said = {"study": "shop", "shopper": "told", "model": "small", "n": 2, "study_seed": 5, "personas": 1}
    assert said.items() <= entry.params.items()
    assert entry.params["arms"] == "good"
    assert entry.params["settings.model.odd_key"] == 1
    assert entry.params["versions.convsim"] == convsim.__version__
    assert entry.metrics["conversations"] == 2
    assert entry.metrics["ending.turn_limit"] == 2
    assert [*entry.files] == ["manifest.json"]


def test_a_scorecard_names_the_run_it_judged_only_while_that_is_the_same(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    made = convsim.read(folder)
    known = card(HABITS).but(simulated=side(2, path=str(folder), sha256=made.sha256))
    assert entry_of_scorecard(known, folder=None).params["shopper"] == "told"
    with (folder / "conversations.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert "shopper" not in entry_of_scorecard(known, folder=None).params


def test_pages_are_logged_where_their_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("page")
    assert [*entry_of_scorecard(card(HABITS), folder=tmp_path).files] == ["findings.json", "report.html"]
    assert [*logged(HABITS).files] == ["findings.json"]


def test_a_comparison_has_a_run_below_it_for_each_simulator() -> None:
    entry = entry_of_comparison(comparison(simulator("one"), simulator("two")), folder=None)
    assert entry.params["simulators"] == "one, two"
    assert [part.name for part in entry.parts] == ["one", "two"]
    assert entry.parts[0].metrics == {"mean_distance": 0.225, "human_likeness_score": 0.31}
    assert json.loads(str(entry.files["comparison.json"]))["schema"] == "convsim.comparison/1"


def test_a_study_has_a_run_below_it_for_each_variant_with_what_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text("[study]\nn = 1\nmax_turns = 1\n[sweep]\nshopper.k = [1, 4]\n", encoding="utf-8")
    entry = entry_of_study(run_study(file, tmp_path / "out"), folder=tmp_path / "out")
    assert [*entry.files] == ["summary.json", "index.html"]
    assert [part.params["changes.shopper.k"] for part in entry.parts] == [1, 4]
    assert [part.params["shopper"] for part in entry.parts] == ["resample", "resample"]
    assert entry.parts[0].metrics["conversations"] == 1
    assert "mean_distance" not in entry.parts[0].metrics
    assert entry.parts[0].tags["absent.mean_distance"] == "not known"


def judged_study(folder: Path, sweep: str) -> StudySummary:
    people = [
        f'{{"id": "p{n}", "messages": [{{"role": "user", "content": "{"boots please " * (n % 5 + 1)}in size {n}"}}]}}\n'
        for n in range(40)
    ]
    (folder / "people.jsonl").write_text("".join(people), encoding="utf-8")
    judge = '[judge]\nreal = "people.jsonl"\nvalidators = ["marginals"]\n'
    file = folder / "study.toml"
    file.write_text(f"[study]\nn = 15\nmax_turns = 1\n[sweep]\n{sweep}\n{judge}", encoding="utf-8")
    return run_study(file, folder / "out")


def test_what_was_found_of_seeds_together_is_logged_once_and_each_seed_with_its_own_distance(
    tmp_path: Path,
) -> None:
    found = judged_study(tmp_path, "study.seed = [1, 2]\nshopper.k = [1, 2]")
    out = tmp_path / "out"
    (out / "seed=1,k=1" / "findings.json").write_text("{} of an earlier version")
    (out / "seed=1,k=1" / "report.html").write_text("of an earlier version")
    entry = entry_of_study(found, folder=out)
    assert [(part.name, part.kind) for part in entry.parts] == [
        ("k=1", "simulator"), ("seed=1,k=1", "variant"), ("seed=2,k=1", "variant"),
        ("k=2", "simulator"), ("seed=1,k=2", "variant"), ("seed=2,k=2", "variant"),
    ]  # fmt: skip
    both, one, _ = entry.parts[:3]
    card = convsim.read_scorecard(out / "k=1" / "findings.json")
    assert both.files == {each: out / "k=1" / each for each in ("findings.json", "report.html")}
    assert both.tags["verdict.habits"] == found.variants[0].headlines[0].verdict
    assert ("joint_distance" in both.metrics) != ("absent.joint_distance" in both.tags)
    assert both.metrics["findings.different"] == len([f for f in card.judged if f.verdict == "different"])
    counts = (both.metrics[name] for name in ("seeds", "conversations", "mean_distance"))
    assert [*counts] == [2, 30, found.variants[0].mean_distance]
    assert both.params["changes.shopper.k"] == 1
    assert not {"changes.study.seed", "study_seed"} & both.params.keys()
    own = next(each.own_distance for each in found.variants if each.name == one.name)
    assert (one.metrics["own_distance"], one.metrics["conversations"]) == (own, 15)
    assert (one.params["study_seed"], one.params["judged_as"]) == (1, "k=1")
    assert one.files == {}
    assert not any(tag.startswith("verdict") for tag in one.tags)


def test_a_variant_is_logged_with_no_report_that_its_summary_does_not_name(tmp_path: Path) -> None:
    found = judged_study(tmp_path, "shopper.k = [1]")
    out = tmp_path / "out"
    [known] = entry_of_study(found, folder=out).parts
    assert [*known.files] == ["findings.json", "report.html"]
    assert "findings.different" in known.metrics
    later = found.but(comparison=None, variants=(found.variants[0].but(pages={}, headlines=()),))
    above = entry_of_study(later, folder=out)
    assert [*above.files] == ["summary.json", "index.html"]
    assert above.parts[0].files == {}
    assert "findings.different" not in above.parts[0].metrics


def test_a_number_of_a_variant_that_is_not_there_has_a_tag_that_says_why() -> None:
    stated = {
        "name": "s", "finished": "2026-01-01T00:00:00Z", "made_by": {"convsim": "1"}, "seed": 1,
        "variants": [{
            "name": "run", "changes": {}, "folder": "run/run", "planned": 2, "failed": 0, "missing": 0,
            "headlines": [
                {"name": "habits", "verdict": "undecided", "reason": "needs 60 more people"},
                {"name": "words", "verdict": "different", "reason": "they differ"},
                {"name": "all", "verdict": "different", "reason": "words"},
            ],
            "reactions": [{"name": "reactions", "verdict": "undecided", "reason": "too few"}],
        }],
    }  # fmt: skip
    [part] = entry_of_study(StudySummary.model_validate(stated), folder=None).parts
    absent = {key.removeprefix("absent."): said for key, said in part.tags.items() if "absent." in key}
    assert absent == {
        "joint_distance": "undecided: needs 60 more people",
        "human_likeness_score": "its report was not there to read",
        "reaction_ratio": "undecided: too few",
        "mean_distance": "not known",
        "cost_usd": "not known",
    }


def test_texts_are_cut_and_keys_are_hidden() -> None:
    entry = logged(HABITS.but(verdict="undecided", reason=f"{SECRET} " + "x" * 9_000))
    assert len(entry.tags["absent.joint_distance"]) == MAX_CHARACTERS
    assert SECRET not in entry.tags["absent.joint_distance"]


def test_what_cannot_be_logged_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"no tracker 'mlfow'; there are mlflow and wandb"):
        log_to("mlfow", card(HABITS))  # type: ignore[arg-type]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"logging to wandb needs the extra \"wandb\""):
        log_to("wandb", card(HABITS))
    with pytest.raises(InputError, match=r"is no run folder: it has no manifest\.json"):
        entry_of_run(tmp_path)
