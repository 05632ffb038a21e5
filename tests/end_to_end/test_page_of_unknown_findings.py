"""A finding that nobody here has heard of, and one whose details are hostile, in a real browser."""

import pytest

from convsim.report.html import to_html
from tests.reports import HOSTILE, card, finding

FADING = finding(
    "fading", "trust_in_price", question="Does trust fade?", estimate=0.4217, unit="points of trust",
    interval=(0.31, 0.53), noise_floor={"mean": 0.05, "q95": 0.1357}, reason="trust fades twice as fast",
)  # fmt: skip
ATTACK = finding(
    HOSTILE, HOSTILE, unit=HOSTILE, reason=HOSTILE, question=HOSTILE, estimate=1.0,
    details={"real": {"mean": 1e308}, "simulated": {"mean": -1e308}, "metric_unit": HOSTILE, HOSTILE: HOSTILE},
)  # fmt: skip
FAILED = finding("broken", "broken", verdict="failed", reason=HOSTILE, details={"traceback": HOSTILE})


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(to_html(card(FADING, ATTACK, FAILED), None, None), encoding="utf-8")
    return path.as_uri()


def test_it_stands_in_a_section_and_in_the_table_with_all_that_it_says(opened):
    page = opened()
    section = page.locator("#others")
    text = " ".join(section.inner_text().split())
    for said in (
        "trust in price",
        "different",
        "0.422 points of trust",
        "[0.31, 0.53]",
        "human baseline 0.136",
    ):
        assert said in text
    assert "trust fades twice as fast" in text
    row = page.locator("#table tbody tr").first.inner_text()
    assert "0.422" in row
    assert "0.136" in row
    assert "fading: trust_in_price: different" in page.locator("h1").inner_text()


def test_hostile_details_run_nothing_and_ask_for_nothing(opened, address):
    page = opened()
    for each in page.locator("details").all():
        each.evaluate("element => { element.open = true }")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.seen == {"requests": [address], "dialogs": [], "console": []}
    assert page.locator("#table tbody tr").count() == 3
