import gc

import pytest

from convsim.schema import UserMove
from convsim.schema.chat_model import ChatMessage
from convsim.schema.conversation import Conversation
from convsim.simulation import Arm, Limits, Planned, Progress, hold_all
from tests.doubles import Obliging, Told, people, say


async def test_the_collectors_thresholds_are_given_back():
    before = gc.get_threshold()
    planned = Planned(
        study="s", shopper=Told(lambda turn: say()), model=None, persona=people(1)[0],
        arm=Arm("good", Obliging()), repeat=0, seed=3,
    )  # fmt: skip
    kept: list[Conversation] = []
    progress, limits = Progress(), Limits(max_turns=2, concurrency=3)
    await hold_all([planned], limits=limits, keep=lambda held, _: kept.append(held), progress=progress)
    assert gc.get_threshold() == before
    assert (len(kept), progress.ended, progress.stop) == (1, 1, "finished")


@pytest.mark.parametrize("concurrency", [8, 256, "auto"])
async def test_no_prompts_of_conversations_that_are_held_are_looked_through_for_garbage(concurrency):
    """The collector walks what piles up, found by holding as many prompts of 50 messages as conversations."""
    seen: list[int] = []

    def look(turn: int) -> UserMove:
        seen.append(gc.get_threshold()[0])
        return say()

    planned = Planned(
        study="s", shopper=Told(look), model=None, persona=people(1)[0], arm=Arm("good", Obliging()), repeat=0, seed=3,
    )  # fmt: skip
    limits = Limits(max_turns=1, concurrency=concurrency)
    await hold_all([planned], limits=limits, keep=lambda *_: None, progress=Progress())
    before, _, _ = gc.get_count()
    gc.disable()
    try:
        held = [
            [
                *(ChatMessage(role="user", content=f"{k}") for k in range(50)),
                *({"role": "user", "content": f"{k}"} for k in range(50)),
            ]
            for _ in range(limits.most if concurrency == "auto" else concurrency)
        ]
        assert 0 < gc.get_count()[0] - before < seen[0]
    finally:
        gc.enable()
    assert held
