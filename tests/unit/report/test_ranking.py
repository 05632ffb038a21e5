"""A ranking in words: what it says of names that are markup, of many pairs, and of what is not known."""

import pytest

import convsim
from convsim.report.ranking import MAX_ROWS, line_of, parts_of, ranking_text, ranking_to_markdown
from tests.systems import rated

HOSTILE = ("<script>ant</script>", "bee | `x`\x1b[2J", "\u202ecat" + "t" * 100)


@pytest.fixture(scope="module")
def hostile() -> convsim.Ranking:
    levels = (3.9, 3.1, 2.3)
    people, simulated = (
        rated(levels, n_users=20, seed=1, names=HOSTILE),
        rated(levels, n_users=20, seed=2, names=HOSTILE, name="s"),
    )
    return convsim.rank(people, {"<i>sim|": simulated}, seed=1)


def test_names_are_escaped_and_cut_in_markdown(hostile):
    page = ranking_to_markdown(hostile)
    assert "<script>" not in page
    assert "<i>" not in page
    assert "&lt;i&gt;sim\\|" in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert "t" * 60 not in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    widths = {line.replace("\\|", "").count("|") for line in tables}
    assert widths <= {4, 5, 6}


def test_names_are_harmless_in_text(hostile):
    text = ranking_text(hostile)
    assert not {"\x1b", "\u202e"} & set(text)
    assert str(hostile) == text
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 100


def test_the_first_lines_say_what_was_asked_and_what_came_out(hostile):
    lines = ranking_text(hostile).splitlines()
    assert lines[0].startswith(
        "Does the simulator order the systems as people do? Systems by agent, outcome satisfaction"
    )
    assert line_of(hostile.simulators[0]).startswith("= <i>sim|: alike: it shows all 3 pairs")


def test_only_so_many_pairs_are_shown_and_the_rest_is_counted():
    names = [f"n{place}" for place in range(8)]
    levels = [2 + place / 4 for place in range(8)]
    people, simulated = (
        rated(levels, n_users=12, seed=s, names=names, name=n) for s, n in ((1, "u"), (2, "s"))
    )
    found = convsim.rank(people, {"sim": simulated}, seed=1)
    *_, pairs = parts_of(found, found.simulators[0])
    assert len(pairs.rows) == MAX_ROWS
    assert pairs.note == "and 8 more pairs; JSON has all"
    told = [row[2] for row in pairs.rows]
    assert told == sorted(told, reverse=True)  # the ones that are told apart, "yes", first


def test_two_values_are_called_a_success_rate_and_what_is_not_known_has_a_reason():
    people, simulated = (
        rated((3.9, 2.3), n_users=20, seed=s, name=n, accepts=True) for s, n in ((1, "u"), (2, "s"))
    )
    found = convsim.rank(people, {"sim": simulated}, seed=1, outcome="accepted")
    rows = {row[0]: row for row in next(parts_of(found, found.simulators[0])).rows}
    assert "success-rate error" in rows
    assert "bias" not in rows
    assert rows["Kendall's tau-b"][1:3] == ("–", "–")
    assert rows["Kendall's tau-b"][3] == "two systems are one pair, of which there is no correlation"
    assert rows["agreement of pairs"][1].startswith("100 % [")
