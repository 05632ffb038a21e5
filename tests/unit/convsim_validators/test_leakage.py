"""First messages that tell the outcome or the arm: found where the simulator's tell more, and only there."""

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.metrics import measure
from convsim.schema.conversation import Conversation, Message
from convsim_validators import Leakage

WORDS = ("a", "warm", "coat", "boots", "red", "blue", "please", "want", "some", "cheap", "for", "winter")


def talk(
    name: str, first: str, *, ending: str = "unknown", arm: str | None = None, reply: str = "Here is one."
) -> Conversation:
    said = (("user", first), ("assistant", reply), ("user", "ok"))
    messages = tuple(Message.model_validate({"role": role, "content": content}) for role, content in said)
    return Conversation.model_validate({"id": name, "arm": arm, "ending": ending, "messages": messages})


def crowd(
    prefix: str, n: int = 120, *, seed: int = 0, leak: float = 0.0, of_arm: bool = False
) -> list[Conversation]:
    """Users of two arms, half of whom accept; ``leak`` of those who do (or of one arm) say the word that tells."""
    rng = np.random.default_rng([seed, ord(prefix)])
    made = []
    for i in range(n):
        accepts, good = bool(rng.random() < 0.5), i % 2 == 0
        tells = (good if of_arm else accepts) and rng.random() < leak
        first = " ".join([*rng.choice(WORDS, 4), *(["surely"] if tells else [])])
        reply = "Here is one. " * int(rng.integers(1, 5))
        ending, arm = ("accepted" if accepts else "left"), ("good" if good else "bad")
        made.append(talk(f"{prefix}{i}", first, ending=ending, arm=arm, reply=reply))
    return made


def judged(real: list[Conversation], simulated: list[Conversation]):
    found = Leakage(n_resamples=239).validate(measure(real), measure(simulated), seed=1)
    return {finding.metric: finding for finding in found}


def test_who_says_at_once_that_they_will_buy_is_found_with_the_word_that_tells():
    found = judged(crowd("r"), crowd("s", leak=0.5))
    outcome = found["outcome_from_first_message"]
    assert outcome.verdict == "different"
    assert outcome.estimate > 0.1
    assert "“surely”" in outcome.details["giveaway"]
    assert "100% are “accepted”" in outcome.details["giveaway"]
    assert {example["conversation"][0] for example in outcome.details["examples"]} == {"s"}
    assert found["arm_from_first_message"].verdict != "different"


def test_who_knows_the_arm_at_once_is_found():
    found = judged(crowd("r", 160), crowd("s", 160, leak=0.6, of_arm=True))
    assert found["arm_from_first_message"].verdict == "different"
    assert found["outcome_from_first_message"].verdict != "different"


def test_people_who_tell_more_than_the_simulator_are_no_leak_of_the_simulator():
    found = judged(crowd("r", leak=0.5), crowd("s"))
    assert found["outcome_from_first_message"].verdict != "different"


def test_large_sides_whose_first_messages_tell_nothing_are_alike():
    found = judged(crowd("r", 600, seed=2), crowd("s", 600, seed=2))
    assert found["outcome_from_first_message"].verdict == "aligned"
    assert found["arm_from_first_message"].verdict == "aligned"


def test_what_the_agent_does_is_shown_and_judges_nobody():
    controls = judged(crowd("r"), crowd("s"))["outcome_from_controls"]
    assert controls.is_control
    assert controls.verdict == "undecided"
    assert controls.p_adjusted is None
    assert 0 < controls.details["auc_simulated"] < 1


def without(conversations: list[Conversation], **fields: object) -> list[Conversation]:
    return [c.model_copy(update=fields) for c in conversations]


def silent(conversations: list[Conversation]) -> list[Conversation]:
    return [
        c.model_copy(update={"messages": tuple(m for m in c.messages if m.role != "user")})
        for c in conversations
    ]


@pytest.mark.parametrize(
    ("real", "simulated", "says"),
    [
        ([], crowd("s"), "no conversations"),
        (without(crowd("r"), ending="unknown"), crowd("s"), "not recorded in the real conversations"),
        (crowd("r"), without(crowd("s"), ending="accepted"), "1 of 2 outcomes"),
        (crowd("r", 12), crowd("s", 12), "of 2 outcomes have 10"),
        (crowd("r"), silent(crowd("s")), "not recorded in the simulated conversations"),
    ],
)
def test_what_cannot_be_told_is_undecided_and_says_why(real, simulated, says):
    outcome = judged(real, simulated)["outcome_from_first_message"]
    assert outcome.verdict == "undecided"
    assert says in outcome.reason
    assert outcome.estimate is None


@pytest.mark.parametrize("settings", [{"margin": -0.1}, {"margin": 0.7}, {"n_resamples": 1}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(InputError):
        Leakage(**settings)
