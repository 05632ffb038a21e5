"""``convsim view`` as somebody uses it: a run that grows, search, prompts, two runs, comments, and hostile text."""

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.arenas import HOSTILE, Client
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import command, prepare
from tests.unit.web.views import conversation, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

TALKER = '''
"""A model that says what it likes, and a key in its words."""
import os
from dataclasses import dataclass
from convsim.models import Scripted


def answer(asked):
    if asked.kind == "choose":
        return asked.options[0]
    return "  red boots please, " + os.environ["SHOP_API_KEY"]


@dataclass(kw_only=True)
class Talker(Scripted):
    answers: object = answer
    name: str = "talker"
'''
SECRET = "sk-planted-0123456789-view"
ENDED = "ERR_CONNECTION_REFUSED"
"""What the console says of a server that was stopped."""
BIDI = "\u202eevil\u202c"


@contextmanager
def viewing(folder: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start ``convsim view`` in a folder, and yield it with the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "convsim", "view", *map(str, arguments), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env={**prepare(folder), "TMPDIR": str(folder)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def counted(page: "Page", said: str) -> None:
    page.get_by_role("heading", name=said, exact=True).wait_for()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., "Page"]]:
    """Open a page; a request to another server, an error of the script and a word on the console are errors."""
    contexts = []
    strange: list[str] = []

    def open_page(url: str, **options: object) -> "Page":
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        own = url.partition("?")[0]
        context.on(
            "request", lambda r: strange.append(r.url) if not r.url.startswith((own, "data:,")) else None
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: strange.append(str(error)))
        page.on("console", lambda said: strange.append(said.text) if ENDED not in said.text else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert strange == []


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Two runs on the same personas, one with hostile text, one recorded; and the address of a view of them."""
    folder = tmp_path_factory.mktemp("looked")
    prepared = prepare(folder)
    (folder / "talker.py").write_text(TALKER)
    run(
        folder / "runs/first",
        [conversation(n, said=f"boots {HOSTILE} \0{'y' * 30_000 * (n == 3)}") for n in range(60)],
    )
    run(folder / "runs/second", [conversation(n, said="sandals", ending="left") for n in range(60)])
    asked = ("--shopper", "prompted", "--model", "talker:Talker", "--personas", "people.toml", "--n", "2")
    recorded = typed(
        "simulate", *asked, "--max-turns", "2", "--record", "--out", "runs/recorded", cwd=folder,
        env={**prepared, "SHOP_API_KEY": SECRET},
    )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr
    with viewing(folder) as (_, url):
        yield folder, url


def test_the_list_grows_while_conversations_are_simulated(
    tmp_path: Path, visit: Callable[..., "Page"]
) -> None:
    environment = {**prepare(tmp_path), "SLOW_S": "0.4"}
    (tmp_path / "runs").mkdir()
    run(tmp_path / "runs/old", [conversation(1)])
    with viewing(tmp_path, "runs") as (process, url):
        page = visit(url)
        counted(page, "1 conversation")
        page.evaluate("window.stayed = true")
        slow = (
            "--shopper",
            "mine:Brief",
            "--agent",
            "mine:Slow",
            "--personas",
            "people.toml",
            "--out",
            "runs/new",
        )
        simulating = subprocess.Popen(
            command(*slow, "--n", "8", "--concurrency", "1"),
            cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        row = page.get_by_role("row").filter(has_text="new")
        row.get_by_text(re.compile(r"^[1-7] of 8")).wait_for()
        row.get_by_text("8 of 8").wait_for()
        assert simulating.communicate(timeout=60)[1] is not None
        assert simulating.returncode == 0
        counted(page, "9 conversations")
        assert page.evaluate("window.stayed")
        page.locator("#filter-run").select_option("new")
        counted(page, "8 of 9 conversations")
        page.close()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "stopped; nobody commented" in said
    assert "Traceback" not in said
    assert not (tmp_path / "comments.sqlite").exists()
    assert not [*tmp_path.glob("convsim-view-*")]


def test_a_filter_chosen_before_the_script_arrived_counts(
    looked: tuple[Path, str], visit: Callable[..., "Page"]
) -> None:
    page = visit(looked[1])
    counted(page, "122 conversations")
    held: list[Route] = []
    page.route("**/view.js*", lambda route: held.append(route))
    page.reload(wait_until="commit")
    page.locator("#filter-run").select_option("recorded")
    page.wait_for_timeout(200)
    assert [route.request.resource_type for route in held] == ["script"]
    held[0].continue_()
    counted(page, "2 of 122 conversations")


def test_conversations_are_filtered_searched_opened_and_their_prompts_read(
    looked: tuple[Path, str], visit: Callable[..., "Page"]
) -> None:
    folder, url = looked
    page = visit(url)
    counted(page, "122 conversations")
    page.locator("#filter-ending").select_option("left")
    page.locator("#filter-run").select_option("second")
    counted(page, "60 of 122 conversations")
    page.get_by_role("link", name="Next").click()
    page.get_by_text("Page 2 of 2").wait_for()
    page.get_by_label("Search", exact=True).fill('"sandals 17"')
    page.keyboard.press("Enter")
    counted(page, "1 of 122 conversations")
    page.reload()
    page.locator("a.opening").click()
    page.get_by_role("heading", name="Persona", exact=True).wait_for()
    assert page.locator(".said").first.inner_text() == "sandals 17"
    assert page.get_by_text("Boots · 9.5").is_visible()
    page.get_by_role("link", name="convsim view").click()
    page.locator("#filter-run").select_option("recorded")
    counted(page, "2 of 122 conversations")
    page.locator("a.opening").first.click()
    asked = page.locator(".asked").first
    asked.locator("summary").click()
    assert "You want: rain boots" in asked.inner_text() or "You want: red sandals" in asked.inner_text()
    assert "red boots please, [SHOP_API_KEY]" in asked.locator(".answer").inner_text()
    asked.get_by_role("link", name="The whole prompt").click()
    page.get_by_role("heading", name="Call 1").wait_for()
    kept = "".join(path.read_text() for path in (folder / "runs/recorded").iterdir())
    assert "SHOP_API_KEY" in kept
    assert SECRET not in kept


def test_two_runs_are_read_side_by_side_on_one_persona(
    looked: tuple[Path, str], visit: Callable[..., "Page"]
) -> None:
    page = visit(looked[1])
    page.get_by_role("link", name="Two runs").click()
    page.get_by_label("Left").select_option("first")
    page.get_by_label("Right").select_option("second")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("60 pairs of conversations").wait_for()
    page.locator(".matches a").nth(1).click()
    page.get_by_role("heading", name="Side by side: persona p").wait_for()
    first = page.locator(".pairs > li").first
    assert "boots" in first.locator(".said").first.inner_text()
    assert first.locator(".said").last.inner_text().startswith("sandals")
    page.get_by_text("1 of 2 messages are the same.").wait_for()
    page.get_by_text("facts differ").or_(page.get_by_text("fact differs")).click()
    page.get_by_role("row").filter(has_text="ending").wait_for()


def test_a_comment_outlives_the_page_and_a_selection_is_taken_away(
    tmp_path: Path, visit: Callable[..., "Page"]
) -> None:
    run(tmp_path / "runs/a", [conversation(n) for n in range(5)])
    with viewing(tmp_path, "runs/a", "--comments", "said.sqlite") as (process, url):
        page = visit(url)
        page.locator("a.opening").nth(2).click()
        page.get_by_label("Write a comment").fill(f"=1+1 {HOSTILE}")
        page.locator("select[name=message]").select_option("message 2")
        page.get_by_role("button", name="Save comment").click()
        page.get_by_role("heading", name="Comments (1)").wait_for()
        page.wait_for_load_state()  # a server that ends amid its answers leaves words on the console
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert not [*tmp_path.glob("convsim-view-*")]
    with viewing(tmp_path, "runs/a", "--comments", "said.sqlite") as (_, url):
        page = visit(url)
        page.get_by_text("1 comment", exact=True).wait_for()
        boxes = page.locator("input[name=c]")
        boxes.nth(2).check()
        boxes.nth(4).check()
        page.get_by_text("2 chosen").wait_for()
        with page.expect_download() as taken:
            page.get_by_role("button", name="Conversations (JSONL)").click()
        lines = [json.loads(line) for line in Path(taken.value.path()).read_text().splitlines()]
        assert [line["id"] for line in lines] == ["c2", "c4"]
        assert lines[0]["metadata"]["comments"][0]["message"] == 1
        with page.expect_download() as taken:
            page.get_by_role("button", name="Comments (CSV)").click()
        _, row = csv.reader(Path(taken.value.path()).read_text().splitlines())
        assert row[0] == "c2"
        assert row[7].startswith("'=1+1 <script>")
        page.get_by_label("with comments").check()
        counted(page, "1 of 5 conversations")
        page.locator("a.opening").click()
        assert page.locator(".comments .text").inner_text().startswith("=1+1 <script>")
        page.get_by_role("button", name="Delete comment 1").click()
        page.get_by_role("heading", name="Comments", exact=True).wait_for()


def test_hostile_text_is_text_and_too_much_of_it_is_cut(
    looked: tuple[Path, str], visit: Callable[..., "Page"]
) -> None:
    page = visit(f"{looked[1]}")
    page.goto(looked[1].partition("?")[0] + "?text=boots&run=first")
    assert page.locator("a.opening").count() == 50
    assert BIDI[0] not in page.content()
    page.locator("a.opening").nth(3).click()
    assert page.get_by_text("<script>document.title='run'</script>").first.is_visible()
    assert page.title() != "run"
    assert page.locator("main img, main script").count() == 0
    assert BIDI[0] not in page.content()
    assert page.get_by_text("more characters").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier_and_nothing_is_wider_than_the_screen(
    looked: tuple[Path, str], visit: Callable[..., "Page"], scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = visit(looked[1], color_scheme=scheme, viewport={"width": width, "height": 900})
    base = page.url
    counted(page, "122 conversations")
    places = [base, f"{base}runs?left=first&right=second", f"{base}?text=nothing+of+the+kind"]
    page.goto(f"{base}?run=recorded")
    places.append(page.locator("a.opening").first.evaluate("link => link.href"))
    page.goto(places[1])
    places.append(page.locator(".matches a").first.evaluate("link => link.href"))
    for place in places:
        page.goto(place)
        for each in page.locator("details").all():
            each.evaluate("element => { element.open = true }")
        found = axe.Axe().run(page).response
        assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found["violations"]] == [], (
            place
        )
        assert len(found["passes"]) > 10
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place


def test_without_the_token_nothing_is_said_and_no_path_leads_out(looked: tuple[Path, str]) -> None:
    _, url = looked
    client = Client(int(url.split(":")[2].partition("/")[0]))
    for path in (
        "/",
        "/state",
        "/runs",
        "/export.jsonl",
        "/static/view.js",
        "/?token=wrong",
        "/c/0000000000000000",
    ):
        reply = client.get(path)
        assert reply.status == 403
        assert "boots" not in reply.body
    assert client.post("/c/0000000000000000/comment", "text=x").status == 403
    client.get(f"/?{url.partition('?')[2]}")
    reply = client.get("/")
    assert reply.status == 200
    assert "default-src 'none'" in (reply.header("content-security-policy") or "")
    key = re.search(r'href="/c/([0-9a-f]{16})"', reply.body)
    assert key is not None
    for path in (
        "/c/..%2f..%2fetc%2fpasswd", "/c/../../etc/passwd", "/static/..%2f..%2fview%2fschema.sql", "/c/%00",
        f"/c/{key[1]}/call/99999999", "/side-by-side?left=../../etc&right=x", "/side-by-side",
    ):  # fmt: skip
        assert client.get(path).status == 404
    assert client.get(f"/?text={'x' * 5_000}").status == 414
    assert client.get("/?page=99999999999&low=nan&order=x&run=%FF").status == 200
    assert client.get("/", Host="evil.example").status == 400
    assert client.post(f"/c/{key[1]}/comment", "text=x", Origin="http://evil.example").status == 403
    assert client.post(f"/c/{key[1]}/comment", "text=+").status == 409
    assert client.post(f"/c/{key[1]}/comment", f"text={'x' * 40_000}").status == 413


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange/notes.txt").write_text("hello")
    (tmp_path / "broken.jsonl").write_text('{"id": "a", "messages": 3}\n')
    folder = run(tmp_path / "run", [conversation(1)])
    for arguments, said in (
        ((), "there is no folder runs here"),
        (("nowhere",), "nowhere: there is no such file or folder"),
        (("empty",), "empty: is empty"),
        (("strange",), "strange"),
        (("broken.jsonl",), "broken.jsonl"),
        (("run", "--comments", folder / "c.sqlite"), "lies in a run's folder"),
        (("run", "--host", "nowhere.invalid"), "no such host is known"),
    ):
        done = typed("view", *arguments, "--port", "0", cwd=tmp_path)
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (2, "")
        assert said in line
    with viewing(tmp_path, "run") as (_, url):
        done = typed("view", "run", "--port", url.split(":")[2].partition("/")[0], cwd=tmp_path)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 2
        assert "is in use; pass another --port" in line
    assert {path.name for path in folder.iterdir()} == {"conversations.jsonl", "manifest.json"}
