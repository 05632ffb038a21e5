import json
from dataclasses import dataclass, field

import pytest

from convsim.annotation import aannotate, annotate
from convsim.errors import InputError, ModelError
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation, Label, Message, Usage


@dataclass
class Shouting:
    """Says of each user message whether it shouts; cannot do those that say "broken"."""

    source: str = "shouting:1"
    name: str = "shouting"
    asked: list[str] = field(default_factory=list)
    label_as: str | None = None

    async def annotate(self, conversation: Conversation) -> Annotation:
        self.asked.append(conversation.id)
        if any("broken" in m.content for m in conversation.user_messages):
            raise ModelError("the model answered with prose")
        messages = {
            place: {"shouts": self._label(message.content.isupper())}
            for place, message in enumerate(conversation.messages)
            if message.role == "user"
        }
        return Annotation(messages=messages, conversation={"shouts": self._label(True)})

    def _label(self, value: bool) -> Label:
        return Label(value=int(value), source=self.label_as or self.source, scale=(0, 1))


class Many(Shouting):
    def annotate_many(self, conversations: list[Conversation]) -> list[Annotation]:
        if any("broken" in m.content for c in conversations for m in c.messages):
            raise ModelError("one of them is broken")
        self.asked += [f"many {c.id}" for c in conversations]
        return [Annotation(conversation={"shouts": self._label(True)}) for _ in conversations]


def said(name: str, *texts: str, **more: object) -> Conversation:
    messages = [
        Message(role="user" if number % 2 == 0 else "assistant", content=text)
        for number, text in enumerate(texts)
    ]
    return Conversation.model_validate({"id": name, "messages": messages, **more})


def test_labels_stand_beside_those_of_others_and_the_text_is_as_it_was():
    before = said("a", "BOOTS", "which?", "red").but(labels={"shouts": {"value": 0, "source": "self"}})
    done = annotate([before], Shouting())
    [after] = done.conversations
    assert [m.content for m in after.messages] == ["BOOTS", "which?", "red"]
    assert [(label.value, label.source) for label in after.labels["shouts"]] == [
        (0, "self"),
        (1, "shouting:1"),
    ]
    assert [m.labels["shouts"][0].value for m in after.user_messages] == [1, 0]
    assert not after.messages[1].labels
    assert Conversation.model_validate_json(after.to_json()) == after
    assert (done.n_labelled, done.n_already, done.n_failed) == (1, 0, 0)


def test_what_cannot_be_labelled_stays_as_it_was_and_its_reason_is_counted():
    told = [said("a", "hi"), said("b", "broken"), said("c", "hello"), said("d", "broken too")]
    done = annotate(told, Shouting())
    assert [bool(c.labels) for c in done.conversations] == [True, False, True, False]
    assert done.reasons == {"the model answered with prose": 2}
    assert (done.n_labelled, done.n_failed) == (2, 2)


def test_one_that_spoils_a_batch_costs_only_itself():
    done = annotate([said("a", "hi"), said("b", "broken"), said("c", "ho")], Many())
    assert [bool(c.labels) for c in done.conversations] == [True, False, True]


def test_the_same_content_is_asked_for_once_whatever_it_is_called():
    annotator = Shouting()
    done = annotate([said("a", "hi"), said("b", "hi"), said("c", "hi", ending="left")], annotator)
    assert len(annotator.asked) == 2
    assert all(c.labels for c in done.conversations)


def test_labels_of_the_same_annotator_are_not_given_twice():
    once = annotate([said("a", "hi")], Shouting()).conversations
    annotator = Shouting()
    again = annotate(once, annotator)
    assert (annotator.asked, again.n_already) == ([], 1)
    assert again.conversations == list(once)


def test_an_interrupted_run_goes_on_and_a_half_line_is_done_again(tmp_path):
    told = [said(name, f"text {name}") for name in "abcde"]
    keep = tmp_path / "kept.jsonl"
    annotate(told[:3], Shouting(), keep=keep)
    keep.write_bytes(keep.read_bytes()[:-10])
    annotator = Shouting()
    done = annotate(told, annotator, keep=keep)
    assert sorted(annotator.asked) == ["c", "d", "e"]
    assert done.n_labelled == 5
    assert [len(json.loads(line)) for line in keep.read_text().splitlines()] == [2] * 5


def test_a_file_that_keeps_something_else_is_refused(tmp_path):
    keep = tmp_path / "kept.jsonl"
    keep.write_text('{"my": "thesis"}\n')
    with pytest.raises(InputError, match=r"kept\.jsonl:1: is not an annotation"):
        annotate([said("a", "hi")], Shouting(), keep=keep)
    assert keep.read_text() == '{"my": "thesis"}\n'


def test_an_annotator_cannot_sign_with_another_name():
    done = annotate([said("a", "hi")], Shouting(label_as="self"))
    assert done.n_failed == 1
    assert "with the source 'self'" in next(iter(done.reasons))
    assert not done.conversations[0].labels


def test_an_annotator_that_raises_anything_is_a_reason():
    class Odd(Shouting):
        async def annotate(self, conversation: Conversation) -> Annotation:
            raise KeyError("x\ny")

    done = annotate([said("a", "hi")], Odd())
    assert list(done.reasons) == ["shouting raised KeyError: 'x\\ny'"]


@pytest.mark.parametrize("answer", [ValueError("no"), []], ids=["raises", "answers too few"])
def test_whatever_a_batch_does_each_conversation_is_still_asked_by_itself(answer):
    class Odd(Shouting):
        def annotate_many(self, conversations: list[Conversation]) -> list[Annotation]:
            if isinstance(answer, Exception):
                raise answer
            return []

    seen: list[int] = []
    done = annotate([said("a", "hi"), said("b", "broken"), said("c", "ho")], Odd(), on_change=seen.append)
    assert [bool(c.labels) for c in done.conversations] == [True, False, True]
    assert seen == [1, 2, 3]


def test_what_was_spent_is_added_up_and_an_unknown_price_stays_unknown():
    class Priced(Shouting):
        async def annotate(self, conversation: Conversation) -> Annotation:
            cost = None if conversation.id == "b" else 0.25
            usage = Usage(input_tokens=10, output_tokens=2, cost_usd=cost)
            return (await super().annotate(conversation)).but(usage=usage)

    assert annotate([said("a", "hi"), said("c", "ho")], Priced()).usage.cost_usd == 0.5
    unknown = annotate([said("a", "hi"), said("b", "hey")], Priced()).usage
    assert (unknown.input_tokens, unknown.cost_usd) == (20, None)


async def test_inside_a_running_loop_annotate_says_what_to_await():
    with pytest.raises(InputError, match=r"annotate cannot be called .* write await aannotate\("):
        annotate([said("a", "BOOTS")], Shouting())
    done = await aannotate([said("a", "BOOTS")], Shouting())
    assert done.n_labelled == 1
