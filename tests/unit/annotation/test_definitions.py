"""What the definitions hold, and that the rules agree with their own examples."""

from __future__ import annotations

from collections.abc import Mapping

from convsim.annotation import Rules, definitions
from convsim.schema.conversation import Conversation, Label, Message

ACTS = [
    "inform_preference",
    "refine",
    "ask_item",
    "ask_clarification",
    "accept_recommendation",
    "reject_recommendation",
    "compare",
    "feedback_positive",
    "feedback_negative",
    "repeat_request",
    "chit_chat",
    "thank",
    "close",
    "other",
]
OFFERED = ("I need warm boots", "How about these boots at $90?")


def test_the_acts_and_experiences_are_those_that_labels_may_name():
    assert list(definitions().act_names) == ACTS
    assert list(definitions().experience_names) == [
        "satisfaction",
        "frustration",
        "confusion",
        "purchase_intent",
    ]


def test_every_act_has_a_definition_and_two_examples():
    for act in definitions().acts:
        assert act.definition.endswith(".")
        assert len(set(act.examples)) == 2


def test_every_experience_is_asked_on_a_scale_of_0_and_1_with_examples_of_both():
    for experience in definitions().experience:
        assert experience.question.endswith("?")
        assert experience.scale == (0, 1)
        assert not set(experience.yes) & set(experience.no)


def test_the_rules_find_every_act_in_its_own_examples():
    for act in definitions().acts:
        before = () if act.name in ("inform_preference", "chit_chat") else OFFERED
        for example in act.examples:
            assert act.name in labels_of(*before, example)["acts"].value, example


def test_the_rules_find_every_experience_in_its_own_examples_and_not_in_the_others():
    for experience in definitions().experience:
        for value, examples in ((1, experience.yes), (0, experience.no)):
            for example in examples:
                assert labels_of(*OFFERED, example)[experience.name].value == value, example


def labels_of(*texts: str) -> Mapping[str, Label]:
    """What the rules say of the last of ``texts``; user and agent take turns, the user first."""
    said = [Message(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(texts)]
    return Rules().label(Conversation(id="c", messages=tuple(said))).messages[len(texts) - 1]
