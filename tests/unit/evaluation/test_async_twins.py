"""The async twins of the verbs work in a thread, leave the loop free, and stop between two validators."""

import asyncio
import inspect
import threading
from typing import Any

import pytest
from numpy.random import default_rng

import convsim
from convsim_validators import Marginals
from tests.end_to_end.validating import CLOSE, NAIVE
from tests.populations import crowd


class Waiting:
    """Waits until it is let go on, and notes in which thread it was asked."""

    def __init__(self, name="waiting"):
        self.name = name
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.thread = None

    def validate(self, real, simulated, *, seed):
        self.thread = threading.current_thread()
        self.asked.set()
        assert self.go_on.wait(20)
        return []


async def test_it_finds_what_validate_finds():
    asked: dict[str, Any] = {"seed": 3, "validators": Marginals(n_resamples=49), "metrics": ["turns"]}
    assert await convsim.avalidate(CLOSE, NAIVE, **asked) == await asyncio.to_thread(
        convsim.validate, CLOSE, NAIVE, **asked
    )


async def test_the_loop_goes_on_while_it_works():
    waiting = Waiting()
    task = asyncio.create_task(convsim.avalidate(CLOSE, NAIVE, seed=1, validators=waiting, metrics=["turns"]))
    while not waiting.asked.is_set():
        await asyncio.sleep(0.01)
    waiting.go_on.set()
    assert (await task).findings == ()
    assert waiting.thread is not threading.main_thread()


async def test_once_cancelled_it_returns_at_once_and_asks_no_other_validator():
    first, second = Waiting("first"), Waiting("second")
    second.go_on.set()
    task = asyncio.create_task(
        convsim.avalidate(CLOSE, NAIVE, seed=1, validators=[first, second], metrics=["turns"])
    )
    while not first.asked.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first.go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not second.asked.is_set()


async def test_bad_input_is_refused_as_validate_refuses_it():
    with pytest.raises(convsim.InputError, match="no validator is named"):
        await convsim.avalidate(CLOSE, NAIVE, seed=1, validators=[])


def talk(name: str, text: str, **more: Any) -> convsim.Conversation:
    said = (convsim.Message(role="user", content=text), convsim.Message(role="assistant", content="These?"))
    return convsim.Conversation(id=name, messages=said, **more)


VERBS = (
    "validate",
    "calibrate",
    "compare",
    "counterfactual",
    "dose_response",
    "check_relations",
    "plan",
    "tune",
)
TALKS = {
    arm: [
        talk(
            f"{arm}{i}",
            "boots!" * (i % 3),
            arm=arm,
            persona=convsim.Persona(id=f"p{i}", need="boots"),
            **more,
        )
        for i in range(12)
    ]
    for arm, more in (("good", {}), ("bad", {"fault": "rude_text", "severity": 1.0}))
}
BOTH = [*TALKS["good"], *TALKS["bad"]]
PEOPLE = [each.but(id=f"r-{each.id}", fault=None, severity=None) for each in BOTH]
ASKED: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "validate": ((PEOPLE, BOTH), {"validators": "marginals"}),
    "calibrate": (
        (crowd(default_rng(1), 20, wordy=0.5, prefix="h"),),
        {
            "sizes": [8],
            "n_runs": 1,
            "n_null_runs": 1,
            "adversaries": ["title_case"],
            "validators": "marginals",
        },
    ),
    "compare": ((PEOPLE, {"s": BOTH}), {"validators": "marginals"}),
    "counterfactual": ((PEOPLE, BOTH), {"control": "good", "treatment": "bad"}),
    "dose_response": ((BOTH, "rude_text"), {}),
    "check_relations": ((BOTH,), {}),
    "plan": ((PEOPLE,), {"validators": "marginals"}),
    "tune": (
        (
            crowd(default_rng(1), 70, wordy=0.5, prefix="h"),
            {name: crowd(default_rng(2), 40, wordy=1, prefix=name, simulated=True) for name in ("a", "b")},
        ),
        {"validators": (), "metrics": ["turns", "user_words_per_turn"]},
    ),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_has_a_twin_that_finds_the_same_in_a_running_loop(verb):
    given, more = ASKED[verb]
    more = {"metrics": ["turns"], **more, "seed": 5}
    twin, alone = getattr(convsim, f"a{verb}"), getattr(convsim, verb)
    assert await twin(*given, **more) == await asyncio.to_thread(alone, *given, **more)


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_refuses_inside_a_running_loop_and_names_its_twin(verb):
    given, more = ASKED[verb]
    with pytest.raises(convsim.InputError) as refused:
        getattr(convsim, verb)(*given, seed=5, **more)
    assert str(refused.value) == (
        f"convsim.{verb} cannot be called inside a running event loop, such as a notebook or an async function; "
        f"write await convsim.a{verb}(…)"
    )


@pytest.mark.parametrize("verb", VERBS)
def test_a_twin_is_called_as_its_verb_is_and_says_so(verb):
    twin, alone = getattr(convsim, f"a{verb}"), getattr(convsim, verb)
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(twin).parameters == inspect.signature(alone).parameters
    assert (twin.__name__, twin.__module__) == (f"a{verb}", alone.__module__)
    assert f"``{verb}``" in inspect.getdoc(twin).splitlines()[0]


async def test_a_cancelled_comparison_asks_no_other_validator():
    first, second = Waiting("first"), Waiting("second")
    second.go_on.set()
    task = asyncio.create_task(
        convsim.acompare(PEOPLE, {"s": BOTH}, seed=1, validators=[first, second], metrics=["turns"])
    )
    while not first.asked.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first.go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not second.asked.is_set()
