"""The guide becomes a site by ``mkdocs build``: strictly, without the network, with today's commands and functions."""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

import convsim
from convsim.cli.guide import topics
from tests.end_to_end.commands import environment, typed
from tests.end_to_end.guide import COMMANDS
from tests.end_to_end.validating import REPOSITORY

pytest.importorskip("mkdocs", reason='the extra "docs" is not installed')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    quiet = {**environment(), "NO_MKDOCS_2_WARNING": "1"}
    words = [
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-q",
        "-f",
        str(REPOSITORY / ".github/mkdocs.yml"),
        "-d",
        str(folder),
    ]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=quiet, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_stands_in_the_menu_in_the_order_of_the_index(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    menu = re.findall(r'<a href="([\w-]+)\.html" class="md-nav__link">', page)
    assert menu == [*topics(), "commands", "api", "validators", "calibration"]


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"', text)
        fetched += re.findall(r'<link[^>]*rel="(?:stylesheet|icon|preconnect|preload)"[^>]*>', text)
        assert fetched
        assert not [each for each in fetched if "//" in each], page.name


def test_the_reference_of_commands_is_their_help_pages(site: Path) -> None:
    page = (site / "commands.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page)))
    for path in COMMANDS:
        told = re.sub(r"\s+", " ", typed(*path, "--help").stdout).strip()
        assert told in text, path


def test_the_reference_of_python_has_every_public_name(site: Path) -> None:
    page = (site / "api.html").read_text(encoding="utf-8")
    for name in convsim.__all__:
        assert name == "__version__" or f'id="convsim.{name}"' in page, name
