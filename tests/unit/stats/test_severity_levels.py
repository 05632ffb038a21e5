"""What is said of the faults that conversations were held under."""

import pytest

from convsim.schema.conversation import Conversation
from convsim.stats.severity_levels import describe_recorded


def under(fault: str | None, severity: float | None) -> Conversation:
    return Conversation(id=f"{fault} {severity}", messages=(), fault=fault, severity=severity)


@pytest.mark.parametrize(
    ("n_faults", "more"), [(7, ""), (8, ""), (9, " and 1 faults more"), (10, " and 2 faults more")]
)
def test_eight_faults_are_named_and_the_others_counted(n_faults, more):
    said = describe_recorded([under(f"f{number:02}", 0.5) for number in range(n_faults)])
    named = "; ".join(f"'f{number:02}' at 0.5" for number in range(min(n_faults, 8)))
    assert said == f"recorded: {named}{more}; the bare agent in 0 conversations"


def test_severities_are_named_in_order_and_severity_zero_is_the_bare_agent():
    held = [under("rude", 1), under("rude", 0.25), under("rude", 0), under(None, None)]
    assert describe_recorded(held) == "recorded: 'rude' at 0.25, 1; the bare agent in 2 conversations"
    assert describe_recorded([]) == "recorded: no fault; the bare agent in 0 conversations"
