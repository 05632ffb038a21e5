"""A classifier learns what labels follow from, and its scores are those of people that it has not seen."""

from __future__ import annotations

from typing import Any

import pytest

from convsim.annotation.classifier import OUT_OF_FOLD, Trained, train
from convsim.annotation.mapping import ActMap
from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Failure, Label
from convsim.seeds import generator
from tests.unit.annotation.labelled import acted, message, rated


@pytest.fixture(scope="module")
def of_acts() -> Trained:
    return train(acted(40, seed=1), source="third_party", seed=3)


def test_acts_that_follow_from_words_are_learned_and_the_commonest_act_is_far_below(of_acts: Trained):
    (target,), (agreed,) = of_acts.card.targets, of_acts.card.agreement.entries
    assert (target.name, target.level, target.acts) == (
        "acts",
        "message",
        ("ask_item", "inform_preference", "thank"),
    )
    assert agreed.macro_f1.estimate > 0.9 > 0.4 > agreed.majority_macro_f1
    assert [one.name for one in agreed.classes] == ["ask_item", "inform_preference", "other", "thank"]
    for one in agreed.classes:
        if one.f1.estimate == 1:
            assert one.f1.reason == "no interval: the units are all alike, resampling shows no spread"
            continue
        low, high = one.f1.interval or (0, 0)
        assert 0 < low <= one.f1.estimate <= high <= 1
        assert one.always_f1 < low
    assert any(one.f1.estimate < 1 for one in agreed.classes)


def test_intervals_count_users_and_not_messages(of_acts: Trained):
    (agreed,) = of_acts.card.agreement.entries
    assert (agreed.n, agreed.n_conversations, agreed.n_units) == (160, 40, 20)


def test_copies_of_one_conversation_whose_user_is_unknown_are_one_unit():
    bare = [one.but(user=None) for one in acted(20, seed=1)]
    copies = [one.but(id=f"again {one.id}") for one in bare]
    (agreed,) = train([*bare, *copies], source="third_party", seed=3).card.agreement.entries
    assert (agreed.n, agreed.n_conversations, agreed.n_units) == (160, 40, 20)


def test_labels_out_of_fold_stand_wherever_the_truth_is_known(of_acts: Trained):
    assert len(of_acts.out_of_fold) == 40
    for annotation in of_acts.out_of_fold:
        assert sorted(annotation.messages) == [0, 2, 4, 6]
        assert {label["acts"].source for label in annotation.messages.values()} == {OUT_OF_FOLD}


def test_scores_are_those_of_the_labels_out_of_fold(of_acts: Trained):
    right = [
        annotation.messages[index]["acts"].value == conversation.messages[index].labels["acts"][0].value
        for conversation, annotation in zip(acted(40, seed=1), of_acts.out_of_fold, strict=True)
        for index in annotation.messages
    ]
    assert of_acts.card.agreement.entries[0].accuracy.estimate == pytest.approx(sum(right) / len(right))


def test_where_no_act_fits_the_label_is_other(of_acts: Trained):
    values = [label["acts"].value for one in of_acts.out_of_fold for label in one.messages.values()]
    assert ["other"] in values
    for value in values:
        assert isinstance(value, list)
        assert value
        assert value == sorted(map(str, value))
        assert value == ["other"] or "other" not in value


def test_the_same_data_and_seed_give_the_same_version_and_another_seed_or_label_another():
    conversations = acted(20, seed=1)
    first, again = (train(conversations, source="third_party", seed=3) for _ in range(2))
    assert first.card == again.card
    assert first.out_of_fold == again.out_of_fold
    assert len(first.card.version) == 12
    assert train(acted(20, seed=2), source="third_party", seed=3).card.version != first.card.version


def test_session_and_turn_satisfaction_are_learned_at_their_levels():
    trained = train(rated(60, seed=1), source="self", seed=0)
    levels = {entry.level: entry for entry in trained.card.agreement.entries}
    assert set(levels) == {"message", "conversation"}
    whole = levels["conversation"]
    assert whole.kendall_tau_b.interval[0] > 0.5
    assert whole.accuracy.estimate > whole.majority_accuracy + 0.2
    assert abs(sum(one.n_annotated - one.n_reference for one in whole.classes if one.name == "1")) <= 6
    assert {
        label["satisfaction"].scale for one in trained.out_of_fold for label in one.messages.values()
    } == {(0, 1)}


def test_an_order_of_five_values_is_learned_as_an_order():
    trained = train(
        rated(150, seed=2, values=(1, 2, 3, 4, 5), noise=0), source="self", seed=0, labels=["satisfaction"]
    )
    agreed = trained.card.agreement.for_label("satisfaction", "conversation")
    assert agreed.kendall_tau_b.estimate > 0.5
    said = {one.conversation["satisfaction"].value for one in trained.out_of_fold}
    assert said <= {1, 2, 3, 4, 5}
    assert len(said) > 3


def test_labels_that_follow_from_nothing_score_no_better_than_chance():
    draws = generator(5, "coins")
    conversations = [
        conversation.but(
            labels={"satisfaction": Label(value=int(draws.integers(2)), source="self", scale=(0, 1))}
        )
        for conversation in acted(150, seed=4)
    ]
    (agreed,) = train(conversations, source="self", seed=0).card.agreement.entries
    low, high = agreed.kendall_tau_b.interval or (0, 0)
    assert low < 0 < high


def test_a_user_who_can_be_recognised_is_in_no_two_folds():
    """Each user has words of its own and always the same label: folds that split users would score near 1."""
    draws = generator(6, "users")
    conversations = []
    for user in range(40):
        told = int(draws.integers(2))
        for number in range(4):
            said = message(f"zq{user}zq wants vx{user}vx")
            label = Label(value=told, source="self", scale=(0, 1))
            conversations.append(
                Conversation(
                    id=f"{user}-{number}",
                    user=f"u{user}",
                    messages=(said,),
                    labels={"satisfaction": (label,)},
                )
            )
    (agreed,) = train(conversations, source="self", seed=0).card.agreement.entries
    tau = agreed.kendall_tau_b.estimate
    assert tau is None or tau < 0.4


def test_failed_conversations_teach_nothing():
    conversations = acted(20, seed=1)
    failed = [one.but(id=f"f{one.id}", failure=Failure(reason="down")) for one in acted(5, seed=9)]
    trained = train([*failed, *conversations], source="third_party", seed=3)
    assert trained.card.version == train(conversations, source="third_party", seed=3).card.version
    assert trained.card.warnings == ("5 conversations failed and were skipped",)
    assert not trained.out_of_fold[0].messages
    assert trained.out_of_fold[5].messages


def test_acts_of_another_scheme_are_read_through_a_map():
    scheme = ActMap.model_validate({"label": "intents", "acts": {"q": "ask_item", "-": "other"}})
    conversations = [
        conversation.but(
            messages=tuple(
                one.but(
                    labels={"intents": Label(value="q" if "?" in one.content else "-", source="third_party")}
                )
                for one in conversation.messages
            )
        )
        for conversation in acted(20, seed=1)
    ]
    trained = train(conversations, source="third_party", seed=0, labels=["acts"], mapping=scheme)
    assert trained.card.targets[0].acts == ("ask_item",)
    assert trained.card.agreement.entries[0].accuracy.estimate > 0.95


def _with(n: int, **labels: Any) -> list[Conversation]:
    texts = [f"red boots {number} please" for number in range(n)]
    return [
        Conversation(id=f"c{number}", messages=(message(text, **labels),))
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("conversations", "asked", "said"),
    [
        (_with(30), None, "no label by 'third_party' is on any user message or conversation"),
        (
            _with(30, satisfaction=1),
            ["frustration"],
            "no label 'frustration' by 'third_party'.* labels by that source: satisfaction",
        ),
        (_with(19, satisfaction=1), None, "19 are labelled; learning needs at least 20"),
        (_with(30, satisfaction=1), None, "one class only: all 30 are 1"),
        (_with(30, acts=["thank"]), None, "one class only: all 30 are \\['thank'\\]"),
        (
            _with(30, acts=["thank", "praise"]),
            None,
            "c0: acts must be a list of known acts.*'praise'.*inform_preference",
        ),
        (_with(30, acts="thank"), None, "acts must be a list of known acts, but is thank"),
        (_with(30, acts=[]), None, "acts must be a list of known acts, but is \\[\\]"),
        (_with(30, acts={"thank": 2}), None, "acts must be a list of known acts"),
        (_with(30, mood="glad"), None, "'mood' of messages: the value glad is not a number"),
        (
            _with(30, mood="glad"),
            ["mood"],
            "'mood' of messages: only numbers can be learned, but one is glad",
        ),
    ],
)
def test_what_cannot_be_learned_from_is_refused_in_one_line(conversations, asked, said):
    with pytest.raises(InputError, match=said) as refused:
        train(conversations, source="third_party", seed=0, labels=asked)
    assert "\n" not in str(refused.value)


def test_a_label_of_one_class_is_skipped_with_a_warning_where_another_can_be_learned():
    conversations = [
        conversation.but(labels={"frustration": Label(value=0, source="third_party", scale=(0, 1))})
        for conversation in acted(20, seed=1)
    ]
    trained = train(conversations, source="third_party", seed=0)
    assert [target.name for target in trained.card.targets] == ["acts"]
    assert trained.card.warnings == ("'frustration' of conversations: one class only: all 20 are 0",)


def test_an_act_with_too_few_examples_is_named_and_never_predicted():
    conversations = [*acted(20, seed=1), *_with(2, acts=["compare"])]
    trained = train(conversations, source="third_party", seed=0)
    assert "compare" not in trained.card.targets[0].acts
    assert "'compare' is on 2 of 82 messages" in trained.card.warnings[0]


def test_labels_of_mixed_scales_are_refused_naming_both():
    conversations = rated(30, seed=1)
    five = Label(value=4, source="self", scale=(1, 5))
    conversations[3] = conversations[3].but(labels={"satisfaction": five})
    with pytest.raises(InputError, match=r"mixed scales: \[0.0, 1.0\] \(in r0\) and \[1.0, 5.0\] \(in r3\)"):
        train(conversations, source="self", seed=0)


def test_mixed_scales_of_a_label_that_is_not_learned_do_no_harm():
    conversations = acted(20, seed=1)
    for number, scale in enumerate([(0, 1), (1, 5)]):
        label = Label(value=1, source="third_party", scale=scale)
        conversations[number] = conversations[number].but(labels={"satisfaction": label})
    (target,) = train(conversations, source="third_party", seed=0, labels=["acts"]).card.targets
    assert target.name == "acts"


def test_labels_from_one_user_alone_are_refused():
    conversations = [conversation.but(user="only") for conversation in rated(30, seed=1)]
    with pytest.raises(InputError, match="all labels come from one user"):
        train(conversations, source="self", seed=0)


def test_two_users_make_two_folds():
    conversations = [one.but(user=f"u{number % 2}") for number, one in enumerate(rated(40, seed=1))]
    trained = train(conversations, source="self", seed=0)
    assert {entry.n_units for entry in trained.card.agreement.entries} == {2}
    assert (
        trained.card.agreement.entries[0].accuracy.reason
        == "no interval: 2 users, personas or conversations; at least 8 are needed"
    )


@pytest.mark.parametrize("folds", [1, 21, True])
def test_a_number_of_folds_out_of_range_is_refused(folds):
    with pytest.raises(InputError, match="folds must be a whole number from 2 to 20"):
        train(rated(30, seed=1), source="self", seed=0, folds=folds)
