"""Who is closest to people: the order, who is told apart, and the sentence that says it."""

from itertools import permutations

import pytest

from convsim.evaluation import Scorecard
from convsim.evaluation.closeness import closeness
from convsim.report.comparison.order import numbered, ranking, ranking_sentence
from tests.compared import comparison, simulator
from tests.reports import card, finding


def judged(verdict: str) -> Scorecard:
    return card(finding("marginals", "all_metrics", verdict=verdict))


def compared(distances: dict[str, float], error: float, *, verdict: str = "different"):
    """Compare simulators whose every difference has this standard error."""
    scores = [
        {
            "validator": "marginals", "metric": "mean_distance_difference", "question": "?", "simulator": a,
            "against": b, "estimate": distances[a] - distances[b], "unit": "u", "reason": "-", "n_real": 1,
            "n_simulated": 1, "seed": 1, "version": "1", "source": "a test",
            "interval": (distances[a] - distances[b] - 1.96 * error, distances[a] - distances[b] + 1.96 * error),
        }
        for a, b in permutations(distances, 2)
    ]  # fmt: skip
    sides = [
        simulator(name, mean_distance={"estimate": far, "reason": "-"}, validation=judged(verdict))
        for name, far in distances.items()
    ]
    return comparison(*sides, standings=scores)


def test_a_lead_is_told_apart_only_beyond_what_many_pairs_show_by_chance():
    # By hand: z = 2.2 has p = 0.028, enough for one pair alone, too little for the first of three pairs (0.0167).
    two = compared({"b": 0.322, "a": 0.3}, 0.01)
    assert closeness(two).apart == {("a", "b")}
    three = compared({"b": 0.322, "a": 0.3, "c": 0.311}, 0.01)
    assert closeness(three).apart == frozenset()
    assert [each.name for each in closeness(three).ordered] == ["a", "c", "b"]
    assert closeness(three).tied_with("c") == ["a", "b"]


@pytest.mark.parametrize(
    ("distances", "verdict", "said"),
    [
        (
            {"a": 0.1, "b": 0.4}, "aligned",
            "a is closest to people, and its lead over b is more than chance. It is like people in all that was "
            "tested, within the margins.",
        ),
        (
            {"a": 0.1, "b": 0.101, "c": 0.4}, "different",
            "a is closest to people, but cannot be told apart from b; its lead over c is more than chance. None of the "
            "3 simulators is like people.",
        ),
        (
            {"a": 0.1, "b": 0.101}, "undecided",
            "Who is closest to people is not shown: a leads, but cannot be told apart from b. Whether it is like "
            "people needs more data.",
        ),
        ({"a": 0.1}, "different", "a is not like people: habits differ."),
    ],
)  # fmt: skip
def test_the_sentence_says_who_leads_by_how_much_and_whether_that_is_like_people(distances, verdict, said):
    assert ranking_sentence(compared(distances, 0.01, verdict=verdict)) == said


def test_without_any_distance_the_sentence_says_so_and_nobody_is_left_out_of_the_table():
    found = comparison(
        simulator("a", mean_distance={"reason": "2 units"}), simulator("b", mean_distance={"reason": "-"})
    )
    assert "is unknown: no simulator's distance" in ranking_sentence(found)
    assert [row[:3] for row in ranking(found).rows] == [["1 a", "–", "–"], ["2 b", "–", "–"]]


def test_the_table_names_equals_by_number_and_the_spread_of_seeds():
    found = compared({"far": 0.9, "b": 0.11, "a": 0.1}, 0.01)
    runs = [
        {
            "name": f"a{n}",
            "path": f"a{n}",
            "sha256": "0",
            "seed": n,
            "n": 5,
            "mean_distance": {"estimate": far},
        }
        for n, far in ((1, 0.12), (2, 0.15))
    ]
    found = found.but(simulators=(*found.simulators[:2], found.simulators[2].but(seeds=runs)))
    table = ranking(found)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [(row["simulator"], row["tied with"], row["seeds"]) for row in rows] == [
        ("1 a", "2", "2: 0.12 to 0.15"), ("2 b", "1", "–"), ("3 far", "–", "–"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("places", "written"), [([], "–"), ([3], "3"), ([1, 2], "1, 2"), ([9, 1, 2, 3, 5], "1–3, 5, 9")]
)
def test_places_in_a_row_are_written_as_one(places, written):
    assert numbered(places) == written
