"""What rows make of the paper's claims: reproduced, not reproduced, or not to be told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.claims import section

CLAIM = {
    "halves": "Two halves of people",
    "satisfaction": "People are less satisfied",
    "third": "A third party",
    "hls": "No shopper that a model speaks for",
    "sft": "SFT is nearer",
    "transfer": "What was trained on SFT",
    "joint": "Marginals that match",
    "first": "First words do not depend",
}


def outcome(claim: str, **rows: list[dict[str, Any]]) -> str:
    kept = {name: [{"cpu_s": 1, **row} for row in of] for name, of in rows.items()}
    (line,) = (line for line in section(kept).splitlines() if line.startswith(f"| {CLAIM[claim]}"))
    return line.rsplit("|", 2)[1].strip()


def halves(failing: int) -> dict[str, Any]:
    return {"found": {"verdicts": {"aligned": 90, "undecided": 10}, "failing": ["joint.forest"] * failing}}


def shift(of: str, low: float, high: float) -> dict[str, Any]:
    asked = {"of": "shifts", "set": of, "control": "good", "treatment": "bad"}
    means = {"control": 0.5, "treatment": 0.5 + (low + high) / 2}
    shown = {"estimate": (low + high) / 2, "interval": [low, high], "means": means}
    return {"asked": asked, "found": {"shifts": {"satisfaction": shown}}}


def shopper(distance: list[float], hls: str) -> dict[str, Any]:
    middle = sum(distance) / 2
    return {
        "n": 100,
        "mean_distance": {"estimate": middle, "interval": distance},
        "hls": {"estimate": 0.1, "interval": [0.0, 0.2], "verdict": hls},
        "reactions": {"ratio": None},
    }


def compared(
    prompted: dict[str, Any], sft: dict[str, Any], there: float = 0.9, back: float = 0.1
) -> dict[str, Any]:
    names = ("prompted (M)", "sft (M)")
    return {
        "asked": {"what": "comparison", "set": "made up"},
        "found": {
            "simulators": {"other people": prompted, names[0]: prompted, names[1]: sft},
            "transfer": {names[1]: {names[0]: there}, names[0]: {names[1]: back}},
        },
    }


def dose(dose: float, *failing: str) -> dict[str, Any]:
    return {
        "asked": {"others": "bots", "n": 100, "dose": dose, "seed": 0},
        "found": {"failing": [f"{name}.metric" for name in failing]},
    }


def test_what_was_not_run_is_not_told() -> None:
    assert {outcome(claim) for claim in CLAIM} == {"cannot be told here"}
    assert "`paper` was not run" in section({})


@pytest.mark.parametrize(("failing", "found"), [(0, "reproduced"), (5, "reproduced"), (6, "not reproduced")])
def test_halves_of_people_may_differ_no_oftener_than_the_level(failing: int, found: str) -> None:
    assert outcome("halves", people=[halves(failing)]) == found


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ((-0.4, -0.1), "reproduced"), ((-0.4, 0.1), "cannot be told here"), ((0.1, 0.4), "not reproduced"),
    ],
)  # fmt: skip
def test_people_shift_where_all_sets_say_so(second: tuple[float, float], found: str) -> None:
    rows = [shift("CRSArena", -0.6, -0.2), shift("RecLLMSim", *second)]
    assert outcome("satisfaction", paper=rows) == found


@pytest.mark.parametrize(
    ("interval", "found"),
    [([0.1, 0.3], "reproduced"), ([0.4, 0.6], "not reproduced"), ([0.1, 0.6], "cannot be told here")],
)
def test_two_hardly_agree_where_the_whole_interval_says_so(interval: list[float], found: str) -> None:
    asked = {"of": "agreement", "source": "third_party", "against": "self"}
    row = {"asked": asked, "found": {"tau_b": 0.3, "interval": interval, "n": 100}}
    assert outcome("third", paper=[row]) == found


@pytest.mark.parametrize(
    ("prompted", "sft", "found"),
    [
        ([0.3, 0.4], [0.1, 0.2], "reproduced"), ([0.1, 0.2], [0.3, 0.4], "not reproduced"),
        ([0.1, 0.3], [0.2, 0.4], "cannot be told here"),
    ],
)  # fmt: skip
def test_who_is_nearer_is_told_by_intervals_that_do_not_overlap(
    prompted: list[float], sft: list[float], found: str
) -> None:
    rows = [compared(shopper(prompted, "different"), shopper(sft, "different"))]
    assert outcome("sft", simulators=rows) == found


@pytest.mark.parametrize(
    ("verdict", "found"),
    [("different", "reproduced"), ("undecided", "cannot be told here"), ("aligned", "not reproduced")],
)
def test_one_shopper_that_passes_refutes_that_none_does(verdict: str, found: str) -> None:
    rows = [compared(shopper([0.3, 0.4], "different"), shopper([0.1, 0.2], verdict))]
    assert outcome("hls", simulators=rows) == found


@pytest.mark.parametrize(
    ("there", "back", "found"),
    [
        (0.9, 0.1, "reproduced"), (0.5, 0.5, "cannot be told here"), (0.1, 0.9, "not reproduced"),
    ],
)  # fmt: skip
def test_transfer_is_told_by_both_ways(there: float, back: float, found: str) -> None:
    both = shopper([0.1, 0.2], "different")
    assert outcome("transfer", simulators=[compared(both, both, there, back)]) == found


@pytest.mark.parametrize(
    ("half", "found"),
    [
        (("joint",), "reproduced"), (("joint", "marginals"), "cannot be told here"), (("marginals",), "not reproduced"),
    ],
)  # fmt: skip
def test_joint_proves_more_where_it_finds_a_smaller_dose(half: tuple[str, ...], found: str) -> None:
    rows = [dose(0.0), dose(0.5, *half), dose(1.0, "joint", "marginals")]
    assert outcome("joint", doses=rows) == found


@pytest.mark.parametrize(("p_value", "found"), [(0.4, "reproduced"), (0.01, "not reproduced")])
def test_first_words_are_judged_within_a_brief(p_value: float, found: str) -> None:
    rows = [
        {"asked": {"within": "task"}, "found": {"p_value": 0.01}},
        {"asked": {"within": "brief"}, "found": {"p_value": p_value}},
        {"asked": {"halves": 0}, "found": {"alone": [True], "said": [True]}},
    ]
    assert outcome("first", firsts=rows) == found
