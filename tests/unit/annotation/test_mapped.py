import pytest

from convsim.annotation import ActMap, with_mapped_acts
from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Label, Message

MAP = ActMap.model_validate(
    {
        "label": "intent",
        "acts": {"tell": "inform_preference", "bye": ["thank", "close"]},
        "ignored": ["um"],
        "merged": {"refine": "inform_preference"},
        "unseen": ["compare"],
    }
)


def message(**labels: Label | tuple[Label, ...]) -> Message:
    return Message.model_validate({"role": "user", "content": "hi", "labels": labels})


def acts(mapped: Message) -> dict[str, object]:
    return {label.source: label.value for label in mapped.labels.get("acts", ())}


def test_labels_of_another_scheme_become_acts_of_the_same_source():
    told = [
        message(intent=Label(value="bye", source="third_party")),
        message(intent=Label(value="um", source="third_party")),
    ]
    [mapped] = with_mapped_acts([Conversation(id="c", messages=tuple(told))], MAP, source="third_party")
    assert [acts(m) for m in mapped.messages] == [{"third_party": ["close", "thank"]}, {}]
    assert mapped.messages[0].labels["intent"][0].value == "bye"


def test_an_annotators_acts_are_merged_where_the_scheme_does_not_tell_them_apart():
    told = message(
        intent=Label(value="tell", source="third_party"),
        acts=Label(value=["compare", "refine", "thank"], source="rules:1"),
    )
    [mapped] = with_mapped_acts([Conversation(id="c", messages=(told,))], MAP, source="third_party")
    assert acts(mapped.messages[0]) == {
        "rules:1": ["inform_preference", "thank"], "third_party": ["inform_preference"]
    }  # fmt: skip


def test_a_value_that_the_map_does_not_know_is_an_error():
    told = message(intent=Label(value="sing", source="third_party"))
    with pytest.raises(InputError, match="the map has no 'sing'"):
        with_mapped_acts([Conversation(id="c", messages=(told,))], MAP, source="third_party")
