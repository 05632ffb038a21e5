"""How conversations ended, one ending a metric."""

from math import isnan, nan

import pytest

from convsim.metrics import METRICS
from convsim.schema import Columns
from convsim.schema.conversation import Ending
from tests.unit.metrics.conversations import agent, conversation, user


@pytest.mark.parametrize(
    ("ending", "accepted", "left"),
    [
        ("accepted", 1, 0),
        ("left", 0, 1),
        ("agent_ended", 0, 0),
        ("turn_limit", 0, 0),
        ("unknown", nan, nan),
        ("agent_failed", nan, nan),
        ("shopper_failed", nan, nan),
    ],
)
def test_an_ending_counts_as_itself_and_as_none_other(ending: Ending, accepted: float, left: float) -> None:
    ended = Columns.of([conversation(user("bye")).but(ending=ending)])
    assert METRICS["accepted"].measure(ended) == pytest.approx([accepted], nan_ok=True)
    assert METRICS["left"].measure(ended) == pytest.approx([left], nan_ok=True)


def test_each_conversation_has_its_own_ending() -> None:
    said = conversation(user("hi"), agent("hello"))
    endings = [said.but(ending="left"), said, conversation().but(ending="accepted"), said.but(ending="left")]
    measured = METRICS["left"].measure(Columns.of(endings)).tolist()
    assert [measured[0], measured[2], measured[3]] == [1, 0, 1]
    assert isnan(measured[1])
