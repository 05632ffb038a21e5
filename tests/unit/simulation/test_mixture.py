"""A study of several shoppers, or of personas with weights: who holds which conversation."""

import json
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from convsim.errors import InputError, StudyError
from convsim.schema.persona import Persona
from convsim.shoppers import Resample
from convsim.simulation import Assembly, Component, Study
from convsim.simulation.config import StudyConfig, read_study
from convsim.simulation.mixture import in_turn
from tests.doubles import Obliging, Told, people, say

MIXED = """
[study]
n = 10
[agent]
name = "retrieval"
[data]
real = "logs.jsonl"
[[mixture]]
name = "near"
weight = 3
shopper = { name = "resample", k = 1 }
[[mixture]]
name = "far"
weight = 1
[mixture.shopper]
name = "resample"
k = 9
[mixture.data]
real = "other.jsonl"
"""


def component(name: str, weight: float, text: str = "boots") -> Component:
    return Component(name=name, weight=weight, shopper=Told(lambda turn: say(text)))


def study(n: int, **changes) -> Study:
    mixture = changes.pop("mixture", [component("calm", 3, "fine"), component("curt", 1, "no")])
    fields = {"seed": 1, "n": n, "arms": ("good", "bad"), "max_turns": 1, "concurrency": 1}
    return Study(
        mixture[0].shopper if mixture else Told(lambda turn: say()), Obliging(), changes.pop("personas", people(5)),
        **{**fields, "mixture": mixture, **changes},
    )  # fmt: skip


def held(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "conversations.jsonl").read_text().splitlines()]


def test_seats_are_those_of_the_divisor_method_at_every_size():
    # Sainte-Lague by hand for 5 : 3 : 1, quotients 5/1 3/1 5/3 5/5=3/3=1/1 5/7 3/5 5/9.
    assert list(islice(in_turn([5, 3, 1]), 9)) == [0, 1, 0, 0, 1, 2, 0, 1, 0]
    weights = [0.62, 0.27, 0.11]
    taken = list(islice(in_turn(weights), 1000))
    for size in range(1, 1001):
        counts = Counter(taken[:size])
        assert all(abs(counts[i] - weight * size) < 1 for i, weight in enumerate(weights))


def test_a_weight_of_0_has_no_turn():
    assert set(islice(in_turn([1, 0, 2]), 50)) == {0, 2}


def test_every_conversation_is_of_one_component_and_says_which(tmp_path):
    outcome = study(8).run(tmp_path)
    assert (outcome.planned, outcome.held) == (16, 16)
    conversations = held(tmp_path)
    assert Counter(c["metadata"]["component"] for c in conversations) == {"calm": 12, "curt": 4}
    said = {(c["metadata"]["component"], c["messages"][0]["content"]) for c in conversations}
    assert said == {("calm", "fine"), ("curt", "no")}
    plan = json.loads((tmp_path / "manifest.json").read_text())["plan"]
    assert plan["shopper"] == "mixture"
    assert [(each["name"], each["weight"]) for each in plan["mixture"]] == [("calm", 3), ("curt", 1)]


def test_shoppers_that_differ_in_settings_alone_have_ids_of_their_own():
    ids = [each.id for each in study(40).planned()]
    assert len(set(ids)) == len(ids) == 80


def test_all_components_meet_the_same_personas():
    met: dict[str | None, set[str]] = {}
    for each in study(20).planned():
        met.setdefault(each.component, set()).add(each.persona.id)
    assert met == {"calm": {f"p{i}" for i in range(5)}, "curt": {f"p{i}" for i in range(5)}}


def test_a_mixture_goes_on_and_grows_as_if_planned_so_from_the_start(tmp_path):
    study(6).run(tmp_path / "grown")
    kept = (tmp_path / "grown/conversations.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "grown/conversations.jsonl").write_bytes(b"".join(kept[:-3]))
    assert study(6).run(tmp_path / "grown").held == 3
    study(6).run(tmp_path / "grown", add=7)
    study(13).run(tmp_path / "whole")
    ids = [{c["id"] for c in held(tmp_path / name)} for name in ("grown", "whole")]
    assert ids[0] == ids[1]
    assert len(held(tmp_path / "grown")) == len(ids[0])


def test_the_same_folder_with_other_weights_is_another_plan(tmp_path):
    study(2).run(tmp_path)
    other = study(2, mixture=[component("calm", 1), component("curt", 1)])
    with pytest.raises(StudyError, match="another plan"):
        other.run(tmp_path)


def test_personas_are_taken_as_often_as_they_weigh():
    weights = {"p0": 0.5, "p1": 0.25, "p2": 0.25, "p3": 0, "p4": 0}
    planned = list(study(100, mixture=(), persona_weights=weights, arms=("good",)).planned())
    counts = Counter(each.persona.id for each in planned)
    assert set(counts) == {"p0", "p1", "p2"}
    assert all(abs(counts[name] - 100 * weight) <= 1 for name, weight in weights.items())
    assert len({each.id for each in planned}) == 100


def test_a_persona_with_a_small_weight_may_come_early():
    weights = {f"p{i}": 1.0 if i else 0.9 for i in range(5)}
    first = {
        next(study(1, seed=seed, mixture=(), persona_weights=weights).planned()).persona.id
        for seed in range(40)
    }
    assert "p0" in first


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mixture": [component("calm", 1)]}, "a mixture needs two components or more"),
        ({"mixture": [component("calm", 1)] * 2}, "'calm' is given twice"),
        ({"mixture": [component("calm", 1), component("curt", 0)]}, "weight of 'curt' must be above 0"),
        ({"persona_weights": {"p9": 1}}, "there is no persona 'p9'"),
        ({"persona_weights": {"p0": 1}}, "persona 'p1' has no weight"),
        ({"persona_weights": dict.fromkeys(("p0", "p1", "p2", "p3", "p4"), 0)}, "all are 0"),
        (
            {"persona_weights": {**dict.fromkeys(("p0", "p1", "p2", "p3"), 1), "p4": -1}},
            "weight of 'p4' is -1",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        study(4, **changes)


def logs(folder, name: str, said: str) -> None:
    lines = [
        {"id": f"{said}{i}", "messages": [{"role": "user", "content": f"{said} boots for rain, pair {i}"},
                                          {"role": "assistant", "content": "These?"}]}
        for i in range(4)
    ]  # fmt: skip
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_study_file_states_a_mixture_and_each_component_learns_from_its_own(tmp_path):
    logs(tmp_path, "logs.jsonl", "red")
    logs(tmp_path, "other.jsonl", "blue")
    (tmp_path / "study.toml").write_text(MIXED)
    made = Assembly(read_study(tmp_path / "study.toml")).study()
    shoppers = [each.shopper for each in made.mixture if isinstance(each.shopper, Resample)]
    assert [(each.name, each.weight) for each in made.mixture] == [("near", 3), ("far", 1)]
    assert [(each.k, each.real[0].id) for each in shoppers] == [(1, "red0"), (9, "blue0")]
    plan: Any = made.manifest()["plan"]
    assert plan["mixture"][0]["data"]["real"] != plan["mixture"][1]["data"]["real"]
    assert plan["mixture"][1]["settings"] == {"shopper": {"name": "resample", "k": 9}}


def test_a_study_file_has_one_shopper_or_several(tmp_path):
    (tmp_path / "study.toml").write_text(MIXED + '[shopper]\nname = "resample"\n')
    with pytest.raises(StudyError, match=r"has \[shopper\] and \[\[mixture\]\]"):
        read_study(tmp_path / "study.toml")


def test_a_mixture_is_not_made_another_shopper_on_the_command_line(tmp_path):
    (tmp_path / "study.toml").write_text(MIXED)
    with pytest.raises(StudyError, match="mixture of shoppers"):
        read_study(tmp_path / "study.toml").with_flags({"shopper": {"name": "replay"}})


def test_weights_of_drawn_personas_are_of_all_of_them(tmp_path):
    logs(tmp_path, "logs.jsonl", "red")
    weights = {f"red{i}": float(i) for i in range(4)}
    flags = {"study": {"n": 2}, "data": {"real": tmp_path / "logs.jsonl", "persona_weights": weights}}
    made = Assembly(StudyConfig().with_flags(flags)).study()
    assert {persona.id for persona in made.personas} == set(weights)
    assert all(isinstance(persona, Persona) for persona in made.personas)
