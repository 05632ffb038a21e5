"""Kaplan-Meier curves against SciPy's, hazards against counts by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Message
from convsim.stats.survival import survival
from convsim_validators.counterfactual.survival import hazard_findings
from convsim_validators.counterfactual.two_arm import Arms

ENDINGS = np.array(["left", "accepted", "turn_limit", "agent_ended"])


def conversation(name: str, arm: str, n_replies: int, ending: str) -> Conversation:
    said = (Message(role="user", content="a"), Message(role="assistant", content="b"))
    return Conversation.model_validate(
        {"id": name, "arm": arm, "messages": said * n_replies, "ending": ending}
    )


def side(conversations) -> Corpus:
    return Corpus(conversations, pd.DataFrame(index=range(len(conversations))), {})


def drawn(seed: int, n: int) -> list[Conversation]:
    rng = np.random.default_rng(seed)
    return [
        conversation(
            f"{seed}-{i}",
            ("good", "bad")[i % 2],
            int(rng.geometric(0.3)),
            str(rng.choice(ENDINGS, p=[0.5, 0.3, 0.1, 0.1])),
        )
        for i in range(n)
    ]


def finding(real, simulated):
    return hazard_findings(side(real), side(simulated), arms=Arms("good", "bad"), n_resamples=99, seed=1)[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_curves_are_scipys(seed):
    people, simulated = drawn(seed, 81), drawn(seed + 100, 60)
    found = finding(people, simulated)
    for name, conversations in (("real", people), ("simulated", simulated)):
        for key, arm in (("control", "good"), ("treatment", "bad")):
            # After a limit or the agent's own end nobody was asked: last seen at risk a reply earlier.
            rows = [
                (sum(m.role == "assistant" for m in c.messages), c.ending)
                for c in conversations
                if c.arm == arm
            ]
            times = [n if ending in ("left", "accepted") else n - 1 for n, ending in rows]
            known = [(time, ending != "left") for time, (_, ending) in zip(times, rows, strict=True) if time]
            data = stats.CensoredData.right_censored(*zip(*known, strict=True))
            expected = stats.ecdf(data).sf
            curve = found.details["curves"][name][key]
            turns = [point["turn"] for point in curve]
            assert turns == list(range(1, max(times) + 1))
            assert [point["survival"] for point in curve] == pytest.approx(expected.evaluate(turns))


def test_the_curve_by_hand():
    # Of 4 one leaves after the first reply, one is censored then; of the 2 left one leaves after the second.
    assert survival(np.array([4.0, 2, 1, 0]), np.array([1.0, 1, 0, 0])) == pytest.approx(
        [3 / 4, 3 / 8, 3 / 8, 3 / 8]
    )


def test_hazards_and_shifts_are_those_by_hand():
    people = [conversation(f"g{i}", "good", 3, "left" if i < 2 else "accepted") for i in range(10)]
    people += [conversation(f"b{i}", "bad", 2, "left" if i < 5 else "turn_limit") for i in range(10)]
    simulated = [conversation(f"sg{i}", "good", 1, "left" if i < 1 else "accepted") for i in range(10)]
    simulated += [conversation(f"sb{i}", "bad", 4, "agent_ended" if i < 5 else "left") for i in range(10)]
    found = finding(people, simulated)
    # People: 2 of 10 * 3 replies; 5 of 5 * 2 + 5 * 1, for after the limit's last reply nobody was asked.
    assert found.details["human_hazards"] == {
        "control": pytest.approx(2 / 30),
        "treatment": pytest.approx(5 / 15),
    }
    # Simulated: 1 of 10; 5 of 5 * 3 + 5 * 4.
    assert found.details["simulated_hazards"] == {"control": 0.1, "treatment": pytest.approx(5 / 35)}
    human, shift = 5 / 15 - 2 / 30, 5 / 35 - 0.1
    assert found.details["human_shift"]["estimate"] == pytest.approx(human)
    assert found.details["simulated_shift"]["estimate"] == pytest.approx(shift)
    assert found.estimate == pytest.approx(shift - human)
    within = np.sqrt((30 * 2 / 30 * 28 / 30 + 15 * 5 / 15 * 10 / 15) / (45 - 2))
    assert found.details["human_sd"] == pytest.approx(within)
    assert found.details["margin"] == pytest.approx(0.2 * within)
