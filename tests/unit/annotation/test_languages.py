"""Annotators that read some languages alone refuse conversations in others, before they label any."""

import pytest

from convsim.annotation import annotate
from convsim.annotation.rules import Rules
from convsim.errors import InputError
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation, Message

GERMAN = "haben Sie warme Winterstiefel in Größe 42? die hier sind mir leider zu teuer"
ENGLISH = "do you have warm winter boots in size 42? these are too expensive for me"


def chats(*texts: str) -> list[Conversation]:
    return [
        Conversation(id=f"c{n}", messages=(Message(role="user", content=t),)) for n, t in enumerate(texts)
    ]


def test_rules_refuse_what_is_not_english_in_one_line_and_say_what_to_do() -> None:
    with pytest.raises(InputError) as refused:
        annotate(chats(*[GERMAN] * 9), Rules())
    said = str(refused.value)
    assert said.startswith("rules reads English alone, and of these 9 conversations the language is German;")
    assert "judge" in said
    assert "--set rules.any_language=true" in said
    assert "\n" not in said


def test_rules_refuse_several_languages_in_one_file() -> None:
    with pytest.raises(InputError, match="mixed: German 52%, English 48%"):
        annotate(chats(*[GERMAN, ENGLISH] * 5), Rules())


@pytest.mark.parametrize("texts", [[ENGLISH] * 5, ["ok"], ["👍", ""], []])
def test_rules_label_english_and_what_is_too_short_to_tell(texts: list[str]) -> None:
    assert annotate(chats(*texts), Rules()).n_labelled == len(texts)


def test_rules_label_any_language_when_told_to() -> None:
    assert annotate(chats(*[GERMAN] * 5), Rules(any_language=True)).n_labelled == 5


def test_an_annotator_of_yours_says_which_languages_it_reads() -> None:
    class German:
        name = "german"
        source = "german:1"
        languages = ("de",)

        async def annotate(self, conversation: Conversation) -> Annotation:
            return Annotation()

    assert annotate(chats(*[GERMAN] * 5), German()).n_labelled == 5
    with pytest.raises(InputError, match="german reads German alone"):
        annotate(chats(*[ENGLISH] * 5), German())
