"""What every shopper keeps to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

import convsim.shoppers
from convsim.schema import Shopper
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers import (
    CUE,
    ICL,
    SFT,
    Ditto,
    Hybrid,
    OSim,
    Prompted,
    PythonShopper,
    Replay,
    Resample,
    UserLM,
)
from convsim.shoppers.policies import train_policy
from convsim.testing import check_shopper
from tests.unit.shoppers.logs import EMPTY, boots, drawn_from, logged, model, shown
from tests.unit.shoppers.policies.known import DEPENDS, simulated_world
from tests.unit.shoppers.trained import Opening, trained_folder

LOGS = [logged(f"c{i}", f"rain boots {i}", f"cheaper than {i}", by=f"u{i}") for i in range(8)]


def _eager(conversation: Conversation, persona: Persona, seed: int) -> str:
    return f"{persona.need} {seed}"


def _policy(folder: Path) -> Path:
    if not (folder / "policy").exists():
        world = simulated_world(DEPENDS, n_users=20, seed=1)
        train_policy(world.conversations, folder / "policy")
    return folder / "policy"


def _manuals(folder: Path) -> Path:
    (folder / "manuals.json").write_text('[{"commands": ["keep it short"]}, {"commands": ["ask the price"]}]')
    return folder / "manuals.json"


FROM_NOBODY_HERE = (Prompted, PythonShopper, UserLM, OSim, CUE)
"""Shoppers that learned from nothing, or from conversations that are none of convsim's."""
MOVES = {"say:": 2.0, "leave:": 1.0, "accept 1:": 1.0, "accept 3:": 1.0}
SHOPPERS: dict[str, Callable[[Path], Shopper]] = {
    "prompted": lambda _: Prompted(model(["red ones"] * 99)),
    "prompted, transcript": lambda _: Prompted(model(["red ones"] * 99), style="transcript"),
    "icl": lambda _: ICL(model(["red ones"] * 99), LOGS),
    "resample": lambda _: Resample(LOGS),
    "hybrid": lambda folder: Hybrid(LOGS, policy=_policy(folder)),
    "replay": lambda _: Replay(LOGS),
    "python": lambda _: PythonShopper(target=_eager),
    "sft": lambda folder: SFT(
        Opening(path=trained_folder(folder), weights=MOVES, says=lambda asked: f"{asked.seed} red ones")
    ),
    "userlm": lambda _: UserLM(model(["do you have red ones"] * 99)),
    "osim": lambda _: OSim(model(["red ones"] * 99)),
    "ditto": lambda _: Ditto(model(["red ones"] * 99)),
    "cue": lambda folder: CUE(model(["red ones"] * 99), _manuals(folder)),
}


@pytest.fixture(params=SHOPPERS.values(), ids=list(SHOPPERS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Shopper]:
    return lambda: request.param(tmp_path)


SOMEBODY = drawn_from(LOGS[0])


def test_every_shopper_is_tried(tmp_path: Path) -> None:
    tried = {type(make(tmp_path)).__name__ for make in SHOPPERS.values()}
    assert tried == {*convsim.shoppers.__all__}


def test_it_is_a_shopper_with_a_name_and_says_what_it_learned_from(make: Callable[[], Shopper]) -> None:
    shopper = make()
    assert isinstance(shopper, Shopper)
    assert shopper.name
    assert dataclasses.is_dataclass(shopper)
    assert (shopper.learned_from is None) == isinstance(shopper, FROM_NOBODY_HERE)


def test_it_keeps_to_the_contract(make: Callable[[], Shopper]) -> None:
    check_shopper(make(), persona=SOMEBODY, conversations=[shown(*boots(12)), shown()], deterministic=False)


@pytest.mark.parametrize("conversation", [EMPTY, shown(*boots(12))], ids=["nothing said yet", "items shown"])
async def test_a_new_one_makes_the_same_move(make: Callable[[], Shopper], conversation: Conversation) -> None:
    assert await make().speak(conversation, SOMEBODY, seed=7) == await make().speak(
        conversation, SOMEBODY, seed=7
    )


async def test_its_move_depends_on_conversation_persona_and_seed_alone(make: Callable[[], Shopper]) -> None:
    shopper = make()
    await shopper.speak(shown(*boots(3)), drawn_from(LOGS[3]), seed=1)
    assert await shopper.speak(EMPTY, SOMEBODY, seed=7) == await make().speak(EMPTY, SOMEBODY, seed=7)
