"""The page of a comparison: its picture, what is not drawn, and where its numbers come from."""

from convsim.report.html.comparison import comparison_to_html
from convsim.report.html.figures.pareto import front
from tests.compared import comparison, simulator


def test_the_page_has_the_picture_where_costs_are_known_and_says_so_where_not():
    page = comparison_to_html(
        comparison(simulator("icl"), simulator("lean", seconds=100.0, place="undecided"))
    )
    assert "On the Pareto front: icl." in page
    assert "seconds per conversation" in page
    without = comparison_to_html(comparison(simulator("icl", seconds=None), cost_axis=None))
    assert "Mean distance from people over cost" not in without
    assert "both a known distance from people and a known cost" in without


def test_a_cost_that_no_conversation_can_have_is_not_drawn_and_counted():
    page = comparison_to_html(comparison(simulator("icl"), simulator("broken", seconds=1e308)))
    assert "1 of 2 simulators, the dearest, are not drawn." in page
    alone = comparison_to_html(comparison(simulator("broken", seconds=1e308)))
    assert "Mean distance from people over cost" not in alone


def test_the_page_names_what_shoppers_learned_from_by_its_hash():
    learned = [{"path": "halves/a.jsonl", "sha256": "a" * 64, "n": 1_234}]
    page = comparison_to_html(comparison(simulator("icl"), learned=learned))
    for expected in ("What shoppers learned from", "halves/a.jsonl", "a" * 64, "1,234"):
        assert expected in page


def test_each_simulator_has_the_baseline_of_its_own_sizes():
    baselines = [{"mean": 0.01, "q95": high} for high in (0.04, 0.09)]
    sides = [simulator(f"s{n}", mean_distance_floor=baseline) for n, baseline in enumerate(baselines)]
    drawn = front(comparison(*sides), sides)
    assert drawn is not None
    assert drawn.columns[3] == "human baseline"
    assert [row[3] for row in drawn.rows] == ["0.04", "0.09"]
    bare = [each.but(mean_distance_floor=None) for each in sides]
    without = front(comparison(*bare), bare)
    assert without is not None
    people = "var(--people)"
    assert people in drawn.wide
    assert people not in without.wide
