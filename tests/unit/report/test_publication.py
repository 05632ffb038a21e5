"""Figures and tables for a paper: files that their readers read, text that LaTeX sets as it is."""

import re
from xml.etree import ElementTree

import pypdf
import pytest

import convsim
from convsim.errors import InputError
from convsim.report.latex import escaped
from tests.compared import comparison, simulator
from tests.reports import HOSTILE, card, distance, finding, people, shift

EVIL = f"$\\frac{{1}}{{2}}$ \\input{{/etc/passwd}} 100 % & _b_ #1 ~^ }}}} {{ [1] \n\n{HOSTILE}"
CARD = card(distance("user_thanks"), distance(EVIL), shift("turns", 1.5, 0.2))
SIDES = comparison(simulator(EVIL), simulator("lean", seconds=0.3))
DRAWN = [
    (CARD, "distances"), (CARD, "shifts"), (SIDES, "closest"), (SIDES, "cost"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "what"), DRAWN)
def test_a_plot_is_saved_as_a_pdf_and_an_svg_in_colours_of_print(tmp_path, document, what):
    plot = document.plot(what)
    plot.savefig(tmp_path / "figure.pdf")
    [page] = pypdf.PdfReader(tmp_path / "figure.pdf").pages
    assert "0" in page.extract_text()
    plot.savefig(tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "#0a0b" not in text
    assert "<script" not in text
    assert plot._repr_svg_().lstrip().startswith("<?xml")


def test_without_a_name_the_first_that_there_is_is_drawn_and_an_unknown_one_is_refused():
    assert CARD.plot().title == CARD.plot("distances").title
    with pytest.raises(InputError, match=r"no plot called 'distance'.*distances"):
        CARD.plot("distance")
    with pytest.raises(InputError, match="nothing to draw"):
        card(finding("else", "x")).plot()


@pytest.mark.parametrize("document", [CARD, SIDES])
def test_a_latex_table_is_balanced_and_no_name_is_a_command(document):
    text = document.to_latex()
    bare = re.sub(r"\\[{}$%&#_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    commands = set(re.findall(r"\\([a-zA-Z]+)", text))
    assert commands <= {
        "begin", "end", "toprule", "midrule", "bottomrule", "neq", "dots", "textbackslash", "textasciitilde",
        "textasciicircum", "textless", "textgreater", "textbar", "textquotedbl", "textasciigrave",
    }  # fmt: skip
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    columns = {len(re.findall(r"(?<!\\)&", row)) for row in rows}
    assert len(columns) == 1
    assert not [line for line in text.splitlines()[1:] if re.search(r"(?<!\\)%", line)]


def test_each_character_that_means_something_to_latex_is_escaped():
    assert escaped(r"a_b & 5 % \x {y} [z]") == r"a\_b \& 5 \% \textbackslash{}x \{y\} {[}z{]}"


def test_transcripts_are_a_frame_of_messages(tmp_path):
    path = tmp_path / "people.jsonl"
    held = people(3)
    path.write_text("".join(f"{each.to_json()}\n" for each in held), encoding="utf-8")
    frame = convsim.read(path).to_frame()
    assert len(frame) == sum(len(each.messages) for each in held)
    assert frame.loc[0, ["conversation", "place", "role", "content"]].tolist() == [
        held[0].id, 0, "user", held[0].messages[0].content,
    ]  # fmt: skip
    assert frame.groupby("conversation")["place"].max().tolist() == [len(each.messages) - 1 for each in held]
