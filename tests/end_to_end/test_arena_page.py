"""The arena in a real browser: raters at once, reload, back, double clicks, leaving, and hostile transcripts."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from convsim.web.blind_test.answers import answers
from tests.end_to_end.arenas import HOSTILE, Arena, running, study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(params=["single", "pair"])
def arena(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Arena]:
    with running(tmp_path / "arena.sqlite", study(mode=request.param, said=HOSTILE)) as served:
        yield served


@pytest.fixture
def visit(browser: "Browser", arena: Arena) -> Iterator[Callable[[], "BrowserContext"]]:
    """Open a new browser profile; whatever it asks of another server is an error."""
    opened: list[BrowserContext] = []
    strangers: list[str] = []

    def open_one() -> "BrowserContext":
        context = browser.new_context()
        context.set_default_timeout(15_000)
        context.on("request", lambda r: strangers.append(r.url) if not r.url.startswith(arena.url) else None)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert [url for url in strangers if url != "data:,"] == []


def start(context: "BrowserContext", arena: Arena, name: str) -> "Page":
    page = context.new_page()
    page.goto(arena.url)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/t/1")
    return page


def answer(page: "Page", *, choice: int = 0, confidence: str = "Leaning") -> None:
    page.locator(".choice input").nth(choice).check()
    page.get_by_label(confidence, exact=True).check()


def send(page: "Page") -> None:
    page.get_by_role("button", name="Save and continue").click()


def test_two_raters_at_once_each_keep_their_own_answers(
    visit: Callable[[], "BrowserContext"], arena: Arena
) -> None:
    ada, grace = (start(visit(), arena, name) for name in ("Ada", "Grace"))
    for place in (1, 2, 3):
        for page, choice in ((ada, 0), (grace, 1)):
            answer(page, choice=choice)
            send(page)
            page.wait_for_url(f"**/t/{place + 1}")
    given = answers(arena.database)
    assert [answer.rater for answer in given] == [1, 2] * 3
    for rater, choices in ((1, {"human", "left"}), (2, {"simulated", "right"})):
        assert {answer.choice for answer in given if answer.rater == rater} <= choices
    assert ada.get_by_text("4 of 12").is_visible()


def test_reload_back_and_forth_lose_and_double_nothing(
    visit: Callable[[], "BrowserContext"], arena: Arena
) -> None:
    page = start(visit(), arena, "Ada")
    page.reload()
    answer(page)
    send(page)
    page.wait_for_url("**/t/2")
    page.reload()
    page.go_back()
    if page.get_by_role("button", name="Save and continue").count():
        answer(page, choice=1, confidence="Certain")
        send(page)
    else:
        assert page.get_by_text("An answer cannot be changed").is_visible()
        page.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/t/2")
    page.go_back()
    page.go_forward()
    assert [(each.choice in ("human", "left"), each.confidence) for each in answers(arena.database)] == [
        (True, 2)
    ]


def test_a_double_click_answers_once(visit: Callable[[], "BrowserContext"], arena: Arena) -> None:
    page = start(visit(), arena, "Ada")
    answer(page)
    page.get_by_role("button", name="Save and continue").dblclick()
    page.wait_for_url("**/t/2")
    assert len(answers(arena.database)) == 1


def test_a_form_in_two_tabs_answers_once(visit: Callable[[], "BrowserContext"], arena: Arena) -> None:
    context = visit()
    first = start(context, arena, "Ada")
    second = context.new_page()
    second.goto(f"{arena.url}t/1")
    for page, choice in ((first, 0), (second, 1)):
        answer(page, choice=choice)
        send(page)
        page.wait_for_url("**/t/2")
    (kept,) = answers(arena.database)
    assert kept.choice in ("human", "left")


def test_a_rater_who_leaves_comes_back_to_where_they_were(
    visit: Callable[[], "BrowserContext"], arena: Arena
) -> None:
    context = visit()
    page = start(context, arena, "Ada")
    answer(page)
    send(page)
    page.wait_for_url("**/t/2")
    page.close()
    again = context.new_page()
    again.goto(arena.url)
    again.wait_for_url("**/t/2")
    again.locator(".rater summary").click()
    link = again.get_by_role("link", name="your personal link").get_attribute("href")
    elsewhere = visit().new_page()
    elsewhere.goto(f"{arena.url.rstrip('/')}{link}")
    elsewhere.get_by_role("button", name="Continue as Ada").click()
    elsewhere.wait_for_url("**/t/2")
    assert elsewhere.get_by_text("Ada").count() == 1


def test_an_unfinished_form_is_not_sent_and_a_skip_is(
    visit: Callable[[], "BrowserContext"], arena: Arena
) -> None:
    page = start(visit(), arena, "Ada")
    page.locator(".choice label").first.click()
    send(page)
    assert page.url.endswith("/t/1")
    page.get_by_role("button", name="Skip").click()
    page.wait_for_url("**/t/2")
    assert [each.choice for each in answers(arena.database)] == [None]


def test_words_are_marked_by_mouse_and_by_keyboard(
    visit: Callable[[], "BrowserContext"], arena: Arena
) -> None:
    page = start(visit(), arena, "Ada")
    words = page.locator(".word input")
    words.first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.get_by_text("2 marked.").is_visible()
    page.keyboard.press("Tab")
    assert (
        page.evaluate("document.activeElement.name") != "word" or page.locator(".conversation").count() == 2
    )
    answer(page)
    send(page)
    page.wait_for_url("**/t/2")
    assert [tuple(word) for word in answers(arena.database)[0].words] == [(0, 0, 0), (0, 0, 2)]


def test_a_script_in_a_transcript_is_text(visit: Callable[[], "BrowserContext"], arena: Arena) -> None:
    page = start(visit(), arena, "Ada")
    page.wait_for_load_state("networkidle")
    assert page.get_by_text("<script>document.title='run'</script>").first.is_visible()
    assert page.title() != "run"
    assert page.locator("main img, main script").count() == 0
    assert "\u202e" not in page.content()
    assert page.locator(".said").first.get_attribute("dir") == "auto"
    # The page's own policy stops a script even where one got into it.
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: \"document.title = 'run'\"}))"
    )
    assert page.title() != "run"


def test_the_page_fits_a_phone(browser: "Browser", arena: Arena) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = start(context, arena, "A name of forty characters, the most there")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_it_works_without_scripts(browser: "Browser", arena: Arena) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = start(context, arena, "Ada")
    page.locator(".word").first.click(position={"x": 2, "y": 5})
    answer(page)
    send(page)
    page.wait_for_url(re.compile("/t/2$"))
    context.close()
    (kept,) = answers(arena.database)
    assert len(kept.words) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier(browser: "Browser", arena: Arena, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 900}
    )
    try:
        entrance = context.new_page()
        entrance.goto(arena.url)
        for page in (entrance, start(context, arena, "Ann")):
            found = axe.Axe().run(page).response
            assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found["violations"]] == []
            assert len(found["passes"]) > 10
    finally:
        context.close()
