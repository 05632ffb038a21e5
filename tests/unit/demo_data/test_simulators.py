"""The two stand-in simulators: what their files hold, and how far each is from the stand-in people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from statistics import mean
from typing import Any

import pytest

from convsim.schema.conversation import Conversation


def user_side(conversation: Conversation) -> str:
    return "\n".join(message.content for message in conversation.user_messages)


def people_side(archive: Any) -> list[str]:
    return ["\n".join(turn["user_utterance"] for turn in each["turns"]) for each in archive["conversations"]]


def held_out(people: Sequence[str], simulated: Sequence[str]) -> tuple[float, float]:
    """Return AUC and balanced accuracy of a word n-gram classifier on conversations it did not see."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    labels = [0] * len(people) + [1] * len(simulated)
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=4.0, class_weight="balanced", max_iter=1000),
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, [*people, *simulated], labels, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores)), float(balanced_accuracy_score(labels, scores > 0.5))


@pytest.mark.parametrize("name", ["close", "naive"])
def test_a_simulator_covers_the_tasks_and_arms_of_the_people(
    name: str, request: pytest.FixtureRequest
) -> None:
    conversations: list[Conversation] = request.getfixturevalue(name)
    counts = Counter((each.task, each.arm) for each in conversations)
    categories = ("footwear", "outerwear", "tops", "bottoms")
    assert counts == {
        (task, arm): 60 if arm == "good" else 15 for task in categories for arm in ("good", "bad")
    }
    assert len({each.id for each in conversations}) == 300


@pytest.mark.parametrize("name", ["close", "naive"])
def test_a_simulated_conversation_says_where_it_comes_from(name: str, request: pytest.FixtureRequest) -> None:
    for each in request.getfixturevalue(name):
        assert each.simulator == each.shopper == f"stand-in:{name}"
        assert each.source == "convsim-demo"
        assert each.ending in ("accepted", "left", "turn_limit")
        assert each.metadata == {}
        assert not each.labels
        assert not any(message.labels or message.metadata for message in each.messages)


@pytest.mark.parametrize("name", ["close", "naive"])
def test_an_ending_agrees_with_the_last_move(name: str, request: pytest.FixtureRequest) -> None:
    for each in request.getfixturevalue(name):
        last = each.user_messages[-1]
        assert (each.ending == "accepted") == (last.action == "accept") == bool(last.accepted)
        assert each.ending != "accepted" or last.accepted[0] in {item.id for item in each.messages[-3].items}
        assert last.action != "leave" or each.ending == "left"


@pytest.mark.parametrize("name", ["close", "naive"])
def test_every_shown_item_is_in_the_catalogue(
    name: str, request: pytest.FixtureRequest, demo_files: dict[str, str]
) -> None:
    prices = {row["id"]: row["price"] for row in map(json.loads, demo_files["catalogue.jsonl"].splitlines())}
    shown = [
        item for each in request.getfixturevalue(name) for message in each.messages for item in message.items
    ]
    assert len(shown) > 1000
    assert all(prices[item.id] == item.price for item in shown)


def test_the_naive_one_is_polite_and_long_and_always_buys_after_about_four_turns(
    naive: list[Conversation],
) -> None:
    texts = [message.content for each in naive for message in each.user_messages]
    assert all(text[0].isupper() and text[-1] in ".!?" for text in texts)
    assert mean(len(text.split()) for text in texts) > 15
    assert all(each.ending == "accepted" for each in naive)
    assert (
        mean("thank" in user_side(each).lower() or "appreciate" in user_side(each) for each in naive) > 0.95
    )
    assert {len(each.user_messages) for each in naive} <= {3, 4, 5}


def test_the_close_one_buys_less_often_from_the_bad_agent(close: list[Conversation]) -> None:
    bought = {
        arm: mean(each.ending == "accepted" for each in close if each.arm == arm) for arm in ("good", "bad")
    }
    assert bought["good"] - bought["bad"] > 0.05


def test_an_n_gram_classifier_tells_the_naive_one_easily(archive: Any, naive: list[Conversation]) -> None:
    auc, accuracy = held_out(people_side(archive), [user_side(each) for each in naive])
    assert auc > 0.95
    assert accuracy > 0.9


def test_an_n_gram_classifier_hardly_tells_the_close_one(archive: Any, close: list[Conversation]) -> None:
    auc, accuracy = held_out(people_side(archive), [user_side(each) for each in close])
    assert 0.4 < auc < 0.6
    assert accuracy < 0.6


def test_the_close_one_is_no_copy_of_the_people(archive: Any, close: list[Conversation]) -> None:
    people = set(people_side(archive))
    assert mean(user_side(each) in people for each in close) < 0.05
