"""Word lists of a language: what they find, and a team's own folder of them."""

from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.text.lexicons import ALL, Lexicon
from convsim.text.phrases import WordList
from convsim.text.words import words


def finds(entries: list[str], text: str, *, ordinary: tuple[str, ...] = ()) -> bool:
    return WordList(entries, ordinary=ordinary)(text, words(text))


@pytest.mark.parametrize(
    ("entry", "hit", "miss"),
    [
        ("gracias", "¡GRACIAS!", "graciasa"),
        ("por favor", "un bolso, por favor", "favor por"),
        ("s'il vous plaît", "S’il vous plaît, en noir", "vous plaît-il"),
        ("j'*", "j'aimerais un sac", "jamais"),
        ("^ non", "Non, merci", "merci non"),
        ("merci $", "non merci", "merci bien"),
        ("谢谢", "好的谢谢你", "你好"),
        ("ありがとう", "本当にありがとうございます", "おはようございます"),
        ("thx", "好的 thx", "thxgiving"),
    ],
)
def test_an_entry_is_whole_words_or_written_anywhere_where_there_are_no_spaces(
    entry: str, hit: str, miss: str
) -> None:
    assert finds([entry], hit)
    assert not finds([entry], miss)


def test_ordinary_talk_that_holds_an_entry_is_taken_out_and_what_stands_beside_it_stays() -> None:
    assert not finds(["请"], "我想请客", ordinary=("请客",))
    assert finds(["请"], "我想请客，请推荐餐厅", ordinary=("请客",))
    assert not finds(["merci"], "bon pour Merci Beaucoup", ordinary=("merci beaucoup",))
    assert finds(["merci"], "merci beaucoup et merci", ordinary=("merci beaucoup",))


def lists(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        language, file = name.split("_", 1)
        path = folder / language / file.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_folder_adds_a_language_and_takes_the_place_of_a_list_and_leaves_the_others(tmp_path: Path) -> None:
    lexicon = Lexicon(
        lists(
            tmp_path,
            it_thanks__txt="# ours\ngrazie\ngrazie mille\n- niente grazie\n",
            it_complaints__toml='general = ["non serve"]\nrepeated_items = ["già visto"]\n',
            en_thanks__txt="ta\n",
        )
    )
    lexicon.check()
    italian, english = lexicon.words("thanks", "it"), lexicon.words("thanks", "en")
    assert italian
    assert english
    assert italian("Grazie!", words("Grazie!"))
    assert not italian("niente grazie", words("niente grazie"))
    assert english("ta", ["ta"])
    assert not english("thanks", ["thanks"])
    assert Lexicon().words("thanks", "it") is None
    assert lexicon.words("please", "en") is not None
    complaints = lexicon.complaints("it")
    assert complaints.keys() == {ALL, "general", "repeated_items"}
    assert complaints[ALL]("già visto", ["già", "visto"])
    assert not complaints["general"]("già visto", ["già", "visto"])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"german_thanks__txt": "danke\n"}, "is not a language's ISO 639 code; did you mean de"),
        ({"de_thank__txt": "danke\n"}, "thank.txt: is not a word list; did you mean thanks.txt"),
        ({"de_thanks__txt": "# none\n\n"}, "has no entry; write one word or phrase a line"),
        ({"de_complaints__toml": "general = 3\n"}, "each list must be texts in brackets"),
        ({"de_complaints__toml": 'general = [" "]\n'}, "the list general has an empty phrase"),
        ({"de_complaints__toml": "general = []\n"}, "has no phrase"),
        ({"de_complaints__toml": "general = [\n"}, "is not TOML"),
        ({"en_spellings__toml": "dont = 3\n"}, "each line must be a word and its reading"),
    ],
)
def test_a_mistake_in_a_folder_is_one_line_that_names_the_file(
    tmp_path: Path, texts: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        Lexicon(lists(tmp_path, **texts)).check()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_a_folder_that_is_none_or_holds_no_language_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder of word lists"):
        Lexicon(tmp_path / "nowhere").check()
    with pytest.raises(InputError, match="holds no folder of a language"):
        Lexicon(tmp_path).check()
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "thanks.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as UTF-8"):
        Lexicon(tmp_path).check()
    (tmp_path / "de" / "thanks.txt").write_bytes(b"a\n" * (1 << 20))
    with pytest.raises(InputError, match="is larger than 1 MiB"):
        Lexicon(tmp_path).check()
