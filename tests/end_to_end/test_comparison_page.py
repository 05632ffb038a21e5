"""The comparison in a real browser: it opens from disk, asks for nothing, runs nothing that a name holds."""

import pytest

from convsim.report.html.comparison import comparison_to_html
from tests.compared import comparison, generalisation, simulator
from tests.reports import HOSTILE

NAMES = [f"{HOSTILE} مرحبا 👩‍👩‍👧", "lean", "w" * 1_000, *(f"shopper {n}" for n in range(9))]
PLACES = ("on", "undecided", "off")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    sides = [
        simulator(
            name, seconds=1.0 + n / 10, place=PLACES[n % 3], warnings=(f"{n} failed: {HOSTILE}",),
            mean_distance={"estimate": 0.2 + n / 100, "interval": (0.1, 0.5), "reason": "-"},
        )
        for n, name in enumerate(NAMES)
    ]  # fmt: skip
    caught = [[0.5] * len(NAMES)] * len(NAMES)
    found = comparison(
        *sides,
        standings=generalisation(NAMES, caught),
        control="good",
        treatment=HOSTILE,
        warnings=(HOSTILE,),
    )
    path = tmp_path_factory.mktemp("comparison") / "comparison.html"
    path.write_text(comparison_to_html(found), encoding="utf-8")
    return path.as_uri()


def unfold(page):
    for each in page.locator("details").all():
        each.evaluate("element => { element.open = true }")


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_nothing_is_asked_for_and_no_script_of_a_name_or_a_transcript_runs(opened, address):
    page = opened()
    unfold(page)
    page.wait_for_timeout(200)
    assert page.seen == {"requests": [address], "dialogs": [], "console": []}
    assert page.evaluate("window.hacked") is None
    for where in (".together", ".warnings", "#tables", "#provenance", "figure.picture .numbers"):
        assert "<script>window.hacked" in page.locator(where).first.inner_text()


def test_the_picture_names_simulators_as_text_and_none_covers_another(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    picture = page.locator("figure.picture .wide svg")
    said = page.locator("figure.picture .wide svg text").all()
    boxes = {each.text_content(): each.bounding_box() for each in said}
    labels = [box for text, box in boxes.items() if text.startswith(("shopper", "lean"))]
    assert len(labels) == 10
    apart = [
        (a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"])
        or (a["y"] + a["height"] <= b["y"] + 4 or b["y"] + b["height"] <= a["y"] + 4)
        for n, a in enumerate(labels) for b in labels[n + 1 :]
    ]  # fmt: skip
    assert all(apart)
    whole = picture.bounding_box()
    assert all(box["x"] >= whole["x"] for box in boxes.values())
    assert all(box["x"] + box["width"] <= whole["x"] + whole["width"] for box in boxes.values())


def test_the_page_is_dark_where_the_system_is_and_the_button_turns_it(opened):
    light, dark = (opened(color_scheme=scheme) for scheme in ("light", "dark"))
    assert background(light) != background(dark)
    button = dark.get_by_role("button", name="Dark")
    button.click()
    assert background(dark) == background(light)
    assert button.get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_never_scrolls_sideways(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_gets_a_picture_of_its_own(opened):
    for width, shown, hidden in ((390, ".narrow", ".wide"), (1280, ".wide", ".narrow")):
        page = opened(viewport={"width": width, "height": 800})
        assert page.locator(shown).is_visible()
        assert not page.locator(hidden).is_visible()


def test_the_first_stop_of_the_keyboard_leads_to_the_tables(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the tables"
    page.keyboard.press("Enter")
    assert page.url.endswith("#tables")


def test_a_wide_table_is_read_to_its_last_column_by_keyboard_and_keeps_its_rows_names_in_sight(opened):
    page = opened(viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    region = page.get_by_role("region", name="distance from people", exact=True)
    region.focus()
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("element => element.scrollLeft > 300", arg=region.element_handle())
    left = region.bounding_box()["x"]
    name = region.get_by_role("rowheader", name="turns").bounding_box()
    assert abs(name["x"] - left) < 3
    assert name["width"] < 390 / 2


def test_every_table_has_a_name_and_heads_of_rows_and_columns(opened):
    page = opened()
    tables = page.locator("#tables table").all()
    assert len(tables) == 7
    for each in tables:
        assert each.locator("caption").inner_text()
        columns = each.locator("thead th[scope=col]").count()
        assert columns == each.locator("tbody tr").first.locator("> *").count()
        assert each.locator("tbody th[scope=row]").count() == each.locator("tbody tr").count()


def test_what_is_printed_is_light_and_holds_all_tables(opened):
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")
    assert background(page) == "rgb(255, 255, 255)"
    assert page.locator("#tables table").last.is_visible()


def test_without_scripts_the_page_is_whole_and_offers_nothing_that_needs_them(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#tables table").count() == 7
    assert not page.locator("#theme").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    unfold(page)
    found = axe.Axe().run(page).response
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found["violations"]] == []
    assert len(found["passes"]) > 20
