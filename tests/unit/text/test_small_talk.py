"""Which messages state something, in any language."""

from __future__ import annotations

import pytest

from convsim.text.segment import segmenter_is_installed
from convsim.text.small_talk import states_something

SPOKEN = frozenset({"en", "de", "es", "fr", "ja", "pt", "zh"})
NOTHING = [
    "Hi", "hiii!!", "Hello there 👋", "hey, whats up?", "yes i am", "No thanks", "🙂🙂", "...", "", "3",
    "I’m doing well, how about yourself?", "Can you help me?", "I am looking for some recommendations", "ok thank you",
    "My name is Robin", "Guten Tag, können Sie mir helfen?", "Hola, ¿qué tal?", "Bonjour, j'ai besoin d'aide",
    "olá, tudo bem?", "Ciao, come stai?", "привет", "Здравствуйте, можете мне помочь?", "merhaba", "مرحبا كيف حالك",
    "سلام", "नमस्ते", "안녕하세요", "你好", "请问有人在吗", "能帮我吗？", "こんにちは", "よろしくお願いします。",
    "สวัสดีครับ",
]  # fmt: skip
SOMETHING = [
    "comedies", "Hello, I need a film", "size nine", "hi there, documentaries", "Thank you! I'm planning a trip",
    "Guten Tag, ich suche Schuhe", "Hola, busco un libro", "Bonjour, je cherche un roman", "Ciao, cerco un regalo",
    "Здравствуйте, ищу кроссовки", "안녕하세요 신발 찾고 있어요", "你好！我想要一双鞋", "こんにちは。靴を探しています",
    "สวัสดีครับ อยากได้รองเท้า", "مرحبا أبحث عن حذاء", "नमस्ते मुझे जूते चाहिए",
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_a_greeting_an_answer_or_a_plea_for_help_states_nothing(text: str) -> None:
    assert not states_something(text, SPOKEN)


@pytest.mark.parametrize("text", SOMETHING)
def test_a_message_that_names_a_thing_states_something(text: str) -> None:
    assert states_something(text, SPOKEN)


def test_stop_words_of_other_languages_than_the_sides_may_be_things() -> None:
    assert states_something("Hut", {"en"})
    assert not states_something("was ist das", {"de"})


def test_without_a_segmenter_characters_are_looked_at_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    if segmenter_is_installed():
        monkeypatch.setattr("convsim.text.segment._segmenter", lambda model: None)
    assert not states_something("你好，请问在吗", {"zh"})
    assert states_something("你好，想买跑步鞋", {"zh"})
