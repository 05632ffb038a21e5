"""How a conversation ended, read from the last words of its user."""

import pytest

from convsim.text.endings import read_ending, reads_endings
from convsim.text.lexicons import SHIPPED, Lexicon, read_phrase_lists

LANGUAGES = ["de", "en", "es", "fr", "ja", "pt", "zh"]
SAID = {
    "de": ("Ok, ich nehme den zweiten.", "Nein danke, ich suche woanders."),
    "en": ("Great, I'll take the second one!", "No thanks, I'll look elsewhere."),
    "es": ("Vale, me llevo la azul.", "No gracias, buscaré en otra tienda."),
    "fr": ("D'accord, je prends le deuxième.", "Non merci, je vais chercher ailleurs."),
    "ja": ("では、これにします。", "今回は見送ります。他を探します。"),
    "pt": ("Ok, vou levar o segundo.", "Não, obrigado. Vou procurar em outro lugar."),
    "zh": ("好的，我就买这个，谢谢", "算了，我去别家看看"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_taking_and_giving_up_are_read_in_every_language(language):
    lexicon = Lexicon()
    assert reads_endings(language, lexicon)
    taking, giving_up = SAID[language]
    assert read_ending(["x", taking], language, lexicon) == "accepted"
    assert read_ending(["x", giving_up], language, lexicon) == "left"
    assert read_ending(["x", ""], language, lexicon) == "unknown"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_written_so_that_it_is_found(language):
    assert (SHIPPED / language / "endings.toml").is_file()
    lists = read_phrase_lists("endings", language)
    assert set(lists) == {"taking", "giving_up"}
    for name, phrases in lists.items():
        wanted = "accepted" if name == "taking" else "left"
        assert len(phrases) == len(set(phrases))
        for phrase in phrases:
            said = phrase.removeprefix("^ ").removesuffix(" $")
            assert read_ending([said], language, Lexicon()) == wanted, phrase


def test_the_last_message_that_tells_decides():
    lexicon = Lexicon()
    assert (
        read_ending(["not what i asked for", "i'll take it", "thank you, bye"], "en", lexicon) == "accepted"
    )
    assert read_ending(["i'll take it", "forget it"], "en", lexicon) == "left"
    assert read_ending(["i'll take it", "red ones?", "which size?", "bye"], "en", lexicon) == "unknown"
    assert read_ending(["you do not understand me"], "en", lexicon) == "left"
    assert read_ending(["you do not understand me", "ok"], "en", lexicon) == "unknown"
    assert read_ending([], "en", lexicon) == "unknown"


def test_a_language_without_a_list_is_not_read():
    assert not reads_endings("el", Lexicon())
    assert not reads_endings(None, Lexicon())
