import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from convsim.stats.neighbours import (
    duplicate_groups,
    near_pairs,
    nearest,
    repeats,
    similarities,
    tokens,
    vectors,
)
from tests.made_up_talk import talk


def all_similarities(texts):
    weighed = vectors(texts)
    return np.concatenate([block for _, block in similarities(weighed, weighed)])


def words_and_pairs(text: str) -> list[str]:
    said = text.split()
    pairs = [f"{said[i]} {said[i + reach]}" for reach in (1, 2, 3) for i in range(len(said) - reach)]
    return said + pairs


def test_similarities_are_those_of_scikit_learn_on_words_and_pairs():
    texts = [" ".join(messages) for messages in talk(np.random.default_rng(1), 300)]
    expected = TfidfVectorizer(analyzer=words_and_pairs).fit_transform(texts)
    assert np.allclose(all_similarities(texts), (expected @ expected.T).toarray(), atol=1e-5)


@pytest.mark.parametrize("least", [0.3, 0.8, 0.95])
def test_near_pairs_are_those_of_all_similarities(least):
    rng = np.random.default_rng(2)
    texts = [" ".join(messages) for messages in talk(rng, 200)]
    for text in texts[:100]:
        said = text.split()
        for place in rng.integers(len(said), size=rng.integers(0, 4)):
            said[place] = "other"
        texts.append(" ".join(said))
    texts += ["", "…", "yes", "yes"]
    weighed = vectors(texts)
    asked = weighed.take(np.arange(0, len(texts), 2))
    every = np.concatenate([block for _, block in similarities(asked, weighed)])
    found = [
        pair for rows, others in near_pairs(asked, weighed, least) for pair in zip(rows, others, strict=True)
    ]
    assert len(found) > len(texts) / 2
    assert sorted(found) == [*zip(*np.nonzero(every >= least), strict=True)]


def test_texts_without_words_are_near_to_nobody():
    nothing = vectors(["", "…"])
    assert not [pair for rows, _ in near_pairs(nothing, nothing) for pair in rows]


def test_a_text_is_as_near_to_itself_as_can_be_and_without_a_word_near_to_nobody():
    found = all_similarities(["a red coat", "a red coat", "…", ""])
    assert found == pytest.approx(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Don’t, DON'T!", ["don't", "don't"]),
        ("我想买 iPhone 15", ["我", "想", "买", "iphone", "15"]),
        ("防水ですか", ["防", "水", "で", "す", "か"]),
    ],
)
def test_words_are_characters_where_a_script_puts_no_spaces(text, said):
    assert tokens(text) == said


def test_the_nearest_of_another_unit_is_no_second_text_of_the_same_one():
    texts = ["a red coat for a wedding", "a red coat for the wedding", "a red coat", "blue shoes"]
    weighed = vectors(texts)
    found = nearest(weighed.take(np.array([0])), weighed.take(np.array([1, 2, 3])), np.array([0, 0, 1]))
    every = all_similarities(texts)
    assert (found.row[0], found.similarity[0]) == (0, pytest.approx(every[0, 1]))
    assert found.second[0] == pytest.approx(every[0, 3])


def test_what_is_left_out_is_never_the_nearest_and_where_all_is_there_is_none():
    weighed = vectors(["a red coat", "a red coat", "a coat"])
    alone = nearest(weighed, weighed, np.arange(3), lambda start, stop: np.eye(3, dtype=bool)[start:stop])
    assert list(alone.row) == [1, 0, 0]
    nobody = nearest(weighed, weighed, np.arange(3), lambda start, stop: np.ones((stop - start, 3), bool))
    assert list(nobody.row) == [-1, -1, -1]
    assert list(nobody.gap) == [0, 0, 0]


def test_copies_of_a_text_share_a_number_and_short_ones_do_not():
    texts = [
        "I want a red coat please",
        "yes please",
        "i want a RED coat, please!",
        "yes please",
        "something else",
    ]
    assert list(duplicate_groups(texts)) == [0, 1, 0, 2, 3]


def test_rows_in_many_blocks_are_as_in_one(monkeypatch):
    texts = [" ".join(messages) for messages in talk(np.random.default_rng(2), 90)]
    whole = all_similarities(texts)
    monkeypatch.setattr("convsim.stats.neighbours.MAX_NUMBERS", 700)
    monkeypatch.setattr("convsim.stats.neighbours.CHUNK", 5)
    assert np.allclose(all_similarities(texts), whole, atol=1e-6)


SAID = "I am looking for a red coat that keeps the rain out on my way to work in winter"


def test_repeats_are_counted_without_the_first_exact_ones_and_near_ones():
    texts = [
        SAID,
        SAID.upper(),
        SAID,
        SAID.replace("red", "blue"),
        "something else that nobody ever said here",
    ]
    found = repeats(texts, ["a", "b", "c", "d", "e"])
    assert (found.n, found.exact, found.near, found.share) == (5, 2, 1, 0.6)


def test_what_one_user_says_again_and_short_texts_are_no_repeats():
    assert repeats([SAID, SAID, SAID.replace("red", "blue")], ["a", "a", "a"])[1:] == (0, 0)
    assert repeats(["yes please"] * 5, list("abcde"))[1:] == (0, 0)
    assert repeats([], []) == (0, 0, 0)


def test_among_many_texts_near_repeats_are_counted_on_some(monkeypatch):
    monkeypatch.setattr("convsim.stats.neighbours.MAX_COMPARED", 40)
    rng = np.random.default_rng(4)
    said = [" ".join(messages) for messages in talk(rng, 100)]
    texts = [*said, *(f"{text} {word}" for text, word in zip(said, map(str, range(100)), strict=True))]
    found = repeats(texts, [str(n) for n in range(200)])
    assert found.exact == 0
    assert found.near == pytest.approx(100, abs=45)
