"""A run that is made larger: the same conversations as if it had been planned so from the start."""

import json

import pytest

from convsim.errors import AgentError, InputError, StudyError
from convsim.schema import AgentReply
from convsim.simulation import Component, Study
from tests.doubles import Obliging, Told, people, say


def study(n: int, **changes) -> Study:
    fields = {"seed": 1, "n": n, "arms": ("good", "bad"), "max_turns": 2, "concurrency": 1}
    return Study(
        Told(lambda turn: say()), changes.pop("agent", Obliging()), people(4), **{**fields, **changes}
    )


def lines(folder) -> list[dict]:
    """Read a run without what a clock says."""
    read = [json.loads(line) for line in (folder / "conversations.jsonl").read_text().splitlines()]
    for conversation in read:
        conversation["usage"].pop("seconds")
    return read


def manifest(folder) -> dict:
    read: dict = json.loads((folder / "manifest.json").read_text())
    return read


def test_a_run_and_more_is_what_a_larger_run_from_the_start_would_be(tmp_path):
    study(6).run(tmp_path / "grown")
    outcome = study(6).run(tmp_path / "grown", add=5)
    assert (outcome.planned, outcome.held, outcome.missing) == (22, 10, 0)
    study(11).run(tmp_path / "whole")
    assert lines(tmp_path / "grown") == lines(tmp_path / "whole")
    assert manifest(tmp_path / "grown")["plan"] == manifest(tmp_path / "whole")["plan"]


@pytest.mark.parametrize(
    "weights", [None, {"p0": 3.0, "p1": 1.0, "p2": 0.5, "p3": 0.0}], ids=["alike", "weighted"]
)
def test_shoppers_in_stated_proportions_hold_what_they_would_in_a_larger_run(tmp_path, weights):
    def mixed(n: int) -> Study:
        parts = [
            Component(name=name, weight=weight, shopper=Told(lambda turn: say(), name=name))
            for name, weight in (("brief", 0.7), ("chatty", 0.3))
        ]
        return Study(
            parts[0].shopper, Obliging(), people(4), seed=1, n=n, max_turns=1, concurrency=1, mixture=parts,
            persona_weights=weights,
        )  # fmt: skip

    mixed(7).run(tmp_path / "grown")
    mixed(7).run(tmp_path / "grown", add=6)
    mixed(13).run(tmp_path / "whole")
    assert lines(tmp_path / "grown") == lines(tmp_path / "whole")


def test_the_study_of_before_goes_on_with_the_larger_run(tmp_path):
    study(3).run(tmp_path)
    study(3).run(tmp_path, add=2)
    kept = (tmp_path / "conversations.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "conversations.jsonl").write_bytes(b"".join(kept[:-3]))
    outcome = study(3).run(tmp_path)
    assert (outcome.planned, outcome.held) == (10, 3)


async def test_a_spent_budget_in_an_addition_is_gone_on_with_by_the_same_call(tmp_path):
    await study(2).arun(tmp_path)
    cut = await study(2, budget_usd=0.05).arun(tmp_path, add=4)
    assert (cut.stop, cut.held, cut.missing) == ("budget", 3, 5)
    with pytest.raises(StudyError, match="--add 4 is not finished"):
        await study(2).arun(tmp_path, add=1)
    again = await study(2).arun(tmp_path, add=4)
    assert (again.planned, again.held, again.missing) == (12, 5, 0)
    assert [each["n"] for each in manifest(tmp_path)["grown"]] == [6]


def test_failed_conversations_are_held_again_as_more_are_added(tmp_path):
    def gone() -> AgentReply:
        raise AgentError("gone")

    study(2, agent=Obliging(reply_with=gone)).run(tmp_path, fail_fast=False)
    outcome = study(2).run(tmp_path, add=1, retry_failed=True)
    assert (outcome.planned, outcome.held, outcome.failed) == (6, 6, 0)


def test_another_study_cannot_make_a_run_larger(tmp_path):
    study(2).run(tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    with pytest.raises(StudyError, match=r"another plan \(seed was 1 and is now 2\)"):
        study(2, seed=2).run(tmp_path, add=1)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_no_run_becomes_larger_than_a_study_may_be(tmp_path):
    study(2).run(tmp_path)
    with pytest.raises(InputError, match="the study: 500,002 conversations in each of 2 arms are more than"):
        study(2).run(tmp_path, add=500_000)
    assert "grown" not in manifest(tmp_path)
