"""The comparison in a real browser: it opens from disk, asks for nothing, runs nothing that a name holds."""

import csv

import pytest

from convsim.report.html.comparison import comparison_to_html
from convsim.schema.conversation import Conversation
from tests.compared import comparison, generalisation, side, simulator
from tests.reports import HOSTILE

NAMES = [f"{HOSTILE} مرحبا 👩‍👩‍👧", "lean", "w" * 1_000, *(f"shopper {n}" for n in range(9))]
N_TABLES = 6
PLACES = ("on", "undecided", "off")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    held = {}
    sides = []
    for n, name in enumerate(NAMES):
        path = folder / f"run {n} #?<b>.jsonl"
        said = [conversation(f"c{place}", n) for place in range(5)]
        path.write_text("".join(f"{each.to_json()}\n" for each in said), encoding="utf-8")
        held[str(path)] = said
        sides.append(
            simulator(
                name, seconds=1.0 + n / 10, place=PLACES[n % 3], warnings=(f"{n} failed: {HOSTILE}",),
                mean_distance={"estimate": 0.2 + n / 100, "interval": (0.1, 0.5), "reason": "-"},
                side=side(name).but(path=str(path)),
            )
        )  # fmt: skip
    (folder / "run 3 #?<b>.html").write_text("<title>its own report</title>")
    caught = [[0.5] * len(NAMES)] * len(NAMES)
    found = comparison(
        *sides,
        standings=generalisation(NAMES, caught),
        control="good",
        treatment=HOSTILE,
        warnings=(HOSTILE,),
    )
    path = folder / "comparison.html"
    path.write_text(comparison_to_html(found, transcripts=held, folder=folder), encoding="utf-8")
    return path.as_uri()


def conversation(name, n):
    said = [
        {"role": "user", "content": f"{HOSTILE} simulator {n} asks"},
        {"role": "assistant", "content": HOSTILE, "items": [{"id": HOSTILE, "title": HOSTILE, "price": 3}]},
        {"role": "user", "content": "w" * 9_000},
    ]
    return Conversation.model_validate({"id": name, "arm": "good", "messages": said})


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
    for where in (
        "h1",
        ".warnings",
        "#order",
        "#map",
        "#simulators",
        "#tables",
        "#provenance",
        "figure.picture .numbers",
    ):
        assert "<script>window.hacked" in page.locator(where).first.inner_text()


@pytest.mark.parametrize(("width", "which"), [(1280, ".wide"), (390, ".narrow")])
def test_twelve_simulators_are_numbered_in_the_picture_and_no_number_covers_another(opened, width, which):
    page = opened(viewport={"width": width, "height": 900})
    figure = page.locator("#front figure.picture")
    said = figure.locator(f"{which} svg text").all()
    numbers = [(each.text_content(), each.bounding_box(), each.get_attribute("style")) for each in said]
    bold = [(text, box) for text, box, style in numbers if "700" in style or "bold" in style]
    assert sorted(int(text) for text, _ in bold) == [*range(1, 13)]
    boxes = [box for _, box in bold]
    apart = [
        (a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1)
        or (a["y"] + a["height"] <= b["y"] + 5 or b["y"] + b["height"] <= a["y"] + 5)
        for n, a in enumerate(boxes) for b in boxes[n + 1 :]
    ]  # fmt: skip
    assert all(apart)
    whole = figure.bounding_box()
    assert all(
        whole["x"] <= box["x"] and box["x"] + box["width"] <= whole["x"] + whole["width"] for box in boxes
    )
    entries = figure.locator(".legend li").all_inner_texts()
    assert [entry for entry in entries if entry.endswith(" lean")] == ["2 lean"]


def test_a_simulator_has_one_colour_and_one_number_everywhere(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    fifth = [
        page.locator(where)
        .nth(4)
        .evaluate("element => [element.textContent, getComputedStyle(element).backgroundColor]")
        for where in ("#order .dot", "#map thead .dot", "#map .names .dot", "#simulators h3 .dot")
    ]
    assert fifth == [fifth[0]] * 4
    assert fifth[0][0] == "5"
    swatch = page.locator("#front .legend .series-dot").nth(4)
    assert swatch.evaluate("element => getComputedStyle(element).backgroundColor") == fifth[0][1]


def test_the_heat_map_says_each_number_with_its_verdict_and_is_deeper_where_it_is_further(opened):
    page = opened(viewport={"width": 390, "height": 900})
    row = page.get_by_role("region", name="Heat map").get_by_role("row", name="turns")
    assert row.get_by_role("cell").all_inner_texts() == ["0.40 ≠\ndifferent"] * 12
    paints = "element => getComputedStyle(element).backgroundColor"
    far, near, unknown = (
        page.locator(".heat tr", has=page.get_by_role("rowheader", name=name, exact=True))
        .locator("td")
        .first.evaluate(paints)
        for name in ("turns", "thanks", "left")
    )
    assert len({far, near, unknown}) == 3
    region = page.get_by_role("region", name="Heat map").evaluate(
        "element => element.scrollWidth > element.clientWidth"
    )
    assert region


def test_each_simulator_links_to_what_is_there_and_shows_some_of_its_transcripts(opened, address):
    page = opened()
    one = page.locator("section.one").nth(3)
    assert one.get_by_role("link").all_inner_texts() == ["report", "transcripts"]
    assert page.locator("section.one").nth(0).get_by_role("link").all_inner_texts() == ["transcripts"]
    chats = one.locator("details.chat")
    assert chats.count() == 3
    chats.first.locator("summary").click()
    assert f"{HOSTILE} simulator 3 asks" in chats.first.locator(".bubbles").inner_text()
    assert "5,000 more characters" in chats.first.inner_text()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    one.get_by_role("link", name="report").click()
    page.wait_for_load_state()
    assert page.title() == "its own report"


def test_the_heat_map_and_the_pictures_are_saved_as_files(opened):
    page = opened()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save “Heat map of distances” as CSV").click()
    rows = [*csv.reader(saved.value.path().read_text(encoding="utf-8-sig").splitlines())]
    assert len(rows[0]) == 13
    assert rows[0][2] == "2 lean"
    assert next(row for row in rows if row[0] == "turns")[1] == "0.40 ≠ different"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save “Mean distance from people over cost” as SVG").click()
    assert "var(--" not in saved.value.path().read_text(encoding="utf-8")


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
        assert page.locator(f"#front {shown}").is_visible()
        assert not page.locator(f"#front {hidden}").is_visible()


def test_the_first_stop_of_the_keyboard_leads_to_the_ranking(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the ranking"
    page.keyboard.press("Enter")
    page.wait_for_url("**#order")  # a key is pressed before the browser has gone there


def test_a_wide_table_is_read_to_its_last_column_by_keyboard_and_keeps_its_rows_names_in_sight(opened):
    page = opened(viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    region = page.get_by_role("region", name="Heat map of distances", exact=True)
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
    assert len(tables) == N_TABLES
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
    assert page.locator("#tables table").count() == N_TABLES
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
