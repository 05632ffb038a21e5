import gc

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
