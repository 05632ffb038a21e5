"""Several simulators beside one another, with a validator that knows what to say of each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import convsim
from convsim.errors import InputError
from convsim.evaluation import Comparison, compare
from convsim.schema import Finding, SimulatorScore
from convsim.schema.conversation import Conversation

FIELDS = {"unit": "u", "reason": "because", "seed": 1, "version": "1", "source": "a test"}


def side(name: str, n: int = 12, *, seconds: float | None = None, **more: object) -> list[Conversation]:
    usage = None if seconds is None else {"seconds": seconds}
    return [
        Conversation.model_validate(
            {"id": f"{name}{i}", "messages": [{"role": "user", "content": f"{name} wants size {i} boots"}],
             "usage": usage, **more}
        )
        for i in range(n)
    ]  # fmt: skip


@dataclass
class Known:
    """Finds what it is told: a distance for each simulator, differences that are sure within .05."""

    far: Mapping[str, float]
    name: str = "marginals"
    seen: list[tuple[int, dict[str, int]]] = field(default_factory=list)

    def validate(self, real, simulated, *, seed):
        return [
            Finding(
                validator=self.name, metric=metric, question="?", verdict=verdict, estimate=0.2, interval=(0.1, 0.3),
                noise_floor={"mean": 0.05, "q95": 0.1}, n_real=len(real), n_simulated=len(simulated), **FIELDS,
                details={"role": "control"} if metric == "c" else {},
            )
            for metric, verdict in (("a", "aligned"), ("d", "different"), ("u", "undecided"), ("c", "different"))
        ]  # fmt: skip

    def compare(self, real, simulated, *, seed):
        self.seen.append((len(real), {name: len(corpus) for name, corpus in simulated.items()}))
        given = {"validator": self.name, "question": "?", "n_real": len(real), "n_simulated": 1, **FIELDS}
        own = [
            SimulatorScore(metric="mean_distance", simulator=name, estimate=self.far[name],
                     details={"noise_floor": {"mean": 0.02, "q95": 0.04}}, **given)
            for name in simulated
        ]  # fmt: skip
        pairs = [
            SimulatorScore(
                metric="mean_distance_difference", simulator=a, against=b, estimate=self.far[a] - self.far[b],
                     interval=(self.far[a] - self.far[b] - 0.05, self.far[a] - self.far[b] + 0.05), **given)
            for a in simulated for b in simulated if a != b
        ]  # fmt: skip
        return own + pairs


def compared(simulators, *, far, **more) -> Comparison:
    return compare(side("r"), simulators, seed=1, validators=[Known(far)], **more)


def test_each_simulator_has_its_numbers_and_its_place():
    found = compared(
        {"slow": side("s", seconds=3.0), "lean": side("l", seconds=1.0)}, far={"slow": 0.1, "lean": 0.3}
    )
    slow, lean = found.simulators
    assert (slow.habits.n, slow.habits.aligned, slow.habits.different, slow.habits.undecided) == (3, 1, 1, 1)
    assert slow.habits.share_aligned == pytest.approx(1 / 3)
    assert [(d.metric, d.ks, d.verdict) for d in slow.distances] == [
        ("a", 0.2, "aligned"), ("d", 0.2, "different"), ("u", 0.2, "undecided"),
    ]  # fmt: skip
    assert slow.mean_distance_floor is not None
    assert (slow.mean_distance.estimate, slow.mean_distance_floor.q95) == (0.1, 0.04)
    assert (found.cost_axis, slow.front.place, lean.front.place) == ("seconds", "on", "on")
    assert [(p.cheaper, p.dearer, p.lost_realism) for p in found.leaner] == [("lean", "slow", True)]
    assert len(found.standings) == 4


def test_dollars_are_the_cost_only_if_every_simulator_has_a_price():
    priced = {"input_tokens": 1, "output_tokens": 1, "seconds": 1.0, "cost_usd": 0.5}
    dear = [c.but(usage={**priced, "cost_usd": 2.0}) for c in side("d")]
    cheap = [c.but(usage=priced) for c in side("c")]
    far = {"dear": 0.1, "cheap": 0.3, "other": 0.2}
    assert compared({"dear": dear, "cheap": cheap}, far=far).cost_axis == "cost_usd"
    mixed = compared({"dear": dear, "cheap": cheap, "other": side("o", seconds=1.0)}, far=far)
    assert mixed.cost_axis == "seconds"


def test_without_any_cost_nobody_is_placed():
    found = compared({"a": side("a")}, far={"a": 0.1})
    assert found.cost_axis is None
    assert found.simulators[0].front.place == "undecided"
    assert "do not record what they used" in found.simulators[0].front.reason


def test_without_a_validator_that_compares_distances_are_undefined_with_a_reason():
    validator = Known({})
    validator.compare = None  # type: ignore[assignment,method-assign]

    class Alone:
        name = "marginals"
        validate = validator.validate

    found = compare(side("r"), [side("a", seconds=1.0)], seed=1, validators=[Alone()])
    assert found.standings == ()
    assert "no validator gives it a score" in found.simulators[0].mean_distance.reason
    assert found.simulators[0].front.place == "undecided"


def test_a_validator_that_raises_costs_no_others_work():
    class Broken(Known):
        def compare(self, real, simulated, *, seed):
            raise KeyError("oops")

    found = compare(
        side("r"), {"a": side("a")}, seed=1, validators=[Broken({}, name="broken"), Known({"a": 0.1})]
    )
    assert found.failed == ("broken",)
    assert any(
        "broken failed to compare the simulators: KeyError: 'oops'" in warning for warning in found.warnings
    )
    assert found.simulators[0].mean_distance.estimate == 0.1


def test_who_learned_from_these_people_is_not_judged_and_stands_beside_nobody():
    people = side("r")
    copier = side("c", seconds=0.1, learned_from={"conversations": [people[0].fingerprint]})
    known = Known({"copier": 0.0, "honest": 0.2})
    sides = {"copier": copier, "honest": side("h", seconds=1.0)}
    found = compare(people, sides, seed=1, validators=[known])
    first, second = found.simulators
    assert known.seen == [(12, {"honest": 12})]
    assert (first.overlap.n_learned, first.overlap.share_learned, second.overlap.n_learned) == (12, 1.0, 0)
    assert first.habits.undecided == 3
    assert "learned from these people" in first.mean_distance.reason
    assert (first.front.place, second.front.place) == ("undecided", "on")
    allowed = compare(people, sides, seed=1, validators=[Known(known.far)], allow_overlap=True)
    assert allowed.simulators[0].front.place == "on"


def arms(name: str, *names: str) -> list[Conversation]:
    return [c.but(id=f"{arm}-{c.id}", arm=arm) for arm in names for c in side(f"{name} {arm}")]


def test_with_two_arms_named_all_but_reactions_is_computed_on_the_control_arm_of_both():
    known = Known({"both": 0.1})
    found = compare(
        arms("r", "good", "bad"), {"both": arms("s", "good", "bad")}, seed=1, validators=[known], control="good",
        treatment="bad",
    )  # fmt: skip
    assert known.seen == [(12, {"both": 12})]
    assert found.simulators[0].side.arms == {"good": 12}
    assert found.simulators[0].counterfactual is not None
    assert found.simulators[0].counterfactual.simulated.n == 24
    assert found.arms == ("good",)


def test_arms_that_are_named_win_over_the_control_arm():
    known = Known({"both": 0.1})
    compare(
        arms("r", "good", "bad"), {"both": arms("s", "good", "bad")}, seed=1, validators=[known], control="good",
        treatment="bad", arms=("good", "bad"),
    )  # fmt: skip
    assert known.seen == [(24, {"both": 24})]


def test_a_simulator_that_lacks_an_arm_has_a_reason_and_harms_nobody():
    known = Known({"both": 0.1, "no bad": 0.2})
    sides = {"both": arms("s", "good", "bad"), "no bad": arms("t", "good"), "no good": arms("u", "bad")}
    found = compare(
        arms("r", "good", "bad"), sides, seed=1, validators=[known], control="good", treatment="bad"
    )
    both, no_bad, no_good = found.simulators
    assert both.counterfactual is not None
    assert (no_bad.counterfactual, no_bad.reactions.reason) == (None, "it has no arm 'bad'; it has: good")
    assert no_bad.habits.n == 3
    assert no_good.not_judged == "it has no arm 'good'; it has: bad"
    assert (no_good.validation, no_good.habits.n, no_good.side.n) == (None, 0, 0)
    assert known.seen == [(12, {"both": 12, "no bad": 12})]


def test_people_who_lack_an_arm_are_an_error():
    with pytest.raises(InputError, match="the real data: it has no arm 'bad'; it has: good"):
        compare(
            arms("r", "good"),
            [arms("s", "good", "bad")],
            seed=1,
            validators=["marginals"],
            control="good",
            treatment="bad",
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"control": "good"}, "go together"),
        ({"control": "good", "treatment": "good"}, "the same arm, 'good'"),
        ({"arms": ["ugly"]}, "no arm 'ugly'"),
    ],
)
def test_arms_that_cannot_be_asked_about_are_an_error(given, said):
    with pytest.raises(InputError, match=said):
        compare(arms("r", "good"), [arms("s", "good")], seed=1, validators=["marginals"], **given)


@pytest.mark.parametrize(
    ("simulators", "said"),
    [
        ([], "no simulator"),
        ({}, "no simulator"),
        ({" ": []}, "empty"),
        ({"people": []}, "as the real data are"),
    ],
)
def test_nobody_to_compare_is_an_error(simulators, said):
    with pytest.raises(InputError, match=said):
        compare(side("r"), simulators, seed=1, validators=["marginals"])


@pytest.mark.parametrize("simulators", ["run.jsonl", Path("run.jsonl"), side("s")])
def test_a_single_side_that_is_not_in_a_list_is_an_error(simulators):
    with pytest.raises(InputError, match="put a single one into a list"):
        compare(side("r"), simulators, seed=1, validators=["marginals"])


def test_seconds_are_said_to_depend_on_the_machine_where_they_are_compared():
    far = {"a": 0.1, "b": 0.2}
    found = compared({"a": side("a", seconds=1.0), "b": side("b", seconds=2.0)}, far=far)
    assert any("machine, server and concurrency" in warning for warning in found.warnings)
    assert compared({"a": side("a", seconds=1.0)}, far=far).warnings == ()


def test_files_of_one_name_are_told_apart_by_their_paths_and_one_file_twice_is_refused(tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "run.jsonl")
        convsim.write(paths[-1], side(folder))
    known = Known({str(path): 0.1 for path in paths})
    found = compare(side("r"), paths, seed=1, validators=[known])
    assert [each.name for each in found.simulators] == [str(path) for path in paths]
    alone = compare(side("r"), paths[:1], seed=1, validators=[Known({"run": 0.1})])
    assert alone.simulators[0].name == "run"
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(paths[0].read_bytes())
    with pytest.raises(InputError, match=r"copy.jsonl is the same file as .*run.jsonl"):
        compare(side("r"), [paths[0], copy], seed=1, validators=["marginals"])


def test_a_file_that_is_called_as_the_real_side_is_goes_by_its_path(tmp_path):
    path = tmp_path / "people.jsonl"
    convsim.write(path, side("other half"))
    found = compare(side("r"), [path], seed=1, validators=[Known({str(path): 0.1})])
    assert found.simulators[0].name == str(path)


def test_failures_are_counted_left_out_and_refused_under_the_simulators_name():
    failing = [c.but(failure="down") if i < 1 else c for i, c in enumerate(side("f", 30))]
    found = compared({"f": failing}, far={"f": 0.1})
    assert (found.simulators[0].failures, found.simulators[0].side.n) == (1, 29)
    with pytest.raises(InputError, match="4 of 30 f conversations failed"):
        compared({"f": [c.but(failure="down") if i < 4 else c for i, c in enumerate(side("f", 30))]}, far={})


def test_models_behind_shoppers_and_endings_are_told():
    held = side("m", shopper="icl", simulator="icl on small:1b", ending="left")
    [found] = compared({"m": held}, far={"m": 0.1}).simulators
    assert (found.shoppers, found.models, found.endings) == (("icl",), ("small:1b",), {"left": 12})


def test_the_document_is_json_without_nan_and_reads_back():
    found = compared({"a": side("a", seconds=1.0)}, far={"a": 0.1})
    document = json.loads(found.to_json())
    assert document["schema"] == "convsim.comparison/1"
    assert "metadata" not in document["simulators"][0]
    assert document["simulators"][0]["cost"]["cost_usd"] is None
    assert Comparison.model_validate(document).to_json() == found.to_json()


def test_it_is_reached_from_the_front_door():
    assert convsim.compare is compare
