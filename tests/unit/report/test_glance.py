"""A card is a screen of printable text, a small page, a table, and a file that reads back as itself."""

import json
import math
import re
from html.parser import HTMLParser

import pytest

import convsim
from convsim.errors import InputError
from convsim.evaluation import Scorecard
from convsim.report.tables import needed
from convsim_validators import Marginals
from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e| `x` [bold]\n" + "w" * 500


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.open = set(), []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.seen |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def card():
    return convsim.validate(PEOPLE, NAIVE, seed=1, validators=[Marginals(n_resamples=99)])


@pytest.fixture(scope="module")
def comparison():
    return convsim.compare(PEOPLE, [NAIVE, CLOSE], seed=1, validators=[Marginals(n_resamples=99)])


@pytest.fixture(scope="module")
def hostile(card):
    finding = card.findings[0].but(validator=HOSTILE, metric=HOSTILE, reason=HOSTILE, unit=HOSTILE)
    side = card.simulated.but(simulator=HOSTILE, path=HOSTILE)
    return card.but(findings=[finding] * 200, simulated=side, warnings=[HOSTILE] * 50)


@pytest.fixture(scope="module")
def many(comparison):
    one = comparison.simulators[0]
    named = [one.but(name=f"{number}{HOSTILE}", warnings=[f"{number}{HOSTILE}"]) for number in range(40)]
    return comparison.but(simulators=named)


@pytest.mark.parametrize("document", ["card", "comparison", "hostile", "many"])
def test_what_is_printed_is_a_screen_of_printable_text(document, request):
    text = str(request.getfixturevalue(document))
    lines = text.splitlines()
    assert 5 <= len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("document", ["card", "comparison", "hostile", "many"])
def test_a_notebook_gets_a_small_page_in_which_nothing_runs_or_is_fetched(document, request):
    page = request.getfixturevalue(document)._repr_html_()
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert not tags.open
    assert tags.seen <= {
        "details",
        "div",
        "li",
        "ol",
        "p",
        "strong",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "class",
        "style",
    }
    assert "http" not in page
    assert len(page) < 60_000
    assert "\x1b" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("document", ["card", "comparison", "hostile", "many"])
def test_a_repr_is_one_short_line(document, request):
    said = repr(request.getfixturevalue(document))
    assert len(said) < 400
    assert said.isprintable()


def test_the_screen_shows_every_finding_with_its_interval_and_verdict(card):
    text = str(card)
    for finding in card.findings:
        [line] = [line for line in text.splitlines() if re.match(rf"marginals\s+{finding.metric}\s", line)]
        words = {"aligned": "alike", "different": "different", "undecided": "needs more data"}[
            finding.verdict
        ]
        if finding.metric in ("accepted", "left"):
            words = "cannot be measured"  # nothing says how these chats ended
        if finding.metric == "all_metrics" and finding.verdict == "aligned":
            words = "alike on average"
        if needed(finding):
            words = f"needs ~{needed(finding).removeprefix('about ')}"
        assert line.endswith("not judged" if finding.is_control else words)
    assert repr(card).startswith("Scorecard(320 real, 300 simulated: ")


def test_in_a_long_card_what_fails_comes_first_and_the_rest_is_counted(card):
    aligned = next(f for f in card.findings if f.verdict == "aligned")
    different = next(f for f in card.findings if f.verdict == "different")
    text = str(card.but(findings=[*[aligned] * 100, different.but(metric="the_one")], warnings=()))
    rows = [line for line in text.splitlines() if line.startswith("marginals ")]
    assert "the_one" in rows[0]
    assert f"and {101 - len(rows)} more; .to_frame() has them all" in text


def test_a_long_sentence_is_cut_between_two_words(card):
    long = card.but(warnings=(f"{'word ' * 40}", "w" * 500))
    cut = [line for line in str(long).splitlines() if line.startswith("warning: w")]
    assert [line[-6:] for line in cut] == [" word…", "wwwww…"]
    assert max(map(len, cut)) <= 90 + len("warning: ")


def test_a_frame_has_one_row_a_finding_and_flat_numbers(card):
    frame = card.to_frame()
    assert list(frame["metric"]) == [finding.metric for finding in card.findings]
    for row, finding in zip(frame.itertuples(), card.findings, strict=True):
        expected = finding.interval or (math.nan, math.nan)
        assert (row.interval_low, row.interval_high) == pytest.approx(expected, nan_ok=True)
        assert row.estimate == pytest.approx(
            math.nan if finding.estimate is None else finding.estimate, nan_ok=True
        )
        baseline = finding.noise_floor.q95 if finding.noise_floor else math.nan
        assert row.noise_floor_q95 == pytest.approx(baseline, nan_ok=True)
        assert (row.verdict, row.control, row.details) == (
            finding.verdict,
            finding.is_control,
            finding.details,
        )
    assert str(frame["n_real"].dtype) == "int64"
    assert str(frame["p_adjusted"].dtype) == "float64"
    assert str(frame["verdict"].dtype) == "category"
    assert (frame.groupby("verdict", observed=True).size().sum()) == len(frame)


def test_a_frame_of_no_finding_has_the_same_columns_and_kinds(card):
    empty = card.but(findings=()).to_frame()
    assert len(empty) == 0
    assert list(empty.dtypes) == list(card.to_frame().dtypes)
    assert list(empty.columns) == list(card.to_frame().columns)


def test_a_frame_of_a_comparison_has_one_row_a_simulator(comparison):
    frame = comparison.to_frame()
    assert list(frame.index) == ["simulator_naive", "simulator_close"]
    for each in comparison.simulators:
        row = frame.loc[each.name]
        assert row["mean_distance"] == each.mean_distance.estimate
        assert (row["mean_distance_low"], row["mean_distance_high"]) == each.mean_distance.interval
        assert row["different"] == each.judged.different
    assert str(frame["aligned"].dtype) == "int64"
    assert str(frame["hls"].dtype) == "float64"


def test_a_dict_is_what_the_file_holds(card, comparison):
    for document in (card, comparison):
        assert document.to_dict() == json.loads(document.to_json())
    assert card.to_dict()["schema"] == "convsim.findings/1"


@pytest.mark.parametrize("text", [True, False])
def test_documents_read_back_as_themselves_from_a_file_or_its_folder(text, card, comparison, tmp_path):
    for document, name, read in (
        (card, "findings.json", convsim.read_scorecard),
        (comparison, "comparison.json", convsim.read_comparison),
    ):
        (tmp_path / name).write_text(document.to_json(), encoding="utf-8")
        for path in (tmp_path, tmp_path / name):
            assert read(str(path) if text else path) == document


def test_one_kind_of_document_is_not_taken_for_the_other(card, comparison, tmp_path):
    (tmp_path / "a.json").write_text(card.to_json(), encoding="utf-8")
    with pytest.raises(InputError, match=r"is no comparison document: its schema is 'convsim.findings/1'"):
        convsim.read_comparison(tmp_path / "a.json")
    with pytest.raises(
        InputError, match=r"is a folder without comparison\.json; convsim compare --out DIR writes one"
    ):
        convsim.read_comparison(tmp_path)
    assert isinstance(convsim.read_scorecard(tmp_path / "a.json"), Scorecard)
