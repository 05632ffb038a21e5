"""Conversations read, pictures and tables saved, terms explained, in a real browser; the transcripts are hostile."""

import csv
import io
import re
from xml.etree import ElementTree

import pytest

from convsim.report.html import to_html
from tests.reports import HOSTILE, card, conversation, distance, hls

N = 57
ODD = f"</script><script>window.hacked = 1</script> {HOSTILE} \x00 مرحبا \u202eedils"
FINDINGS = [
    distance("turns", 0.9, question="Do they differ in turns? Runs of messages of the user."),
    distance("=HYPERLINK(1)", -0.3, verdict="aligned"), distance("50%_of {all} & $more#", 0.2, verdict="undecided"),
]  # fmt: skip


def shopper(n):
    said = f"certainly, number {n}: {'wool' if n % 2 else 'boots'}"
    return conversation(
        f"s{n}", said, "These?", "ok", arm="good" if n < 40 else "bad", task="wool" if n % 2 else "boots",
        ending="accepted" if n % 3 else "left",
    )  # fmt: skip


def person(n):
    task = "wool" if n % 2 else "boots"
    return conversation(f"h{n}", f"nah mate, {task} number {n}", "These?", "no", arm="good", task=task)


expect = pytest.importorskip("playwright.sync_api", reason="the browser's tests need playwright").expect


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    hostile = [
        conversation(f"{ODD} 0", ODD, ODD, task=ODD, arm=ODD, ending="left"),
        conversation("long", f"certainly {'w' * 100_000}", "yes " * 30_000, task="boots", arm="good"),
    ]
    some = [shopper(n) for n in range(N)]
    scores = {each.id: n / N for n, each in enumerate(some)} | {"long": 0.99, f"{ODD} 0": 0.0}
    crowd = [person(n) for n in range(30)]
    found = card(*FINDINGS, hls(scores), n=N + 2)
    arms = {each.arm: 1 for each in (*hostile, *some)}
    tasks = {each.task: 1 for each in (*hostile, *some)}
    both = {"arms": arms, "tasks": tasks}
    found = found.but(simulated=found.simulated.but(**both), real=found.real.but(n=30, **both))
    path = tmp_path_factory.mktemp("reading") / "report.html"
    path.write_text(to_html(found, crowd, [*hostile, *some]), encoding="utf-8")
    return path.as_uri()


def openings(page):
    return page.locator("#listed .opening").all_inner_texts()


def choose(page, label, option):
    page.get_by_role("combobox", name=label).select_option(option)


def test_every_conversation_is_paged_searched_filtered_and_ordered(opened):
    page = opened()
    found = page.locator("#found")
    assert found.inner_text() == "1–10 of 59 conversations"
    assert page.get_by_role("button", name="Previous").is_disabled()
    seen = openings(page)
    while page.get_by_role("button", name="Next").is_enabled():
        page.get_by_role("button", name="Next").click()
        seen += openings(page)
    assert found.inner_text() == "51–59 of 59 conversations"
    assert len(set(seen)) == 59

    page.get_by_label("Search what was said").fill("NUMBER 41")
    expect(found).to_have_text("1–1 of 1 conversation")
    assert openings(page) == ["certainly, number 41: wool"]
    page.get_by_label("Search what was said").fill("certainly, <script>")
    expect(found).to_have_text("no conversation")
    page.get_by_label("Search what was said").fill("")
    expect(found).to_have_text("1–10 of 59 conversations")

    choose(page, "Arm", "bad")
    assert found.inner_text() == "1–10 of 17 conversations"
    choose(page, "Task", "wool")
    assert found.inner_text() == "1–8 of 8 conversations"
    choose(page, "Ending", "left")
    assert openings(page) == [f"certainly, number {n}: wool" for n in (45, 51)]
    for label in ("Arm", "Task", "Ending"):
        choose(page, label, "all")
    choose(page, "Human-likeness", "under 10 %")
    choose(page, "Order", "most human first")
    assert openings(page)[:2] == ["certainly, number 5: wool", "certainly, number 4: boots"]
    choose(page, "Human-likeness", "all")
    choose(page, "Side", "people")
    assert found.inner_text() == "1–10 of 30 conversations"


def test_a_conversation_opens_by_keyboard_beside_its_nearest_person_of_the_same_task(opened):
    page = opened(reduced_motion="reduce")
    found = page.locator("#found")
    page.get_by_label("Search what was said").fill("number 7:")
    expect(found).to_have_text("1–1 of 1 conversation")
    page.locator("#listed summary").focus()
    page.keyboard.press("Enter")
    sides = page.locator("#listed .pair > div")
    expect(sides).to_have_count(2)  # what is in it is drawn once it has opened
    shopper_side, person_side = sides.all()
    assert shopper_side.locator("mark.simulated").first.inner_text() == "certainly"
    assert person_side.locator("h4").inner_text().startswith("Nearest person: similarity of words 0.")
    assert "nah mate, wool number 7" in person_side.inner_text()
    assert person_side.locator("mark.human").first.inner_text() == "nah mate"
    left, right = shopper_side.bounding_box(), person_side.bounding_box()
    assert left["x"] + left["width"] <= right["x"] + 1
    assert abs(left["y"] - right["y"]) < 2


def test_hostile_conversations_are_read_as_text_and_nothing_is_asked_for(opened, address):
    page = opened()
    for summary in page.locator("#listed summary").all()[:2]:
        summary.click()
    said = page.locator("#listed details").first.inner_text()
    assert "</script><script>window.hacked = 1</script>" in said
    assert "مرحبا" in said
    assert "\ufffd" in said
    assert "more characters" in page.locator("#listed details").nth(1).inner_text()
    for button in page.locator(".export button:visible").all():
        with page.expect_download():
            button.click()
    assert page.evaluate("window.hacked") is None
    asked = [each for each in page.seen["requests"] if not each.startswith(("data:image/svg+xml", "blob:"))]
    assert asked == [address]
    assert page.seen["dialogs"] == []
    assert page.seen["console"] == []


def saved(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).first.click()
    return download.value.path().read_bytes(), download.value.suggested_filename


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_is_saved_as_svg_and_png_that_stand_alone(opened, scheme):
    page = opened(color_scheme=scheme)
    title = "Distance from people, metric by metric"
    svg, name = saved(page, f"Save “{title}” as SVG")
    assert name == "distance-from-people-metric-by-metric.svg"
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert b"var(" not in svg
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    png, name = saved(page, f"Save “{title}” as PNG")
    assert name.endswith(".png")
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(png[16:20]) == round(3 * width)
    assert int.from_bytes(png[20:24]) == round(3 * height)
    assert len(png) > 5_000


def test_the_findings_are_saved_as_csv_that_no_spreadsheet_runs_and_as_latex(opened):
    page = opened()
    text, _ = saved(page, "Save “Table of findings” as CSV")
    head, *rows = csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""))
    assert head[:3] == ["metric", "verdict", "people"]
    assert [row[0] for row in rows] == ["turns", "'=HYPERLINK(1)", "50% of {all} & $more#", "hls"]
    assert [row[4] for row in rows] == ["0.9", "-0.3", "0.2", "0.2"]
    latex = saved(page, "Save “Table of findings” as LaTeX")[0].decode()
    assert latex.startswith("\\begin{tabular}{lrrrrrrrr}\n")
    assert latex.endswith("\\end{tabular}\n")
    assert "50\\% of \\{all\\} \\& \\$more\\#" in latex
    bare = re.sub(r"\\[\\{}&%$#_]", "", latex)
    assert bare.count("{") == bare.count("}")
    lines = [line for line in latex.splitlines() if line.endswith("\\\\")]
    assert len(lines) == 5
    assert {re.sub(r"\\&", "", line).count("&") for line in lines} == {8}
    page.get_by_label("Verdict").select_option("alike")
    shown, _ = saved(page, "Save “Table of findings” as CSV")
    assert len(shown.decode().splitlines()) == 2


def test_a_term_is_explained_on_hover_and_on_focus_and_escape_ends_it(opened):
    page = opened(reduced_motion="reduce")
    term = page.locator("#table summary").first
    tip = page.get_by_role("tooltip")
    assert tip.count() == 0
    term.focus()
    assert tip.inner_text() == "Runs of messages of the user."
    assert page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"
    ) == ("Runs of messages of the user.")
    page.keyboard.press("Escape")
    assert tip.count() == 0
    page.evaluate("document.activeElement.blur()")
    term.hover()
    assert tip.is_visible()
    box = tip.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.wait_for_timeout(300)
    assert tip.is_visible()
    page.mouse.move(2, 2)
    tip.wait_for(state="hidden")


def test_the_head_of_the_table_stays_while_its_rows_pass(opened):
    page = opened(viewport={"width": 1280, "height": 170}, reduced_motion="reduce")
    region = page.get_by_role("region", name="Table of findings")
    region.evaluate("element => { element.scrollTop = 1000 }")
    assert region.evaluate("element => element.scrollTop") > 20
    head = page.get_by_role("columnheader", name="metric").bounding_box()
    assert abs(head["y"] - region.bounding_box()["y"]) < 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier_with_a_conversation_open_and_a_term_explained(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    for each in page.locator("details").all():
        each.evaluate("element => { element.open = true }")
    page.locator("#table summary").first.focus()
    assert page.get_by_role("tooltip").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    links = page.locator("header nav a").all()
    assert all(
        box["x"] >= 0 and box["x"] + box["width"] <= width for box in (each.bounding_box() for each in links)
    )
    found = axe.Axe().run(page).response
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found["violations"]] == []


def test_a_name_of_a_conversation_leads_to_it(opened):
    page = opened(reduced_motion="reduce")
    name = page.locator("cite .read").first.inner_text()
    page.get_by_role("button", name="Next").click()
    page.locator("cite .read").first.click()
    assert page.locator("#listed details[open] .facts bdi").first.inner_text() == name
    assert page.evaluate("document.activeElement.closest('#listed') !== null")


def test_a_name_in_a_picture_is_explained_where_the_mouse_is(opened):
    page = opened(reduced_motion="reduce")
    page.locator("#habits .wide svg text", has_text="turns").first.hover()
    assert page.get_by_role("tooltip").inner_text() == "Runs of messages of the user."
