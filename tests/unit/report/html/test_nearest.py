"""Whose words are nearest: held against the whole matrix of cosines, and against cases that are plain to see."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from convsim.report.html.nearest import BATCH, nearest
from tests.reports import conversation

WORDS = ["boots", "red", "cheap", "size", "nine", "jacket", "wool", "please", "thanks", "no"]


def said(seed, n):
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(WORDS, size=draw.integers(1, 9))) for _ in range(n)]


def test_it_is_the_largest_cosine_of_all_pairs():
    ours, theirs = said(1, BATCH + 30), said(2, 70)
    found = nearest([conversation(f"a{i}", text) for i, text in enumerate(ours)],
                    [conversation(f"b{i}", text) for i, text in enumerate(theirs)])  # fmt: skip
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\b\w+\b").fit_transform([*ours, *theirs])
    cosines = cosine_similarity(vectors[: len(ours)], vectors[len(ours) :])
    assert [each.similarity for each in found] == pytest.approx(cosines.max(axis=1), abs=1e-5)
    at_place = [cosines[row, each.place] for row, each in enumerate(found)]
    assert at_place == pytest.approx(cosines.max(axis=1), abs=1e-5)


def test_it_is_looked_for_within_the_task_where_the_other_side_has_that_task():
    people = [
        conversation("h0", "red boots", task="boots"),
        conversation("h1", "red boots please", task="jackets"),
    ]
    shoppers = [conversation("s0", "red boots", task="jackets"), conversation("s1", "red boots", task="hats"),
                conversation("s2", "red boots")]  # fmt: skip
    assert [each.place for each in nearest(shoppers, people)] == [1, 0, 0]


def test_what_the_agent_says_counts_for_nothing_and_of_equals_it_is_the_first():
    people = [
        conversation("h0", "wool", "red boots"),
        conversation("h1", "red boots"),
        conversation("h2", "red boots"),
    ]
    [found] = nearest([conversation("s0", "red boots", "wool")], people)
    assert found.place == 1
    assert found.similarity == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), [("", ""), ("", "boots"), ("!!", "??"), ("wool", "boots")])
def test_who_shares_no_word_has_nobody(ours, theirs):
    assert nearest([conversation("s0", ours)], [conversation("h0", theirs)]) == [None]


def test_without_another_side_there_is_nobody():
    assert nearest([conversation("s0", "boots")], []) == [None]
    assert nearest([], [conversation("h0", "boots")]) == []
