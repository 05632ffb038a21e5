"""The report in a real browser: it opens from disk, asks for nothing, runs nothing that a transcript holds."""

import pytest

from convsim.report.html import to_html
from tests.reports import (
    HOSTILE,
    card,
    conversation,
    distance,
    dose,
    hls,
    people,
    shift,
    shoppers,
)

SCORES = {"s0": 0.01, "s1": 0.2, "s2": 0.4, "s3": 0.8}
FINDINGS = [
    distance("turns", 0.9), distance("thanks", 0.05, verdict="aligned"), distance("empty", None, verdict="undecided"),
    distance("words", 0.3), hls(SCORES), shift("turns", 2.0, 0.1, verdict="under_reacts"), dose("sorry", [0.1, 0.4]),
]  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    usage = {"input_tokens": 10, "output_tokens": 2, "seconds": 1.0}
    hostile = conversation("s0", f"certainly {HOSTILE} مرحبا 👩‍👩‍👧", HOSTILE, "w" * 5_000, usage=usage)
    found = card(*FINDINGS, warnings=(HOSTILE,))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(to_html(found, people(), [hostile, *shoppers()[1:]]), encoding="utf-8")
    return path.as_uri()


def names(page):
    return page.locator("#table tbody tr:visible th summary").all_inner_texts()


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_nothing_is_asked_for_and_no_script_of_a_transcript_runs(opened, address):
    page = opened()
    for each in page.locator("details").all():
        each.evaluate("element => { element.open = true }")
    page.wait_for_timeout(200)
    assert page.seen == {"requests": [address], "dialogs": [], "console": []}
    assert page.evaluate("window.hacked") is None
    assert "<script>window.hacked" in page.locator("details.chat").first.inner_text()


def test_the_policy_stops_a_script_and_a_request_that_got_in(opened, httpserver):
    page = opened()
    page.evaluate(
        """(url) => {
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(script);
        const image = document.createElement("img");
        image.src = url;
        image.setAttribute("onerror", "window.hacked = 2");
        document.body.append(image);
        fetch(url).catch(() => {});
    }""",
        httpserver.url_for("/x.png"),
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert httpserver.log == []


def test_findings_sort_by_numbers_both_ways_with_what_is_undefined_last(opened):
    page = opened()
    column = page.get_by_role("columnheader", name="estimate")
    column.get_by_role("button").click()
    assert column.get_attribute("aria-sort") == "ascending"
    assert names(page) == ["turns", "thanks", "hls", "words", "turns", "empty", "sorry"]
    column.get_by_role("button").click()
    assert column.get_attribute("aria-sort") == "descending"
    assert names(page) == ["turns", "words", "hls", "thanks", "turns", "empty", "sorry"]


def test_findings_sort_by_name_with_the_keyboard(opened):
    page = opened()
    page.get_by_role("columnheader", name="metric").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert names(page) == sorted(names(page))
    assert page.locator("[aria-sort]").count() == 1


def test_findings_filter_by_words_and_by_verdict(opened):
    page = opened()
    page.get_by_label("Search", exact=True).fill("TURNS")
    assert names(page) == ["turns", "turns"]
    assert page.locator("#shown").inner_text() == "2 of 7 findings"
    page.get_by_label("Search", exact=True).fill("")
    page.get_by_label("Verdict").select_option("alike")
    assert names(page) == ["thanks"]
    page.get_by_label("Search", exact=True).fill("<script>")
    assert names(page) == []
    assert page.seen["dialogs"] == []


def test_a_conversation_opens_in_place_with_its_words_marked(opened):
    page = opened()
    chat = page.locator("details.chat").first
    assert not chat.locator(".bubbles").is_visible()
    chat.locator("> summary").focus()
    page.keyboard.press("Enter")
    assert chat.locator("mark.simulated").first.inner_text() == "certainly"
    assert "1,000 more characters" in chat.inner_text()


def test_the_page_is_dark_where_the_system_is_and_the_button_turns_it(opened):
    light, dark = (opened(color_scheme=scheme) for scheme in ("light", "dark"))
    assert background(light) != background(dark)
    assert light.locator("#theme").inner_text() == "Dark"
    button = dark.get_by_role("button", name="Light")
    button.click()
    assert background(dark) == background(light)
    assert dark.locator("#theme").inner_text() == "Dark"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_never_scrolls_sideways(opened, width):
    page = opened(viewport={"width": width, "height": 800})
    for each in page.locator("details").all():
        each.evaluate("element => { element.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_gets_pictures_of_its_own(opened):
    for width, shown, hidden in ((390, ".narrow", ".wide"), (1280, ".wide", ".narrow")):
        page = opened(viewport={"width": width, "height": 800})
        assert page.locator(shown).first.is_visible()
        assert not page.locator(hidden).first.is_visible()


def test_the_first_stop_of_the_keyboard_leads_to_the_findings(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to all findings"
    page.keyboard.press("Enter")
    page.wait_for_url("**#findings")  # a key is pressed before the browser has gone there


def test_what_is_printed_is_light_and_holds_the_conversations(opened):
    page = opened(color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    assert page.locator("details.chat .bubbles").first.is_visible()
    assert not page.locator("#filters").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.chat[open]").count() == 0


def test_without_scripts_the_page_is_whole_and_offers_nothing_that_needs_them(opened):
    page = opened(java_script_enabled=False)
    assert len(names(page)) == 7
    assert not page.locator("#filters").is_visible()
    assert not page.locator("#theme").is_visible()
    assert not page.locator("#reader").is_visible()
    assert page.locator(".export").count() == 0
    assert page.locator("details.chat").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    for each in page.locator("details").all():
        each.evaluate("element => { element.open = true }")
    found = axe.Axe().run(page).response
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found["violations"]] == []
    assert len(found["passes"]) > 20
