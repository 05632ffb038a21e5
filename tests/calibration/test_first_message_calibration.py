"""First-message independence under the null, with users in both arms, and under known dependence."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Message
from convsim_validators.counterfactual.first_message import independence_findings
from convsim_validators.counterfactual.two_arm import Arms

N_SEEDS = 200
VOCABULARY = np.array([f"w{i}" for i in range(300)])
WEIGHTS = 1 / np.arange(2, 302)
TOPIC = slice(10, 40)
NOTHING = Corpus([], pd.DataFrame(), {})


def text(
    rng: np.random.Generator, wordiness: float, *, longer: float = 0.0, word: float = 0.0, topic: float = 1.0
):
    """Draw words by Zipf's law; lengths are log-normal with an sd of .5, most of it the user's own."""
    weights = WEIGHTS.copy()
    weights[TOPIC] *= topic
    length = int(np.exp(rng.normal(2.5 + 0.45 * wordiness + 0.5 * longer, 0.2))) + 1
    drawn = rng.choice(VOCABULARY, size=length, p=weights / weights.sum())
    return " ".join([*drawn, "please"] if rng.random() < 0.2 + word else drawn)


def p_value(seed: int, n_users: int, *, design: str, user_known: bool = True, **shift: float) -> float:
    """Let ``n_users`` users an arm (or ``n_users`` in both) open conversations, and test."""
    rng = np.random.default_rng([seed, n_users])
    conversations = []
    for user, own in enumerate(rng.permutation(["good", "bad"] * n_users).tolist()):
        other = "bad" if own == "good" else "good"
        arms = {
            "one": [own],
            "repeats": [own] * 3,
            "both": [own, other],
            "mixed": [own, other, own][: 1 + user % 3],
        }
        wordiness, task = rng.normal(), ("shoes", "coats")[user % 3 == 0]
        for i, arm in enumerate(arms[design]):
            said = text(rng, wordiness, **(shift if arm == "bad" else {}))
            messages = (Message(role="user", content=said),)
            conversations.append(
                Conversation(
                    id=f"{user}-{i}",
                    user=f"u{user}" if user_known else None,
                    arm=arm,
                    task=task,
                    messages=messages,
                )
            )
    side = Corpus(conversations, pd.DataFrame(index=range(len(conversations))), {})
    findings = independence_findings(side, NOTHING, arms=Arms("good", "bad"), n_resamples=99, seed=seed)
    found = findings[0].p_value
    assert found is not None
    return found


def share_rejected(n_users: int, *, n_seeds: int, **known: Any) -> float:
    return float(np.mean([p_value(s, n_users, **known) <= 0.05 for s in range(n_seeds)]))


@pytest.mark.parametrize("design", ["one", "repeats", "both", "mixed"])
def test_under_the_null_it_rejects_at_alpha(design):
    rejected = N_SEEDS * share_rejected(20, n_seeds=N_SEEDS, design=design)
    assert binom.ppf(0.001, N_SEEDS, 0.05) <= rejected <= binom.ppf(0.999, N_SEEDS, 0.05)


@pytest.mark.parametrize(
    ("shift", "power"), [({"longer": 0.5}, 0.7), ({"word": 0.4}, 0.85), ({"topic": 2.0}, 0.85)]
)
def test_a_known_dependence_is_found(shift, power):
    assert share_rejected(100, n_seeds=60, design="one", **shift) >= power


def test_permuting_conversations_as_if_each_were_a_user_would_reject_far_too_often():
    rejected = share_rejected(20, n_seeds=N_SEEDS, design="repeats", user_known=False)
    assert rejected > binom.ppf(0.999, N_SEEDS, 0.05) / N_SEEDS


def inherited(seed: int, *, share: float, ahead: float = 0.0, n_users: int = 60) -> bool:
    """Let people and a simulator be given one of two needs, by the arm; does the simulator seem to look ahead?"""
    rng = np.random.default_rng([seed, int(100 * share)])
    sides = []
    for side in ("people", "simulator"):
        conversations = []
        for user, arm in enumerate(rng.permutation(["good", "bad"] * n_users).tolist()):
            need = "boots" if (rng.random() < share) == (arm == "bad") else "sandals"
            word = ahead if arm == "bad" and side == "simulator" else 0.0
            messages = (Message(role="user", content=f"{need} {text(rng, rng.normal(), word=word)}"),)
            name = f"{side}-{user}"
            conversations.append(Conversation(id=name, user=name, arm=arm, messages=messages))
        sides.append(Corpus(conversations, pd.DataFrame(index=range(len(conversations))), {}))
    found = independence_findings(*sides, arms=Arms("good", "bad"), n_resamples=99, seed=seed)[1]
    return found.verdict == "different"


@pytest.mark.parametrize("share", [0.6, 0.7, 0.8])
def test_a_simulator_given_needs_by_the_arm_as_people_were_seems_to_look_ahead_in_few_runs(share):
    # Not exact: where people's needs do not show, the simulator's may. By its own test alone it is 41 % to all of them.
    assert np.mean([inherited(seed, share=share) for seed in range(N_SEEDS)]) <= 0.1


def test_looking_ahead_is_found_beside_people_who_were_given_needs_by_the_arm():
    assert np.mean([inherited(seed, share=0.7, ahead=0.7) for seed in range(60)]) >= 0.7
