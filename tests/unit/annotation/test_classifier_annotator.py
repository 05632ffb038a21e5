"""A classifier that was read from its file labels what users said, from what came before alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim.annotation.classifier import Classifier, save, train
from convsim.annotation.classifier.features import message_units
from convsim.schema import Annotator
from convsim.schema.conversation import Conversation, Message
from tests.unit.annotation.labelled import acted, of_both


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classifier") / "acts.npz"
    save(train(of_both(30), source="third_party", seed=3), path)
    return path


def test_a_loaded_classifier_labels_every_user_message_and_the_conversation(written: Path):
    classifier = Classifier(written)
    assert isinstance(classifier, Annotator)
    assert classifier.source == f"classifier:{classifier.card.version}"
    conversations = acted(5, seed=8)
    annotations = classifier.annotate_many(conversations)
    for conversation, annotation in zip(conversations, annotations, strict=True):
        users = [i for i, message in enumerate(conversation.messages) if message.role == "user"]
        assert sorted(annotation.messages) == users
        assert {label["acts"].source for label in annotation.messages.values()} == {classifier.source}
        assert annotation.conversation["satisfaction"].value in (0, 1)
        assert annotation.conversation["satisfaction"].scale == (0, 1)


async def test_one_by_one_gives_the_labels_of_all_at_once(written: Path):
    classifier = Classifier(written)
    conversations = acted(5, seed=8)
    assert [await classifier.annotate(one) for one in conversations] == classifier.annotate_many(
        conversations
    )


def test_a_message_is_labelled_from_what_came_before_it_alone(written: Path):
    classifier = Classifier(written)
    (conversation,) = acted(1, seed=8)
    (whole,) = classifier.annotate_many([conversation])
    for index in whole.messages:
        (cut,) = classifier.annotate_many([_until(conversation, index)])
        assert cut.messages[index] == whole.messages[index]
        assert (
            dict(message_units(conversation))[index]
            == list(message_units(_until(conversation, index)))[-1][1]
        )
    later = [
        Message(role="assistant", content="Goodbye?"),
        Message(role="user", content="thanks, how much is a belt?"),
    ]
    (longer,) = classifier.annotate_many([conversation.but(messages=(*conversation.messages, *later))])
    assert {index: longer.messages[index] for index in whole.messages} == dict(whole.messages)


@pytest.mark.parametrize(
    "texts", [[], [""], ["\ud83d"], ["👍 谢谢"], ["a" * 300_000], ["x\x00\x1b[31m\n" * 9]]
)
def test_any_text_is_labelled(written: Path, texts: list[str]):
    messages = tuple(Message(role="user", content=text) for text in texts)
    conversations = [Conversation(id="a", messages=messages), Conversation(id="b", messages=())]
    first, second = Classifier(written).annotate_many(conversations)
    assert len(first.messages) == len(texts)
    assert not second.messages
    assert not second.conversation
    assert Classifier(written).annotate_many([]) == []


def _until(conversation: Conversation, index: int) -> Conversation:
    return conversation.but(messages=conversation.messages[: index + 1])
