"""The guide is whole: its links lead somewhere, its messages are convsim's, and ``convsim guide`` shows its pages."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt

from convsim.cli.app import app
from convsim.cli.guide import topics
from tests.end_to_end.commands import environment, typed
from tests.end_to_end.guide import BLOCK, COMMANDS, GUIDE, PAGES, README, blocks, inline
from tests.end_to_end.validating import NAIVE, PEOPLE, REPOSITORY, line, written

WRITTEN = [
    *PAGES,
    *(
        REPOSITORY / name
        for name in ("validators/README.md", "validators/CALIBRATION.md", "CONTRIBUTING.md", "SECURITY.md")
    ),
]
TROUBLES = GUIDE / "troubleshooting.md"
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("convsim", "validators")
    for path in (REPOSITORY / folder).rglob("*.py")
)
QUOTED = re.compile(r"^### `(.+)`$", re.MULTILINE)
HOSTED = "--shopper prompted --model openai_compatible --set model.model=x"
PRODUCED = {
    "there is no such file": "validate nowhere.jsonl few.jsonl",
    "is a table; one row a message is read by: convsim data import": "validate table.csv few.jsonl",
    "no column tells which conversation a message belongs to": "data import table.csv",
    "is not JSON": "data describe damaged.jsonl",
    "contains no user message in any conversation": "data describe silent.jsonl --reader convsim",
    "a simulator is not judged on people it copied": "validate few.jsonl few.jsonl --validators marginals",
    "labels that only the real conversations have (not compared)":
    "validate rated.jsonl few.jsonl --validators marginals",
    "the real data have no arm": "counterfactual few.jsonl few.jsonl --control good --treatment worse",
    "there is no metric or label": "validate few.jsonl few.jsonl --metrics turnz",
    "needs a key: the variable … is not set": f"simulate {HOSTED} --n 1",
    "cannot be reached": f"check {HOSTED} --set model.base_url=http://127.0.0.1:9/v1 --set model.max_retries=0",
    "was made with another plan": "simulate --n 2 --out made",
    "is there already and was not written by this command":
    "validate few.jsonl few.jsonl --validators marginals --out taken",
    "there is no convsim.… plugin": "simulate --shopper nobody",
    "there is no module … neither installed nor in the current folder": "simulate --agent shop:agent",
    "has no setting": "simulate --set shopper.kk=3",
    "the shopper is not judged on people that it learned from": "simulate --real many.jsonl --judged-on many.jsonl"
    " --until-decided habits --n 1",
    "the price of … is not known": f"simulate {HOSTED} --budget-usd 1",
    "no model at …: give a folder with config.json and weights, or a .gguf file":
    "simulate --shopper sft --model nowhere/at --n 1 --out s",
}  # fmt: skip
"""What one types to get a message. The others stand in the sources."""


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    parts = [child for token in tokens for child in token.children or ()]
    return [
        str(part.attrs.get("href") or part.attrs.get("src"))
        for part in parts
        if part.type in ("link_open", "image")
    ]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(REPOSITORY), link
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_the_index_lists_every_page_once() -> None:
    assert sorted(topics()) == sorted(page.stem for page in GUIDE.glob("*.md") if page.stem != "README")
    assert all(10 < len(line) <= 62 for line in topics().values())


def test_every_command_that_is_named_exists_with_its_options_and_every_command_is_named() -> None:
    named = set()
    above = {name for option in typer.main.get_command(app).params for name in option.opts}
    every = above | {
        name
        for leaf in COMMANDS.values()
        for option in leaf.params
        for name in (*option.opts, *option.secondary_opts)
    }
    for page in PAGES:
        code = [
            *inline(page),
            *(" ".join(words) for b in blocks(page) if b.language == "sh" for words in b.commands),
        ]
        for text in code:
            if text.startswith("docker"):  # its own options stand before the name of the image
                text = text.partition(" convsim ")[2] and f"convsim {text.partition(' convsim ')[2]}"
            options = [
                option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text) if option != "--help"
            ]
            found = re.search(r"\bconvsim (?:--traceback )?([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", text)
            if found is None or text.startswith(("convsim.", "pip")):
                of_others = any(word in text for word in ("pip", "pytest", "ray start"))
                assert of_others or set(options) <= every, f"{page.name}: {text}"
                continue
            path = next((p for p in ((found[1], found[2]), (found[1],)) if p in COMMANDS), None)
            assert path is not None, f"{page.name}: {text}"
            named.add(path)
            known = {
                name for option in COMMANDS[path].params for name in (*option.opts, *option.secondary_opts)
            }
            assert set(options) <= {*known, *above}, f"{page.name}: {text}"
    assert set(COMMANDS) == named


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which everything is as it should not be."""
    folder = tmp_path_factory.mktemp("troubled")
    written(folder / "few.jsonl", [line(n) for n in range(12)])
    written(folder / "many.jsonl", [line(n) for n in range(40)])
    rated = {"satisfaction": {"value": 1, "source": "self", "scale": [0, 1]}}
    written(folder / "rated.jsonl", [line(n + 100, labels=rated) for n in range(12)])
    written(folder / "table.csv", ["a,b", "1,2"])
    written(folder / "damaged.jsonl", [line(0), '{"id": "c1'])
    written(folder / "silent.jsonl", ['{"id": "c", "messages": [{"role": "assistant", "content": "x"}]}'])
    (folder / "taken").mkdir()
    written(folder / "taken/findings.json", ["somebody's"])
    assert typed("simulate", "--n", "1", "--max-turns", "2", "--out", "made", cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize("message", QUOTED.findall(TROUBLES.read_text(encoding="utf-8")))
def test_a_message_of_the_troubleshooting_page_is_one_that_convsim_prints(
    message: str, troubled: Path
) -> None:
    pieces = [re.escape(piece.strip()) for piece in message.split("…") if piece.strip()]
    if message in PRODUCED:
        plain = {name: value for name, value in environment().items() if name != "OPENAI_API_KEY"}
        done = typed(*PRODUCED[message].split(), cwd=troubled, env=plain)
        assert re.search(".*".join(pieces), " ".join((done.stdout + done.stderr).split())), done.stderr
    else:
        assert all(re.search(piece, SOURCES) for piece in pieces)


def test_the_guide_lists_its_pages_with_a_line_each() -> None:
    done = typed("guide")
    assert done.returncode == 0
    assert [row.split()[0] for row in done.stdout.splitlines()] == list(topics())
    assert "convsim guide TOPIC" in done.stderr


def test_a_page_goes_into_a_pipe_as_it_is_written() -> None:
    done = typed("guide", "first-study")
    assert (done.returncode, done.stdout) == (0, (GUIDE / "first-study.md").read_text(encoding="utf-8"))


def test_a_wrong_topic_is_one_line_with_the_nearest_right_one() -> None:
    done = typed("guide", "anotators")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: the guide has no page 'anotators'; did you mean annotators? (convsim guide lists the pages)\n"
    )


def test_a_terminal_gets_the_page_in_its_own_width_with_commands_for_links() -> None:
    told, ours = pty.openpty()
    terminal = {**environment(), "COLUMNS": "80", "TERM": "xterm-256color"}
    running = subprocess.Popen(
        [sys.executable, "-m", "convsim", "guide", "scorecard"], stdout=ours, stderr=ours, env=terminal
    )
    os.close(ours)
    said = b""
    while True:
        try:
            part = os.read(told, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(told)
    assert running.wait() == 0
    text = re.sub(r"\x1b\[[\d;]*m", "", said.decode())
    assert max(len(row) for row in text.splitlines()) <= 80
    assert "convsim guide counterfactual" in text
    assert "](" not in text
    assert "\x1b[1m" in said.decode()


def test_the_rows_that_the_readme_shows_are_those_of_the_demos_naive_simulator() -> None:
    [sample] = [block.text for block in blocks(README) if block.language == "text"]
    done = typed("validate", PEOPLE, NAIVE, "--validators", "marginals")
    printed = {" ".join(row.split()) for row in done.stdout.splitlines()}
    for row in sample.splitlines():
        if not row.startswith("─"):
            assert " ".join(row.split()) in printed
