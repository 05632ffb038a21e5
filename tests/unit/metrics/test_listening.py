"""Whether what the user says has to do with what the agent has just said."""

import numpy as np
import pytest

from convsim.metrics import COHERENCE_METRICS, measure
from convsim.metrics.listening import answer_fits
from convsim.schema import Columns
from convsim.schema.conversation import Conversation, Message
from convsim.text.lexicons import Lexicon


def talk(*said: str, id: str = "c") -> Conversation:
    """Say these in turn; a message that starts with ``>`` is the agent's."""
    messages = tuple(
        Message(role="assistant" if text.startswith(">") else "user", content=text.removeprefix(">").lstrip())
        for text in said
    )
    return Conversation(id=id, messages=messages)


def value(metric: str, *said: str) -> float | None:
    return COHERENCE_METRICS[metric](talk(*said))


def test_echo_is_the_cosine_of_the_words_that_count_alike_when_there_is_one_conversation():
    # "red", "boots" of the agent; "boots", "leather", "today" of the user: 1 / sqrt(2 * 3).
    assert value("echo", "hello there", "> red boots", "leather boots today") == pytest.approx(
        1 / np.sqrt(2 * 3)
    )


def test_echo_hears_what_was_said_since_the_user_last_spoke_alone():
    assert value("echo", "boots", "> a red coat", "coat", "> suede", "red coat") == pytest.approx(
        np.mean([1 / np.sqrt(2), 0.0])
    )


def test_a_word_of_many_conversations_weighs_less_than_a_rare_one():
    common = [talk("hi", "> boots", "boots please", id=f"c{n}") for n in range(200)]
    table = measure(
        [
            *common,
            talk("hi", "> boots zebra", "boots giraffe", id="a"),
            talk("hi", "> boots zebra", "zebra giraffe", id="b"),
        ],
        metrics=["echo"],
    ).table["echo"]
    assert table["b"] > 2 * table["a"] > 0


def test_what_others_say_hardly_moves_an_echo_whatever_their_number():
    """A side of 50 conversations and one of 1,000 of the same kind have the same mean."""
    rng = np.random.default_rng(3)
    nouns = [f"thing{n}" for n in range(300)]
    weights = 1 / np.arange(1, 301)

    def crowd(n: int) -> list[Conversation]:
        drawn = [rng.choice(nouns, size=9, p=weights / weights.sum()) for _ in range(n)]
        return [
            talk("hi", "> " + " ".join(each[:6]), " ".join([*each[4:6], *each[6:]]), id=f"c{k}")
            for k, each in enumerate(drawn)
        ]

    small = np.mean([measure(crowd(50), metrics=["echo"]).table["echo"].mean() for _ in range(20)])
    large = measure(crowd(1_000), metrics=["echo"]).table["echo"]
    assert small == pytest.approx(large.mean(), abs=0.1 * large.std())


def test_a_word_is_taken_up_if_nobody_had_said_it_before():
    assert value("word_uptake", "boots", "> suede boots", "suede") == 1
    assert value("word_uptake", "suede boots", "> suede boots", "suede") == 0
    assert value("word_uptake", "boots", "> suede", "leather", "> suede again", "suede") == 0


@pytest.mark.parametrize("metric", ["echo", "word_uptake"])
@pytest.mark.parametrize(
    "said", [["boots", "coat"], ["boots"], ["> boots"], ["boots", "> the", "of the"], ["", "> x", ""], []]
)
def test_without_words_of_both_there_is_nothing_to_listen_to(metric, said):
    assert value(metric, *said) is None


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ("Do you like suede?", "yes please", True),
        ("Do you like suede?", "a blue umbrella", False),
        ("Black or brown?", "brown", True),
        ("Black or brown?", "either is fine", True),
        ("Black or brown?", "something for my sister", False),
        ("What size do you wear?", "8", True),
        ("What is your budget?", "under fifty", False),
        ("What is your budget?", "40 dollars", True),
        ("What is it for?", "a wedding", True),
        ("What is it for?", "yes", False),
    ],
)
def test_an_answer_has_the_form_that_the_question_asks_for(question, answer, fits):
    lists, stop_words = Lexicon().questions("en"), Lexicon().entries("stop_words", "en")
    assert answer_fits(question, answer, lists, stop_words or frozenset()) is fits


@pytest.mark.parametrize(
    ("language", "asked", "fitting", "other"),
    [
        ("de", "Schwarz oder braun?", "braun", "für meine Schwester"),
        ("es", "¿Cuánto quiere gastar?", "40 euros", "para mi hermana"),
        ("fr", "Vous aimez le cuir ?", "oui", "ma soeur arrive"),
        ("pt", "Qual tamanho?", "38", "obrigada"),
        ("zh", "您的预算是多少？", "500元", "送给妈妈"),
        ("ja", "予算はいくらですか？", "5000円", "母へ贈る"),
    ],
)
def test_questions_are_told_in_every_language_that_has_lists(language, asked, fitting, other):
    lists, stop_words = Lexicon().questions(language), Lexicon().entries("stop_words", language)
    assert answer_fits(asked, fitting, lists, stop_words or frozenset())
    assert not answer_fits(asked, other, lists, stop_words or frozenset())


def test_answers_are_counted_over_the_questions_that_a_message_with_words_follows():
    asked = ["hi", "> Hello. Do you like suede? Or not.", "yes", "> What for?", "no"]
    not_asked = ["> Fine.", "ok", "> Black or brown?", " "]
    assert value("answers", *asked, *not_asked) == pytest.approx(1 / 2)


def test_a_language_without_questions_has_no_answers_and_says_why():
    said = ["Привет, мне нужны зимние ботинки для прогулок по городу", "> Какой размер?", "сорок второй"]
    found = measure([talk(*said, id=f"c{n}") for n in range(5)], metrics=["answers"])
    assert "questions.toml" in found.undefined["answers"]
    assert found.table["answers"].isna().all()


def test_what_is_heard_is_numbered_by_user_message():
    columns = Columns.of([talk("> hi", "a", "> b", "> c", "d"), talk("e", "f", "> g")])
    assert columns.heard.tolist() == [[0, 1], [1, 3], [3, 3], [3, 3]]
