"""When a user tells what, and how much of it unasked."""

import numpy as np
import pytest

from convsim.metrics import DISCLOSURE_METRICS, measure
from convsim.metrics.disclosure import told_by
from convsim.schema import Columns
from convsim.schema.conversation import Conversation, Item, Message
from convsim.text.lexicons import Lexicon
from convsim.text.words import words

LANGUAGES = ["de", "en", "es", "fr", "ja", "pt", "zh"]


def talk(*said: str, id: str = "c") -> Conversation:
    """Say these in turn; a message that starts with ``>`` is the agent's, and what stands in brackets it shows."""
    return Conversation(id=id, messages=tuple(map(_message, said)))


def _message(text: str) -> Message:
    if not text.startswith(">"):
        return Message(role="user", content=text)
    content, _, titles = text.removeprefix(">").strip().partition("[")
    shown = [title.strip(" ]") for title in titles.split(";") if title.strip(" ]")]
    items = tuple(Item(id=title, title=title) for title in shown)
    return Message(role="assistant", content=content.strip(), items=items)


def value(metric: str, *said: str) -> float | None:
    return DISCLOSURE_METRICS[metric](talk(*said))


def test_what_is_told_first_is_a_proportion_of_the_words_that_the_user_brings_in():
    # New: suede, boots; then winter and wide. "boots" is said before, "warm" by the agent, the rest says nothing.
    said = [
        "hi, suede boots please",
        "> Something warm?",
        "yes warm boots for winter",
        "> ok",
        "wide, thanks",
    ]
    assert value("told_first", *said) == pytest.approx(2 / 4)
    assert value("told_at", *said) == pytest.approx((0 + 0 + 1 + 2) / 4 / 2)
    assert told_by(Columns.of([talk(*said)]), 2).tolist() == [pytest.approx(3 / 4)]


def test_messages_in_a_row_are_one_turn():
    said = ["suede boots", "size nine", "> ok", "wide"]
    assert value("told_first", *said) == pytest.approx(4 / 5)
    assert value("volunteered", *said) == 1


@pytest.mark.parametrize(
    "said",
    [[], ["suede boots"], ["suede boots", "and wide"], ["> Hello?", "suede boots"], ["hi", "> Hello", "yes"],
     ["", "> ok", " "], ["> Hello", "> Anybody there?"]],
)  # fmt: skip
def test_without_a_later_turn_or_a_word_that_says_something_nothing_is_first(said):
    for metric in ("told_first", "told_at", "wishes_first", "volunteered"):
        assert value(metric, *said) is None


def test_wishes_are_prices_sizes_and_colors_each_counted_once():
    said = ["red boots under $80", "> ok", "red ones, size M, not green", "> ok", "under $60"]
    assert value("wishes_first", *said) == pytest.approx(2 / 5)
    assert value("wishes_first", "boots", "> ok", "suede") is None


def test_what_follows_no_question_is_volunteered():
    said = ["boots", "> What material?", "suede", "and wide", "> Here they are.", "waterproof lining"]
    assert value("volunteered", *said) == pytest.approx(2 / 4)
    assert value("volunteered", "boots", "> Which?", "suede") == 0


def test_a_word_or_two_are_a_short_message():
    said = ["suede boots for winter", "> Size?", "nine", "> Color?", "dark brown", "> ok", " "]
    assert value("short_messages", *said) == pytest.approx(2 / 3)
    assert value("short_messages", " ") is None


@pytest.mark.parametrize(
    ("text", "acknowledges"),
    [("ok thanks", 1), ("yes", 1), ("👍", 1), ("why?", 0), ("ok, suede", 0), ("42", 0), ("i see", 1)],
)
def test_who_says_nothing_of_their_own_and_asks_nothing_acknowledges(text, acknowledges):
    assert value("acknowledgements", "hello", "> Here you are.", text) == acknowledges
    assert value("acknowledgements", text) is None


def test_length_varies_by_its_standard_deviation_over_its_mean():
    said = ["one two three", "> ok", "one", "> ok", " "]
    assert value("length_variation", *said) == pytest.approx(np.std([3, 1]) / 2)
    assert value("length_variation", "a b", "> ok", "c d") == 0
    assert value("length_variation", "a b", "> ok", "") is None
    assert value("length_variation", "!", "> ok", "?") is None


@pytest.mark.parametrize(
    ("text", "clarifies", "informs"),
    [
        ("is the suede real?", 1, 0),
        ("do they run small?", 1, 0),
        ("got any sandals?", 0, 1),
        ("sandals then", 0, 0),
    ],
)
def test_a_question_about_what_was_said_clarifies_and_any_other_asks_for_more(text, clarifies, informs):
    said = ["boots?", "> These suede boots.", text]
    assert value("clarifying_questions", *said) == clarifies
    assert value("information_questions", *said) == informs
    assert value("clarifying_questions", text) is None


def test_hedges_are_counted_over_messages_with_words():
    assert value("hedging", "maybe boots", "> ok", "in brown", "> ok", " ") == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("language", "hedge", "sure"),
    [
        ("de", "vielleicht Stiefel", "Stiefel, Größe 42"),
        ("en", "I think suede", "suede"),
        ("es", "creo que azul", "azul"),
        ("fr", "peut-être en noir", "en noir"),
        ("ja", "黒かもしれません", "黒です"),
        ("pt", "acho que azul", "azul"),
        ("zh", "可能要黑色", "要黑色"),
    ],
)
def test_every_language_has_hedges_and_words_that_point(language, hedge, sure):
    hedges = Lexicon().conduct(language)["hedges"]
    assert hedges(hedge, words(hedge))
    assert not hedges(sure, words(sure))
    assert "pointing" in Lexicon().questions(language)


SHOWN = "> Here. [Durnholt Cinder Shorts; Alba Shorts]"


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (["running gear", SHOWN], 0),
        (["shorts", SHOWN], 1 / 2),
        (["durnholt cinder please", SHOWN], 2 / 3),
        (["cinder durnholt shorts", SHOWN], 1 / 2),
        (["gear", "> Try Durnholt.", "durnholt", SHOWN], 0),
        (["gear", SHOWN, "the durnholt cinder shorts"], 0),
        (["gear", "> Here. [Durnholt Socks]", "durnholt shorts", SHOWN], 1 / 2),
        ([SHOWN, "shorts"], None),
        (["shorts", "> None, sorry."], None),
        (["shorts", "> ok [;]"], None),
    ],
)
def test_the_largest_part_of_a_title_that_is_said_before_it_is_heard(said, part):
    found = value("foreknown_title", *said)
    assert found == (None if part is None else pytest.approx(part))


def test_words_that_say_nothing_are_no_part_of_a_title():
    assert value("foreknown_title", "what is the best of them", "> ok [The Lord of the Rings]") == 0


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (["boots", "> Which?", "suede", "> ok", "wide", "> Suede boots."], 2 / 2),
        (["boots", "> Which boots?", "suede", "> ok", "wide", "> Suede boots."], 1 / 2),
        (["boots", "> Which?", "well", "suede", "> Suede.", "ok", "> Boots."], 1 / 2),
        (["boots", "> Which?", "suede", "> Suede boots."], 1),
        (["boots", "> Boots."], None),
        (["hi", "> Which?", "hello", "> Boots."], None),
        (["boots", "and suede", "> ok", "yes"], None),
        (["> Hello", "boots", "> Which?", "suede", "> Boots.", "> Suede"], 1),
        ([], None),
    ],
)
def test_words_that_the_agent_comes_to_only_after_its_answer_are_foreknown(said, part):
    assert value("foreknown_words", *said) == part


def test_a_long_file_does_not_make_the_search_long():
    many = " ".join(f"w{n}" for n in range(3_000))
    titles = [f"{many} {n}" for n in range(300)]
    items = tuple(Item(id=title, title=title) for title in titles)
    long = Conversation(
        id="c",
        messages=(
            *(Message(role="user", content=many) for _ in range(300)),
            Message(role="assistant", content=many, items=items),
        ),
    )
    assert DISCLOSURE_METRICS["foreknown_title"](long) == 1


def test_a_language_without_word_lists_says_why():
    italian = [
        talk(f"vorrei degli stivali di camoscio numero {n} per l'inverno, con la suola di gomma", "> Ecco.", "va bene")
        for n in range(8)
    ]  # fmt: skip
    found = measure(italian, metrics=[*DISCLOSURE_METRICS])
    assert found.language is not None
    assert found.language.code == "it"
    assert found.undefined.keys() == DISCLOSURE_METRICS.keys() - {"short_messages", "length_variation"}
    assert found.table[[*found.undefined]].isna().all(axis=None)


def test_a_teams_own_list_without_hedges_leaves_hedging_undefined_and_says_so(tmp_path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "conduct.toml").write_text('coaching = ["do better"]\n', encoding="utf-8")
    columns = Columns.of(
        [talk("i would like some brown suede boots for the winter", "> ok", "maybe")] * 4,
        lexicon=Lexicon(tmp_path),
    )
    said = DISCLOSURE_METRICS["hedging"].why_undefined(columns)
    assert said is not None
    assert "no list hedges in en/conduct.toml" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_are_those_of_each_conversation_alone_and_in_any_order(language):
    said = {
        "de": ["Ich suche vielleicht rote Stiefel", "> Welche Größe?", "42, sind die warm?", "> Ja.", "danke"],
        "en": ["I am maybe looking for red boots", "> Which size?", "9, are they warm?", "> Yes.", "thanks"],
        "es": ["Busco quizás unas botas rojas", "> ¿Qué talla?", "42, ¿esas abrigan?", "> Sí.", "gracias"],
        "fr": ["Je cherche peut-être des bottes rouges", "> Quelle taille ?", "42, ça chauffe ?", "> Oui.", "merci"],
        "ja": ["赤いブーツを探しています", "> サイズは？", "24です。それは暖かいですか？", "> はい。", "ありがとう"],
        "pt": ["Procuro talvez umas botas vermelhas", "> Que tamanho?", "42, essas são quentes?", "> Sim.", "obrigada"],
        "zh": ["我想买红色的靴子", "> 多大码？", "42码，这双暖和吗？", "> 暖和。", "谢谢"],
    }[language]  # fmt: skip
    held = [talk(*said[: 1 + n % 5], id=f"{n}") for n in range(30)]
    whole = measure(held, metrics=[*DISCLOSURE_METRICS])
    turned = measure(held[::-1], metrics=[*DISCLOSURE_METRICS])
    assert whole.language is not None
    assert whole.language.code == language
    assert not whole.undefined.keys() - {"wishes_first", "short_messages", "length_variation"}
    again = turned.table.loc[whole.table.index]
    np.testing.assert_array_equal(whole.table.to_numpy(), again.to_numpy())
    few = measure([*held[4:5], *held[:20:5]], metrics=[*DISCLOSURE_METRICS]).table.iloc[0]
    np.testing.assert_array_equal(whole.table.iloc[4].to_numpy(), few.to_numpy())
