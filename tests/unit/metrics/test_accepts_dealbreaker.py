"""Taking what the persona would never take: only what can be checked counts."""

from math import isnan

import pytest

from convsim.metrics import RELATION_METRICS
from convsim.schema import Columns
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Constraint, Control, Persona
from tests.unit.metrics.conversations import agent, conversation, user

NO_WOOL = Constraint(attribute="material", op="=", value="wool")
COAT = Item(id="coat", price=80.0, attributes={"material": "Wool"})
MAC = Item(id="mac", price=40.0, attributes={"material": "cotton"})
BARE = Item(id="bare")


def taking(*accepted: str) -> Message:
    return Message(role="user", content="", action="accept", accepted=accepted)


def persona(*dealbreakers: Constraint, budget: float | str | None = None) -> Persona:
    control = None if budget is None else Control(value=budget)
    return Persona(id="p", need="a coat", dealbreakers=dealbreakers, budget=control)


def breaks(shopper: Persona | None, *messages: Message) -> float:
    held: Conversation = conversation(*messages).but(persona=shopper)
    (measured,) = RELATION_METRICS["accepts_dealbreaker"].measure(Columns.of([held]))
    return float(measured)


SHOWN = agent("Here:", COAT, MAC, BARE)


@pytest.mark.parametrize(("item", "expected"), [("coat", 1), ("mac", 0), ("bare", float("nan"))])
def test_a_dealbreaker_says_what_must_not_hold(item: str, expected: float) -> None:
    assert breaks(persona(NO_WOOL), SHOWN, taking(item)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("budget", "expected"), [(79.99, 1), (80.0, 0), (200.0, 0), ("50", 1), ("about 50", float("nan"))]
)
def test_a_budget_is_a_price_not_to_be_exceeded(budget: float | str, expected: float) -> None:
    assert breaks(persona(budget=budget), SHOWN, taking("coat")) == pytest.approx(expected, nan_ok=True)


def test_one_limit_that_breaks_is_enough_and_one_that_can_be_checked_is_evidence() -> None:
    assert breaks(persona(NO_WOOL, budget=100), SHOWN, taking("coat")) == 1
    unknown = Constraint(attribute="brand", op="=", value="x")
    assert breaks(persona(unknown, budget=100), SHOWN, taking("coat")) == 0
    assert isnan(breaks(persona(unknown), SHOWN, taking("coat")))


def test_every_accepted_item_is_checked() -> None:
    assert breaks(persona(NO_WOOL), SHOWN, taking("mac", "coat")) == 1
    assert breaks(persona(NO_WOOL), SHOWN, taking("coat"), agent("Done"), taking("mac")) == 1
    assert breaks(persona(NO_WOOL), SHOWN, taking("mac", "bare")) == 0


def test_an_item_is_what_the_agent_last_showed_before_it_was_taken() -> None:
    dearer = MAC.but(price=90.0)
    assert breaks(persona(budget=50), agent("Here:", MAC), agent("Now:", dearer), taking("mac")) == 1
    assert breaks(persona(budget=50), agent("Here:", MAC), taking("mac"), agent("Now:", dearer)) == 0


def test_without_limits_without_a_persona_or_without_a_taken_item_it_is_undefined() -> None:
    assert isnan(breaks(None, SHOWN, taking("coat")))
    assert isnan(breaks(persona(), SHOWN, taking("coat")))
    assert isnan(breaks(persona(NO_WOOL), SHOWN, user("the coat")))
    assert isnan(breaks(persona(NO_WOOL), taking("coat"), SHOWN))
    assert isnan(breaks(persona(NO_WOOL), SHOWN, taking("something else")))
    assert isnan(breaks(persona(NO_WOOL), Message(role="tool", content="", items=(COAT,)), taking("coat")))
