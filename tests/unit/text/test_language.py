"""A side's language: told from all of it, or said not to be."""

import random

import pytest

from convsim.text.language import Language, tell_language

SIDES = {
    "English": [
        "do you have warm winter boots?",
        "too expensive, is there anything cheaper?",
        "great, I'll take them",
    ],
    "German": [
        "haben Sie warme Winterstiefel?",
        "zu teuer, gibt es etwas Günstigeres?",
        "super, die nehme ich dann",
    ],
    "Spanish": [
        "busco unas botas de invierno",
        "es muy caro, ¿hay algo más barato?",
        "genial, entonces me las llevo",
    ],
    "French": [
        "je cherche des bottes d'hiver",
        "c'est trop cher, avez-vous moins cher ?",
        "parfait, je les prends alors",
    ],
    "Portuguese": [
        "procuro umas botas de inverno",
        "é muito caro, não há nada mais barato?",
        "ótimo, então vou levar estas",
    ],
    "Arabic": [
        "أبحث عن حذاء شتوي دافئ للثلج",
        "غالي جدا، هل يوجد أرخص من هذا؟",
        "رائع، سآخذه إذن من فضلك الآن",
    ],
    "Russian": [
        "ищу тёплые зимние ботинки",
        "слишком дорого, есть что-нибудь дешевле?",
        "отлично, тогда я их возьму",
    ],
    "Chinese": ["有没有保暖的冬靴", "太贵了，有便宜一点的吗？", "好的，就要这双"],
    "Japanese": ["冬用のブーツを探しています", "高すぎます。もっと安いのはありますか？", "これにします"],
    "Korean": ["따뜻한 겨울 부츠 있나요?", "너무 비싸요, 더 싼 거 있어요?", "좋아요, 이걸로 할게요"],
    "Thai": ["มีรองเท้าบูทกันหนาวไหม", "แพงไป มีถูกกว่านี้ไหม", "โอเค เอาคู่นี้"],
    "Greek": ["ψάχνω ζεστές μπότες", "πολύ ακριβό, έχετε κάτι φθηνότερο;", "τέλεια, θα τις πάρω"],
}


@pytest.mark.parametrize("name", SIDES)
def test_a_language_is_told_from_a_side_as_a_whole(name: str) -> None:
    told = tell_language(SIDES[name] * 4)
    assert str(told) == name
    assert told.problem is None
    assert told.proportions == {told.code: 1}
    assert not told.assumed


def test_the_order_of_the_conversations_changes_nothing() -> None:
    texts = [f"{text} {n}" for n in range(250) for text in (*SIDES["German"], *SIDES["Spanish"])]
    told = tell_language(texts)
    random.Random(1).shuffle(texts)
    assert tell_language(texts) == told


def test_a_side_in_several_languages_is_called_mixed_with_its_parts() -> None:
    german, english = (" ".join(SIDES[name]) for name in ("German", "English"))
    told = tell_language([german] * 6 + [english] * 4)
    assert told.mixed
    assert told.code == "de"
    assert told.problem is not None
    assert "German" in told.problem
    assert "English" in told.problem
    assert sum(told.proportions.values()) == pytest.approx(1)


def test_a_brand_or_a_foreign_word_makes_no_side_mixed() -> None:
    assert str(tell_language([*SIDES["Chinese"], "有没有 nike air max 42 码的鞋子"] * 5)) == "Chinese"
    assert str(tell_language([*SIDES["German"] * 10, "thank you so much!"])) == "German"


def test_what_says_too_little_is_not_told_and_latin_letters_are_read_as_english() -> None:
    for text in ("gracias", "ok", "y"):
        told = tell_language([text])
        assert (told.code, told.assumed) == ("en", True)
        assert str(told) == f"not told: {len(text)} letters, read as English"
    assert tell_language(["да"]).code is None
    assert "2 letters" in str(tell_language(["да"]).problem)


@pytest.mark.parametrize("texts", [[], [""], ["  \n"], ["😀😀", "👍🏽"], ["42", "?!"]])
def test_a_side_without_letters_has_no_language_and_says_so(texts: list[str]) -> None:
    told = tell_language(texts)
    assert told == Language()
    assert told.problem == "no message has a letter, so there is no language"


@pytest.mark.parametrize("text", ["\ud800", "a\ud800b" * 60, "\x00" * 300, "é" * 10_000, "ﾊﾛｰ" * 40])
def test_hostile_text_has_a_language_or_none_and_never_an_error(text: str) -> None:
    assert isinstance(str(tell_language([text])), str)


def test_scripts_tell_whether_there_are_capitals_and_spaces() -> None:
    facts = {name: tell_language(texts * 4) for name, texts in SIDES.items()}
    assert {name for name, told in facts.items() if not told.has_case} == {
        "Arabic", "Chinese", "Japanese", "Korean", "Thai",
    }  # fmt: skip
    assert {name for name, told in facts.items() if not told.has_spaces} == {"Chinese", "Japanese", "Thai"}
    assert {name for name, told in facts.items() if not told.has_final_marks} == {"Thai"}
