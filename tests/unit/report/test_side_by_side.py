"""A comparison at a terminal, in Markdown, as rows and as a page."""

import csv
import io

import pytest
from rich.console import Console

from convsim.evaluation import Comparison
from convsim.report.comparison import comparison_to_markdown, print_comparison, to_csv
from convsim.report.comparison.sentences import sentences, warnings
from convsim.report.comparison.tables import Table, tables
from convsim.report.html.comparison import comparison_to_html
from tests.compared import NO_MEMORY, comparison, generalisation, simulator
from tests.reports import HOSTILE


def printed(found: Comparison, *, markup: bool = False, width: int = 160, full: bool = True) -> str:
    file = io.StringIO()
    print_comparison(found, Console(file=file, width=width, color_system=None, markup=markup), full=full)
    return file.getvalue()


def table(found: Comparison, title: str) -> Table:
    return next(each for each in tables(found) if each.title.startswith(title))


def test_the_overview_holds_a_row_a_simulator_with_its_cost_and_place():
    found = comparison(simulator("icl"), simulator("lean", seconds=0.25, place="off"))
    overview = table(found, "realism")
    assert [dict(zip(overview.columns, row, strict=True)) for row in overview.rows] == [
        {"simulator": "icl", "n": "40", "mean distance": "0.23 [0.2, 0.25]", "baseline": "0.1",
         "= / ≠ / ?": "1 / 1 / 1", "HLS": "0.31", "relative HLS": "–", "cost": "2 s", "Pareto front": "on"},
        {"simulator": "lean", "n": "40", "mean distance": "0.23 [0.2, 0.25]", "baseline": "0.1",
         "= / ≠ / ?": "1 / 1 / 1", "HLS": "0.31", "relative HLS": "–", "cost": "0.25 s", "Pareto front": "off"},
    ]  # fmt: skip


def test_distances_stand_with_a_mark_of_their_verdict():
    found = table(comparison(simulator("icl"), simulator("lean", distances=[])), "distance from")
    assert found.columns == ("metric", "icl", "lean", "baseline")
    assert [tuple(row) for row in found.rows] == [
        ("turns", "0.40 ≠", "–", "0.10"), ("thanks", "0.05 =", "–", "0.10"), ("left", "– ?", "–", "–"),
    ]  # fmt: skip


def test_a_row_of_the_matrix_is_the_one_that_a_discriminator_learned_against():
    names = ("icl", "lean")
    standings = generalisation(names, [[0.9, 0.2], [0.6, 0.8]])
    found = table(comparison(simulator("icl"), simulator("lean"), standings=standings), "which classifier")
    assert found.columns == ("classifier: people vs", "icl", "lean", "people")
    assert [tuple(row) for row in found.rows] == [
        ("icl", "0.90", "0.20", "0.07"),
        ("lean", "0.60", "0.80", "0.08"),
    ]


def test_reactions_stand_where_arms_are_named_and_say_why_one_was_not_asked():
    reacts = {
        "agreement": {"estimate": 0.75, "interval": (0.5, 1.0), "reason": "-"}, "joint_p": 0.02,
        "ratio": {"estimate": 0.94, "interval": (0.71, 1.22), "reason": "-", "verdict": "reacts_as_people"},
        "counts": {"does_not_react": 2, "undecided": 5},
    }  # fmt: skip
    silent = {"agreement": {"reason": "no arm"}, "reason": "it has no arm 'bad'"}
    sides = (simulator("icl", reactions=reacts), simulator("lean", reactions=silent))
    assert not [each for each in tables(comparison(*sides)) if each.title.startswith("reactions")]
    found = table(comparison(*sides, control="good", treatment="bad"), "reactions from good to bad")
    assert found.rows[0] == (
        "icl",
        "0.94 [0.71, 1.2] =",
        "0.75 [0.5, 1]",
        "0.02",
        "0",
        "2",
        "0",
        "0",
        "0",
        "5",
    )
    assert found.rows[1][1:] == ("–",) * 9
    assert "lean: it has no arm 'bad'" in found.note


def test_what_is_unknown_is_a_dash_with_its_reason_and_never_a_zero():
    found = comparison(simulator("icl", seconds=None))
    assert "no tokens were counted" in table(found, "cost").rows[0][-1]
    assert table(found, "cost").rows[0][1:-1] == ("40 of 40", "–", "–", "–", "–", "–")
    assert "what shoppers learned from was not given" in table(found, "copying").note
    assert table(found, "endings").rows == [("people", "0 %", "100 %", "0"), ("icl", "25 %", "75 %", "0")]


def pair(low: float, high: float, ratio: float = 1 / 3) -> dict[str, object]:
    return {
        "cheaper": "lean", "dearer": "icl", "cost_ratio": ratio, "difference": (low + high) / 2,
        "interval": (low, high), "lost_realism": low > 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            pair(0.1, 0.3),
            "lean is 67 % cheaper than icl and further from people, by 0.2 (95 % interval 0.1 to 0.3).",
        ),
        (
            pair(-0.3, -0.1),
            "lean is 67 % cheaper than icl and closer to people, by 0.2 (95 % interval 0.1 to 0.3).",
        ),
        (
            pair(-0.1, 0.3),
            "lean is 67 % cheaper than icl; which of them is closer to people needs more data "
            "(difference of mean distances 0.1 (95 % interval -0.1 to 0.3)).",
        ),
        (pair(0.1, 0.3, 0.42), "lean is 58 % cheaper than icl and further"),
        (pair(0.1, 0.3, 0.0004), "lean is more than 99 % cheaper than icl and further"),
    ],
)
def test_a_leaner_simulator_that_lost_realism_is_said_so(given, said):
    found = sentences(comparison(simulator("icl"), simulator("lean"), leaner=[given]))
    assert [each for each in found if each.startswith(said)]


def test_losses_stand_before_what_is_not_shown_and_many_pairs_are_cut():
    pairs = [pair(-0.1, 0.3)] * 20 + [pair(0.1, 0.3)]
    found = sentences(comparison(simulator("icl"), simulator("lean"), leaner=pairs))
    leaner = [each for each in found if each.startswith("lean is 67 % cheaper")]
    assert len(leaner) == 5
    assert "further from people, by" in leaner[0]
    assert "16 more pairs are in comparison.json." in found


def test_the_front_is_said_with_its_reasons_and_its_absence_too():
    found = sentences(comparison(simulator("icl"), simulator("lean", place="off")))
    assert found[1:4] == [
        "Realism (mean distance from people) against cost in seconds per conversation:",
        "Best value (Pareto front): icl (a reason).", "Not best value: lean (a reason).",
    ]  # fmt: skip
    assert (
        "realism cannot be weighed against cost" in sentences(comparison(simulator("icl"), cost_axis=None))[1]
    )


def test_who_is_not_judged_is_named_with_the_reason():
    overlap = {
        "n_learned": 3,
        "n_identical": 0,
        "share_learned": 0.1,
        "reason": "it learned from the real side",
    }
    sides = (simulator("a", overlap=overlap), simulator("b", not_judged="it has no arm 'good'"))
    found = sentences(comparison(*sides))
    assert found[-2:] == [
        "a: it learned from the real side.", "b was not compared with people: it has no arm 'good'.",
    ]  # fmt: skip


def test_the_csv_is_tidy_and_undefined_numbers_are_empty():
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison(simulator("icl"), simulator("=lean"))))))
    assert len(rows) == 6
    assert rows[0] == {
        "simulator": "icl", "metric": "turns", "ks": "0.4", "low": "0.3", "high": "0.5", "verdict": "different",
        "floor_mean": "0.05", "floor_q95": "0.1",
    }  # fmt: skip
    assert (rows[2]["ks"], rows[2]["low"], rows[2]["floor_q95"]) == ("", "", "")
    assert rows[3]["simulator"] == "'=lean"


def hostile() -> Comparison:
    names = [f"\x1b[2J\x07[bold]a[/bold] | `x` {HOSTILE}", "[/nothing] $\\frac{1}{2}$ _b_\u202e"]
    sides = [simulator(name, warnings=(HOSTILE,)) for name in names]
    return comparison(*sides, standings=generalisation(names, [[0.9, 0.2], [0.6, 0.8]]), warnings=(HOSTILE,))


@pytest.mark.parametrize("markup", [False, True])
def test_hostile_names_reach_no_terminal_and_are_no_markup(markup):
    text = printed(hostile(), markup=markup)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[bold]a" in text


def test_hostile_names_are_no_markdown_and_no_html():
    text = comparison_to_markdown(hostile())
    assert "<script" not in text
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if line.startswith("|") and "\\[bold\\]" in line]
    assert rows
    assert all("\\|" in row and "\\`x\\`" in row for row in rows)


def test_hostile_names_stay_text_in_the_page_and_it_loads_nothing():
    page = comparison_to_html(hostile())
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "default-src &#39;none&#39;" in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_names_that_are_alike_when_cut_are_told_apart():
    long = "a-shopper-with-a-very-long-name-"
    text = printed(comparison(simulator(f"{long}1"), simulator(f"{long}2")))
    assert "1 a-shopper-with-a-very-lo" in text
    assert "2 a-shopper-with-a-very-lo" in text


def test_a_table_that_is_too_wide_goes_on_below_and_breaks_no_number():
    names = [f"shopper {letter}" for letter in "abcdefghijkl"]
    text = printed(comparison(*map(simulator, names)), width=80)
    assert max(map(len, text.splitlines())) <= 80
    rows = [line.split() for line in text.splitlines() if line.startswith("turns ")]
    assert len(rows) > 1
    assert sum(row.count("0.40") for row in rows) == 12
    assert sum(row.count("≠") for row in rows) == 12


def test_a_warning_of_several_simulators_is_said_once_with_their_names():
    shared, own = "the sides differ in their mix of arms", "1 of 40 failed"
    found = comparison(
        simulator("a", warnings=(shared,)), simulator("b", warnings=(shared, own)), warnings=("of all",)
    )
    assert warnings(found) == ["of all", f"a, b: {shared}", f"b: {own}"]
    for text in (printed(found), comparison_to_markdown(found), comparison_to_html(found)):
        assert text.count(shared) == 1
        assert f"a, b: {shared}" in text


def test_simulators_of_one_place_and_reason_share_a_sentence():
    found = sentences(comparison(simulator("a"), simulator("b"), simulator("c", place="off")))
    assert found[2:4] == ["Best value (Pareto front): a, b (a reason).", "Not best value: c (a reason)."]


def test_a_long_name_hides_nothing_of_what_is_said_of_it():
    name = "n" * 1_000
    found = comparison(simulator(name), simulator("lean"), leaner=[{**pair(0.1, 0.3), "dearer": name}])
    for text in (printed(found), comparison_to_markdown(found), comparison_to_html(found)):
        flat = " ".join(text.split())
        assert "n… (a reason)." in flat or "n…, lean (a reason)." in flat
        assert "n… and further from people, by 0.2" in flat


def share(estimate: float, unit: str) -> dict[str, object]:
    return {"estimate": estimate, "interval": (estimate, estimate), "unit": unit, "reason": "-"}


def test_who_repeats_more_than_people_do_is_said_so_and_who_does_not_is_not():
    people = comparison(simulator("x")).people.but(
        titles_named_early=share(0.1, "conversations"),
        memorisation=NO_MEMORY.but(after_first=share(0.02, "later messages")),
    )
    copies = {"estimate": 0.9, "interval": (0.7, 1.0)}
    first = simulator(
        "copier", memorised_beyond_people=copies, memorisation=NO_MEMORY.but(after_first=share(0.92, "later messages")),
        titles_beyond_people=copies, titles_named_early=share(1.0, "conversations"),
    )  # fmt: skip
    second = simulator("honest", memorised_beyond_people={"estimate": 0.1, "interval": (-0.1, 0.3)})
    found = sentences(comparison(first, second).but(people=people))
    assert (
        "copier repeats 92 % of its later messages word for word from the conversations that shoppers learned from "
        "(people: 2 %)." in found
    )
    assert (
        "copier names an item by its full title before it is shown, in 100 % of its conversations (people: 10 %)."
        in found
    )
    assert not [each for each in found if each.startswith("honest repeats")]


def test_shares_that_are_unknown_name_whose_they_are():
    known = simulator("icl", titles_named_early=share(0.0, "conversations"))
    note = table(comparison(known, simulator("lean")), "copying").note
    assert "titles named early: people, lean: what shoppers learned from was not given." in note
    many = comparison(*(simulator(f"s{n}") for n in range(12)))
    assert "word for word: people, s0, s1 and 10 more: " in table(many, "copying").note


def test_reactions_that_have_no_share_say_why():
    asked = {
        "agreement": {"reason": "established shifts of people: 0"},
        "joint_p": 0.4,
        "counts": {"undecided": 5},
    }
    found = comparison(
        simulator("a", reactions=asked), simulator("b", reactions=asked), control="x", treatment="y"
    )
    assert "a, b: established shifts of people: 0." in table(found, "reactions").note


def test_without_a_cost_who_has_no_distance_is_still_named():
    found = comparison(simulator("few", mean_distance={"reason": "2 independent units"}), cost_axis=None)
    assert sentences(found)[-1] == "few has no mean distance from people: 2 independent units."


def test_the_overview_says_over_how_many_metrics_the_mean_is():
    standing = {
        "validator": "marginals", "metric": "mean_distance", "question": "?", "simulator": "icl", "estimate": 0.2,
        "unit": "u", "reason": "-", "n_real": 1, "n_simulated": 1, "seed": 1, "version": "1", "source": "a test",
        "details": {"metrics": ["turns", "thanks"]},
    }  # fmt: skip
    found = table(comparison(simulator("icl"), standings=[standing]), "realism")
    assert "mean distance: average Kolmogorov-Smirnov distance from people over 2 metrics" in found.note


@pytest.mark.parametrize("written", [printed, comparison_to_markdown, comparison_to_html])
def test_the_arms_are_said_wherever_it_is_shown(written):
    found = comparison(simulator("icl"), arms=("good",), control="good", treatment="bad")
    said = " ".join(written(found).split())
    assert "Arms compared: good; reactions compare good and bad." in said
    assert "Arms compared" not in written(comparison(simulator("icl")))
