"""The rules annotator: its contract, its version, context, the end of a conversation, and hostile text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from convsim.annotation import Rules, definitions
from convsim.annotation.rules import language
from convsim.schema import Annotation, Annotator
from convsim.schema.conversation import Conversation, Item, Message
from tests.hanging import ended_if_it_hangs

FOLDER = Path(language.__file__).parent
HASHES = {1: "6729217705037a5b"}
"""Of the data of each version. A change of the data needs a new version, and its hash here."""


def talk(*texts: str, ending: str = "unknown", **last: object) -> Conversation:
    """A conversation in which user and agent take turns, the user first; ``last`` adds to the last message."""
    messages: list[dict[str, object]] = [
        {"role": "assistant" if number % 2 else "user", "content": text} for number, text in enumerate(texts)
    ]
    messages[-1].update(last)
    return Conversation.model_validate({"id": "c", "messages": messages, "ending": ending})


def acts(conversation: Conversation) -> list[object]:
    return [labels["acts"].value for labels in Rules().label(conversation).messages.values()]


def at_the_end(conversation: Conversation) -> list[str]:
    labels = Rules().label(conversation).conversation
    return [name for name in definitions().experience_names if labels[name].value]


def test_the_data_of_a_version_do_not_change():
    paths = sorted([*FOLDER.glob("*.toml"), *FOLDER.glob("lexicon/*.toml")], key=lambda path: path.name)
    read = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
    version = language.language().rules.version
    assert HASHES.get(version) == read, f"raise the version of rules.toml, and note the hash {read} here"


async def test_it_is_an_annotator_and_labels_every_user_message_and_the_whole():
    rules = Rules()
    assert isinstance(rules, Annotator)
    assert (rules.name, rules.source) == ("rules", "rules:1")
    annotation = await rules.annotate(talk("hi", "How about this?", "no thanks"))
    assert isinstance(annotation, Annotation)
    assert list(annotation.messages) == [0, 2]
    names = {"acts", *definitions().experience_names}
    for labels in annotation.messages.values():
        assert labels.keys() == names
        assert {label.source for label in labels.values()} == {"rules:1"}
        assert labels["acts"].scale is None
        assert labels["satisfaction"].scale == (0, 1)
    assert annotation.conversation.keys() == names - {"acts"}


def test_many_are_labelled_as_each_alone():
    several = [talk("hi", "Hello, what size?", "nine"), talk("boots", "Here are boots.", "thx, bye")]
    assert Rules().annotate_many(several) == [Rules().label(one) for one in several]


def test_a_message_is_labelled_by_what_comes_before_it_alone():
    texts = (
        "boots please",
        "How about these at $40?",
        "too wide",
        "Would you like these?",
        "yes",
        "Great.",
        "bye",
    )
    whole = Rules().label(talk(*texts))
    for index in whole.messages:
        part = Rules().label(talk(*texts[: index + 1]))
        assert part.messages[index] == whole.messages[index]


def test_what_the_record_says_of_the_end_is_not_read_since_peoples_logs_seldom_say():
    for last in ({"action": "accept"}, {"accepted": ("b1",)}, {"action": "leave"}):
        assert acts(talk("boots", "These?", "hm", **last)) == acts(talk("boots", "These?", "hm"))
    assert at_the_end(talk("boots", "These?", "hm", ending="accepted")) == at_the_end(
        talk("boots", "These?", "hm")
    )


def test_shown_items_are_an_offer_even_without_words():
    shown = Message(role="assistant", content="", items=(Item(id="b1", title="Boot"),))
    wish, answer = Message(role="user", content="boots"), Message(role="user", content="cheaper")
    assert acts(Conversation(id="c", messages=(wish, shown, answer)))[1] == ["refine"]


def test_the_same_yes_means_what_the_agent_asked():
    questions = {
        "Would you like to buy it?": ["accept_recommendation"],
        "Do you like it?": ["feedback_positive"],
        "Have you seen Night Train?": ["reject_recommendation"],
        "Should it be waterproof?": ["inform_preference"],
    }
    assert {asked: acts(talk("a coat", asked, "yes"))[1] for asked in questions} == questions


def test_a_wish_is_repeated_only_after_the_agent_answered():
    wish = Message(role="user", content="I want tall green boots")
    answer = Message(role="assistant", content="Here is a hat.")
    assert "repeat_request" in acts(Conversation(id="c", messages=(wish, answer, wish)))[1]
    assert "repeat_request" not in acts(Conversation(id="c", messages=(wish, wish)))[1]


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (("boots", "These?", "perfect, thanks!"), ["satisfaction"]),
        (("boots", "Hats.", "this is useless", "Boots!", "perfect, thanks"), ["satisfaction"]),
        (("boots", "Boots!", "nice", "Hats.", "this is useless"), ["frustration"]),
        (("boots", "Hats.", "what do you mean?"), ["confusion"]),
        (("boots", "Hats.", "what do you mean?", "A.", "ok", "B.", "ok"), []),
        (("boots", "These?", "i'll take them"), ["satisfaction", "purchase_intent"]),
        (("boots", "These?", "i'll take them", "And socks?", "no thanks"), ["satisfaction"]),
        (("boots", "These?", "hm"), []),
    ],
)
def test_by_its_end_a_conversation_shows_what_its_last_messages_show(texts, shown):
    assert at_the_end(talk(*texts)) == shown


def test_every_rule_gives_its_label_where_all_that_it_names_and_nothing_else_holds():
    rules = language.language().rules
    for rule in (*rules.acts, *rules.experience):
        facts = set(rule.all) | set(sorted(rule.any)[:1])
        assert facts, rule.why
        assert rule.holds(facts), rule.why
        assert not rule.none & facts, rule.why
        for hindrance in rule.none:
            assert not rule.holds(facts | {hindrance}), rule.why


def test_a_rule_that_names_what_does_not_exist_is_noticed(monkeypatch, tmp_path):
    for path in [*FOLDER.glob("*.toml"), *FOLDER.glob("lexicon/*.toml")]:
        copy = tmp_path / path.relative_to(FOLDER)
        copy.parent.mkdir(exist_ok=True)
        text = path.read_text(encoding="utf-8").replace('any = ["thanks"]', 'any = ["thanx"]')
        copy.write_text(text, encoding="utf-8")
    monkeypatch.setattr(language, "HERE", tmp_path)
    with pytest.raises(ValueError, match="the rule for thank names what 'thanx' does not exist"):
        language.language.__wrapped__()


@pytest.mark.parametrize(
    "text",
    ["", " \n", "\x00\x1b\x07", "привет, мне нужны ботинки", "日本語はどうですか。", "\u202e\u200d", "🧦"],
)
def test_what_cannot_be_read_is_other_and_shows_nothing(text):
    annotation = Rules().label(talk("boots", "How about these?", text))
    assert annotation.messages[2]["acts"].value == ["other"]
    assert not any(annotation.messages[2][name].value for name in definitions().experience_names)


@pytest.mark.parametrize(
    "text", ["too big ", "what, ", ",", ".", "a", "1,", "😡", "http", "\u200d\u0301", "((", "i ", "\n"]
)
def test_of_a_message_of_a_megabyte_the_first_4000_characters_are_read(text):
    huge, late = text * (1_000_000 // len(text)), ". thank you, I am so frustrated!!! bye"
    with ended_if_it_hangs():
        read = Rules().label(talk(huge, huge, huge + late))
    first = (text * 4_000)[:4_000]
    assert read == Rules().label(talk(first, first, first))
    assert acts(talk(first[:3_900] + late)) != acts(talk(first))


def test_a_conversation_of_one_side_or_none_is_labelled_as_far_as_it_goes():
    assert Rules().label(Conversation(id="c", messages=())).messages == {}
    agents = Conversation(id="c", messages=(Message(role="assistant", content="Hello?"),))
    assert Rules().label(agents).messages == {}
    assert not any(label.value for label in Rules().label(agents).conversation.values())


def test_equal_labels_of_different_conversations_are_made_once():
    first = Rules().label(talk("hi")).messages[0]["acts"]
    assert Rules().label(talk("hello")).messages[0]["acts"] is first
