"""The word lists of each language: what shoppers say is found, and what only looks like it is not."""

import pytest

from convsim.text.language import known_codes
from convsim.text.lexicons import ALL, FILES, SHIPPED, Lexicon, read_phrase_lists
from convsim.text.phrases import ANY_ENDING, END, START
from convsim.text.words import words

LANGUAGES = sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir())
NAMES = ["first_person", "please", "sorry", "thanks"]
SAID = {
    "de": {
        "thanks": ["Super, danke!", "Vielen lieben Dank für die Hilfe", "ich bedanke mich"],
        "please": ["Zeigen Sie mir bitte etwas in Blau", "wären Sie so nett"],
        "sorry": ["Tut mir leid, falsche Größe", "Entschuldigung, haben Sie das in 42?"],
        "first_person": ["ICH suche Stiefel", "zeig mir mehr", "für unsere Tochter"],
        "complaints": ["Das war nicht hilfreich", "das hatten sie schon gezeigt...", "Sie verstehen mich nicht!"],
    },
    "es": {
        "thanks": ["¡Muchas gracias!", "se agradece"],
        "please": ["¿Me muestra otro, por favor?", "porfa uno rojo"],
        "sorry": ["Perdón, quería decir la azul", "disculpe"],
        "first_person": ["a mí me gusta", "mi talla es 42"],
        "complaints": ["eso ya me lo enseñaste", "No me entiendes", "no gracias, no me ha servido"],
    },
    "fr": {
        "thanks": ["Merci beaucoup !", "je vous remercie"],
        "please": ["En noir, s’il vous plaît", "un sac svp", "veuillez me montrer"],
        "sorry": ["Désolée, je me suis trompée", "excusez-moi"],
        "first_person": ["J'aimerais un sac", "c'est pour ma fille", "montrez-nous"],
        "complaints": ["Ce n'est pas ce que j'ai demandé", "vous ne comprenez pas", "déjà vu ceux-là"],
    },
    "pt": {
        "thanks": ["Obrigada!", "vlw", "muito obrigado pela ajuda"],
        "please": ["um casaco, por favor", "pfv mostra outro"],
        "sorry": ["Desculpe, eu quis dizer azul", "perdão"],
        "first_person": ["eu quero botas", "é para minha mãe"],
        "complaints": ["não foi o que eu pedi", "você já me mostrou esses", "isso não faz sentido"],
    },
    "zh": {
        "thanks": ["好的，谢谢你！", "非常感谢", "謝謝"],
        "please": ["请推荐一款便宜的", "麻烦你再看看", "請問有黑色的嗎"],
        "sorry": ["不好意思，我说错了", "抱歉"],
        "first_person": ["我想买鞋", "给咱妈买的"],
        "complaints": ["这不是我想要的", "答非所问", "你推荐过了，怎么还是这些"],
    },
    "ja": {
        "thanks": ["いいですね、これにします。ありがとう", "助かりました"],
        "please": ["黒を見せてください", "見せていただけますでしょうか", "お願いします"],
        "sorry": ["すみません、間違えました", "申し訳ないです"],
        "first_person": ["私は42です", "僕の靴"],
        "complaints": ["それはさっき見ました", "結構です。役に立ちませんでした", "話を聞いてますか"],
    },
}  # fmt: skip
NOT_SAID = {
    "de": {
        "thanks": ["gut", "gedanken"],
        "please": ["Bitte schön"],
        "first_person": ["einfach schwarz", "dir"],
        "complaints": ["zu teuer, geht das günstiger?", "das gefällt mir nicht", "der Mantel ist mir viel zu lang"],
    },
    "es": {
        "thanks": ["gracias a la tela no pesa", "le agradecería que fuera rojo"],
        "first_person": ["rojo", "si hay azul"],
        "complaints": ["es muy caro, ¿hay algo más barato?", "no me gusta", "no está mal"],
    },
    "fr": {
        "thanks": ["rien"],
        "please": ["merci de votre aide", "cela me plaît"],
        "first_person": ["jamais", "montre rouge"],
        "complaints": ["trop cher", "je préfère autre chose"],
    },
    "pt": {
        "thanks": ["sou obrigado a usar preto", "valeu a pena"],
        "complaints": ["muito caro", "prefiro outro mais barato"],
    },
    "zh": {
        "thanks": ["想买一份感恩节礼物", "写一封感谢信给老师"],
        "please": ["我想请客吃饭", "做鱼太麻烦了", "邀请朋友来", "还有别的要求"],
        "first_person": ["自我介绍怎么写"],
        "complaints": ["不错，就这个", "太贵了，有便宜的吗", "不要超过我的预算", "这个没用过"],
    },
    "ja": {
        "thanks": ["感謝祭のプレゼント"],
        "first_person": ["私立の学校", "白い靴"],
        "complaints": ["高すぎます。もっと安いのはありますか？", "これは好きじゃないです", "無駄のないデザインがいい"],
    },
}  # fmt: skip


def finds(language: str, name: str, text: str) -> bool:
    lexicon = Lexicon()
    wanted = lexicon.complaints(language)[ALL] if name == "complaints" else lexicon.words(name, language)
    assert wanted is not None
    return wanted(text, words(text))


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [(code, name, text) for code, lists in SAID.items() for name, texts in lists.items() for text in texts],
)
def test_what_shoppers_say_is_found(language: str, name: str, text: str) -> None:
    assert finds(language, name, text)


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [
        (code, name, text)
        for code, lists in NOT_SAID.items()
        for name, texts in lists.items()
        for text in texts
    ],
)
def test_what_only_looks_like_it_is_not(language: str, name: str, text: str) -> None:
    assert not finds(language, name, text)


def test_the_languages_are_those_that_are_promised() -> None:
    assert LANGUAGES == ["de", "en", "es", "fr", "ja", "pt", "zh"]
    assert set(LANGUAGES) <= known_codes()
    assert SAID.keys() == NOT_SAID.keys() == set(LANGUAGES) - {"en"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_list_and_nothing_else(language: str) -> None:
    files = {file.name for file in (SHIPPED / language).iterdir()}
    assert files - {"requests.toml"} <= FILES
    assert {f"{name}.txt" for name in (*NAMES, "stop_words", "ordinary_talk")} | {"complaints.toml"} <= files


@pytest.mark.parametrize("language", sorted(SAID))
@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_written_so_that_it_is_found_and_no_ordinary_talk_is(language: str, name: str) -> None:
    lines = (SHIPPED / language / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("- "):
            assert not finds(language, name, line.removeprefix("- ")), line
        elif not line.startswith("# "):
            assert finds(language, name, line.replace(ANY_ENDING, "ending")), line


@pytest.mark.parametrize("language", sorted(SAID))
def test_every_complaint_is_written_so_that_it_is_found_and_no_ordinary_talk_is(language: str) -> None:
    for phrases in read_phrase_lists(language=language).values():
        for phrase in phrases:
            bare = phrase.replace(ANY_ENDING, "ending").removeprefix(START).removesuffix(END).strip()
            assert finds(language, "complaints", bare), phrase
    for talk in Lexicon().entries("ordinary_talk", language) or ():
        assert not finds(language, "complaints", talk), talk


@pytest.mark.parametrize("language", sorted(SAID))
def test_a_list_says_what_it_holds_and_where_it_comes_from(language: str) -> None:
    for file in (SHIPPED / language).iterdir():
        head = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
        assert "Compiled for convsim from everyday phrases; no list was copied." in " ".join(
            line.removeprefix("# ") for line in head
        ), file
