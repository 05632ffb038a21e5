"""A validator that nobody here has heard of: each of its findings is shown with all that it says."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import convsim
from convsim.evaluation import Scorecard
from convsim.evaluation.layout import SECTIONS
from convsim.report import print_scorecard, to_markdown
from convsim.report.headline import headline
from convsim.report.html import to_html
from convsim.report.junit import to_junit
from tests.reports import HOSTILE, card, distance, finding

FADING = finding(
    "fading", "trust_in_price", question="Does trust fade?", estimate=0.4217, unit="points of trust",
    interval=(0.31, 0.53), level=0.9, noise_floor={"mean": 0.05, "q95": 0.1357}, verdict="different",
    reason="trust fades twice as fast", details={"half_life": 3.5, "n_to_decide": {"real": 40, "simulated": 50}},
)  # fmt: skip
SAID = (
    "trust_in_price",
    "0.422",
    "points of trust",
    "[0.31, 0.53]",
    "0.136",
    "different",
    "trust fades twice as fast",
)


def on_terminal(found: Scorecard) -> str:
    console = Console(width=220, record=True, file=io.StringIO())
    print_scorecard(found, console)
    return console.export_text()


def text_of(page: str) -> str:
    without = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without)).split())


def test_the_page_shows_its_estimate_unit_interval_baseline_verdict_and_reason() -> None:
    shown = text_of(to_html(card(FADING), None, None))
    for said in ("trust in price", *SAID[1:]):
        assert said in shown
    assert "What else was tested" in shown
    assert "0.422 points of trust, 90% interval [0.31, 0.53], human baseline 0.136" in shown


def test_the_terminal_shows_the_same() -> None:
    shown = " ".join(on_terminal(card(FADING)).split())
    for said in (
        "fading: trust_in_price",
        "0.42 [0.31, 0.53]",
        "points of trust",
        "0.136",
        "different",
        SAID[-1],
    ):
        assert said in shown


def test_markdown_shows_the_same() -> None:
    shown = to_markdown(card(FADING)).replace("\\", "")
    for said in SAID:
        assert said in shown


def test_a_dashboard_shows_the_same() -> None:
    shown = to_junit(card(FADING), None)
    for said in (
        "trust fades twice as fast",
        "0.422 points of trust, 90% interval [0.31, 0.53], human baseline 0.136",
    ):
        assert said in shown
    undecided = to_junit(card(FADING.but(verdict="undecided")), None)
    assert "human baseline 0.136" in undecided


def test_the_headline_says_what_it_found() -> None:
    assert headline(card(FADING)) == (
        "fading: trust_in_price: different (0.422 points of trust, 90% interval [0.31, 0.53], human baseline 0.136)."
    )
    others = [
        FADING.but(metric=f"m{i}", verdict=v) for i, v in enumerate(["different", "undecided", "undecided"])
    ]
    assert headline(card(*others)) == "fading: of 3 findings, 1 different (m0), 2 need more data."
    both = headline(card(distance("turns"), FADING))
    assert both.startswith("1 of 1 habit differs from people's, 0 are alike and 0 need more data.")
    assert both.endswith("human baseline 0.136).")


def test_the_headline_of_nothing_and_of_what_failed_is_a_sentence() -> None:
    assert headline(card()) == "Nothing was compared."
    assert (
        headline(card(FADING.but(details={"role": "control"})))
        == "Nothing was judged: 1 finding is shown for context only."
    )
    failed = finding("fading", "fading", verdict="failed", details={"traceback": "…"})
    assert headline(card(failed)) == "fading failed and gave no result."


def test_a_failed_validator_of_ours_is_shown_among_the_others_and_is_no_habit() -> None:
    found = card(distance("turns"), finding("marginals", "marginals", verdict="failed", reason="it raised"))
    assert headline(found).startswith("1 of 1 habit differs")
    assert "it raised" in on_terminal(found)


def test_details_of_a_known_shape_get_the_known_columns_whoever_wrote_them() -> None:
    theirs = FADING.but(details={"real": {"mean": 71.25}, "simulated": {"mean": 12.75}})
    for shown in (to_markdown(card(theirs)), text_of(to_html(card(theirs), None, None))):
        assert "71.2" in shown
        assert "12.8" in shown


HUGE = {"a": {"b": [1e308] * 100}, "n_to_decide": "many", "role": ["control"]}


@pytest.mark.parametrize("validator", ["fading", *SECTIONS.values()])
@pytest.mark.parametrize(
    "details",
    [
        HUGE,
        {HOSTILE: HOSTILE},
        {"real": {"mean": 1e300}, "simulated": {"mean": -1e300}, "margin": {"ks": 1e300}, "metric_unit": HOSTILE},
        {"real": HOSTILE, "simulated": None},
        {"accuracy": 2e9, "auc": -1, "auc_interval": [1, 0], "tells": {"human": [{"feature": HOSTILE, "n_real": 9}]}},
        {"accuracy": HOSTILE, "auc": 1, "tells": {"human": 3}},
        {"human_shift": {"estimate": 1e308, "interval": [3, 2]}, "simulated_shift": {"estimate": 0}, "human_sd": 5e-324},  # noqa: E501
        {"human_shift": None, "simulated_shift": None, "curves": {"real": {"control": [{"turn": 1e300, "survival": 0}]}}},  # noqa: E501
        {"severities": [0, 1e300], "means": [0, 1], "fault": HOSTILE, "metric_unit": HOSTILE, "mean_intervals": [None]},
        {"severities": [], "means": []},
        {"relation": {HOSTILE: HOSTILE}, "rate_control": 1, "rate_treated": None},
        {"counted": {"real": 0, "simulated": 1}, "adjusted": {"interval": [9, 1]}},
        {"transitions": [{"from": HOSTILE, "to": HOSTILE}]},
        {"traceback": HOSTILE},
        {"simulator": HOSTILE, "n_answers": 0, "n_raters": 0},
        {"fault": HOSTILE, "n_to_decide": {HOSTILE: 1}},
    ],
    ids=lambda details: next(iter(details))[:20],
)  # fmt: skip
def test_hostile_details_break_no_report(validator: str, details: dict[str, Any]) -> None:
    metric = "hls" if validator == "humanlikeness" else "trust"
    theirs = FADING.but(
        validator=validator, metric=metric, details=details, question=HOSTILE, reason=HOSTILE, unit=HOSTILE
    )
    found = card(theirs, distance("turns"))
    page = to_html(found, None, None)
    assert "<script>window.hacked" not in page
    assert "<img src=x" not in page
    assert page.rstrip().endswith("</html>")
    assert "<img src=x" not in to_markdown(found)
    assert "<img src=x" not in to_junit(found, None)
    assert "trust" in on_terminal(found) or "hls" in on_terminal(found)


def named_in(tree: ast.AST) -> Iterator[str]:
    """Yield what a ``validator`` or ``metric`` is compared with that stands there as text."""
    for node in ast.walk(tree):
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        if any(isinstance(side, ast.Attribute) and side.attr in ("validator", "metric") for side in sides):
            parts = [part for side in sides for part in ast.walk(side)]
            yield from (p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))


@pytest.mark.parametrize("package", ["report", "battery", "arena", "cli"])
def test_no_validator_or_metric_is_known_by_name_but_in_the_layout(package: str) -> None:
    folder = Path(convsim.__file__).parent / package
    files = [path for path in folder.rglob("*.py") if path.name != "layout.py"]
    found = {str(path): [*named_in(ast.parse(path.read_text("utf-8")))] for path in files}
    assert {path: names for path, names in found.items() if names} == {}
    assert [*named_in(ast.parse("f.metric == 'hls' and f.validator in ('a', x)"))] == ["hls", "a"]
