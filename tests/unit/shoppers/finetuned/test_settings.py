"""Settings of training that contradict one another."""

from typing import Any

import pytest
from pydantic import ValidationError

from convsim.errors import InputError
from convsim.shoppers.finetuned import TrainingSettings


def settings(**given: Any) -> TrainingSettings:
    return TrainingSettings.model_validate({"seed": 1, **given})


@pytest.mark.parametrize(
    ("given", "is_trained", "problem"),
    [
        ({"compress": "layers"}, True, "--compress layers=N .* need a number of layers"),
        ({"compress": "distill"}, True, "found --compress distill with None layers"),
        ({"compress": "int8", "keep_layers": 3}, True, "int8 takes none; found --compress int8 with 3 layers"),
        ({"keep_layers": 3}, True, "found --compress None with 3 layers"),
        ({"compress": "distill", "keep_layers": 3}, False, "--base is the teacher, so it must be a shopper"),
        ({"compress": "prune"}, True, r"--compress prune=SHARE needs a number between 0 and 1.* prune with None"),
        ({"compress": "ssm"}, True, r"--compress ssm=TAU needs a number between 0 and 1.* ssm with None"),
        ({"compress": "ssm", "prune_share": 0.5, "ssm_tau": 0.5}, True, "no other way to compress takes one"),
        ({"prune_share": 0.5}, True, "found --compress None with 0.5"),
        ({"compress": "prune", "prune_share": 0.5, "lora": True}, True, "all of them are trained: leave out --lora"),
        ({"compress": "ssm", "ssm_tau": 0.5, "lora": True}, True, "leave out --lora"),
        ({"compress": "prune", "prune_share": 0.5, "max_steps": 0}, True, "--max-steps 0 trains nothing"),
        ({"max_steps": 0}, True, "--max-steps 0 trains nothing"),
        ({"max_steps": 0, "compress": "layers", "keep_layers": 2}, True, "which only makes sense with --compress int8"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(given: dict[str, Any], is_trained: bool, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        settings(**given).check(is_trained=is_trained)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"lora": True, "max_steps": 1},
        {"compress": "layers", "keep_layers": 3},
        {"compress": "distill", "keep_layers": 3},
        {"compress": "int8", "max_steps": 0},
        {"compress": "prune", "prune_share": 0.5},
        {"compress": "ssm", "ssm_tau": 0.1},
    ],
)
def test_what_goes_together_is_taken(given: dict[str, Any]) -> None:
    settings(**given).check(is_trained=True)


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": 0}, {"max_steps": -1}, {"batch": 0}, {"max_tokens": 63}, {"held_out": 1}, {"calibrate": 41},
        {"learning_rate": 0}, {"learning_rate": float("nan")}, {"patience": 0}, {"keep_layers": 0}, {"lora": 1},
        {"batch": "8"}, {"prune_share": 0.0}, {"prune_share": 1.0}, {"ssm_tau": 0.0}, {"ssm_tau": float("nan")},
    ],
)  # fmt: skip
def test_a_setting_out_of_its_bounds_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**given)


def test_lora_learns_faster_unless_a_rate_is_given() -> None:
    assert (settings().rate, settings(lora=True).rate) == (5e-5, 2e-4)
    assert settings(lora=True, learning_rate=1e-3).rate == 1e-3


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="learning_rte"):
        settings(learning_rte=1e-4)
