"""Two small sides to compare; people, a base and a way to train a shopper on them; a page in a real browser."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.end_to_end.commands import Forks, forks
from tests.end_to_end.training import conversation, log
from tests.end_to_end.validating import line, written
from tests.unit.models.tiny import make_tiny


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return written(tmp_path / "real.jsonl", [line(n) for n in range(30)])


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    return written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(30)])


@pytest.fixture(scope="session")
def convsim() -> Forks:
    return forks("models") if find_spec("peft") else forks()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"), context=1024)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log(tmp_path_factory.mktemp("people") / "log.jsonl", [conversation(n) for n in range(24)])


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="the browser's tests need playwright")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("the browser's tests need chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture
def opened(browser, address):
    """Open the page at the module's ``address`` as somebody would see it, with what it asked for, said and did."""
    contexts = []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.seen = {"requests": [], "dialogs": [], "console": []}
        page.on("request", lambda request: page.seen["requests"].append(request.url))
        page.on("console", lambda message: page.seen["console"].append(message.text))
        page.on("dialog", lambda dialog: (page.seen["dialogs"].append(dialog.message), dialog.dismiss()))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
