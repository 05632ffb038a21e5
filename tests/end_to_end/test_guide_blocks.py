"""Every command and every block of code that README.md and the guide show is run, page by page, from top to bottom.

``guide.toml`` names what is not run, why, and what tries it instead; such a command is parsed by convsim's own parser.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import convsim
from convsim.evaluation.halving import read_grid
from convsim.io.table.mapping import TableMapping
from convsim.simulation import Assembly
from convsim.simulation.config import read_study
from tests.end_to_end.commands import environment, typed
from tests.end_to_end.guide import PAGES, README, Block, blocks, parsed, prepare
from tests.end_to_end.validating import REPOSITORY

RULES = tomllib.loads((REPOSITORY / "tests/end_to_end/guide.toml").read_text(encoding="utf-8"))
FAILS = ("--fail-on", "--gate")
"""Options by which a command may exit with 1."""
SET_UP = ("convsim demo", "--dist worksteal")
"""How the README's two set-up commands end: test_readme.py runs the demo, and .ci/run the tests."""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide") / "files"
    folder.mkdir()
    prepare(folder)
    return folder


def excused(words: list[str]) -> bool:
    line = " ".join(words)
    return any(line.startswith(rule["starts"]) for rule in RULES["not_run"])


def run_command(words: list[str], folder: Path, made: set[str]) -> None:
    if words[:2] == ["pip", "install"]:  # tests/end_to_end/test_readme_installs.py
        return
    if words[0] in ("docker", "export", "ray"):
        assert excused(words), words
        if words[:2] == ["docker", "run"]:
            parsed(words[words.index("convsim") + 1 :])
        return
    assert words[0] == "convsim", words
    if excused(words):
        parsed(words[1:])
        return
    quick = RULES["quick"].get(words[1], "")
    if quick.startswith("--validators") and "--validators" in words:
        quick = ""
    if "--out" in words and (out := words[words.index("--out") + 1]) not in made:
        made.add(out)  # what the page makes itself is not there before
        shutil.rmtree(folder / out, ignore_errors=True)
    done = typed(*words[1:], *shlex.split(quick), cwd=folder, env=keys())
    may = (0, 1) if any(option in words for option in FAILS) else (0,)
    assert done.returncode in may, f"{shlex.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def keys() -> dict[str, str]:
    return {**environment(), "OPENAI_API_KEY": "none", "SHOP_KEY": "none"}


def run_python(block: Block, folder: Path) -> None:
    name = block.file or ""
    if name.startswith("test_"):
        words = [
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
            "-c",
            os.devnull,
            "--rootdir",
            ".",
            name,
        ]
    elif name:
        words = ["-c", f"import {name.removesuffix('.py')}"]
    else:
        words = ["-c", block.text]
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=keys(), capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    if name.startswith("test_"):
        # Whether so few conversations are like people is not the page's matter: that they are held and judged is.
        assert done.returncode in (0, 1), done.stdout + done.stderr
        assert " passed" in done.stdout or "findings" in done.stdout, done.stdout
    else:
        assert done.returncode == 0, done.stderr


def read_toml(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a file as the command does that takes it; gates, personas and relations are read by the page's commands."""
    file = folder / (block.file or "")
    assert block.file, f"name this file in its first line, as # NAME.toml:\n{block.text}"
    tables = tomllib.loads(block.text)
    if block.file == "map.toml":
        TableMapping.read(file)
    elif "grid" in tables:
        assert len(read_grid(file)) == 2
    elif tables.keys() & {"study", "agent", "model", "shopper", "mixture"}:
        for key in ("OPENAI_API_KEY", "SHOP_KEY"):
            monkeypatch.setenv(key, "none")
        monkeypatch.chdir(folder)
        assembly = Assembly(read_study(file))
        assert assembly.agent().name
        assert assembly.shopper().name
    else:
        assert tables.keys() <= {"headline", "metric", "persona", "relation"}


def read_yaml(block: Block, folder: Path) -> None:
    """Give a workflow to GitHub's schema and its inputs to the action; of single steps, commands to the parser."""
    if block.file:
        schema = ("--builtin-schema", "vendor.github-workflows", block.file)
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *schema],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        action = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
        [job] = yaml.safe_load(block.text)["jobs"].values()
        [given] = [step["with"] for step in job["steps"] if "/convsim@" in step["uses"]]
        assert given.keys() <= action["inputs"].keys()
        parsed(["validate", given["real"], given["simulated"], *given["arguments"].split()])
        return
    lines = [
        words for step in yaml.safe_load(block.text) for words in [shlex.split(step.get("run", ""))] if words
    ]
    assert len(lines) >= 2
    for words in lines:
        if words[0] == "convsim":
            parsed(words[1:])


SHOWN = [
    pytest.param(page, id=page.stem, marks=[pytest.mark.smoke] if page == README else [])
    for page in PAGES
    if blocks(page)
]


@pytest.mark.parametrize("page", SHOWN)
def test_what_a_page_shows_can_be_done(page: Path, prepared: Path, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "files"
    shutil.copytree(prepared, folder)
    made: set[str] = set()
    for block in blocks(page):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
        match block.language:
            case "sh":
                if page == README and block.text.strip().endswith(SET_UP):
                    continue
                for words in block.commands:
                    run_command(words, folder, made)
            case "python":
                if page == README or block not in blocks(README):
                    run_python(block, folder)
            case "toml":
                read_toml(block, folder, monkeypatch)
            case "yaml":
                read_yaml(block, folder)
            case "json":
                (folder / "shown.jsonl").write_text(
                    json.dumps(json.loads(block.text)) + "\n", encoding="utf-8"
                )
                [shown] = convsim.read(folder / "shown.jsonl").conversations
                assert shown.messages[-1].accepted
            case language:
                assert language == "text", f"{page.name}: who runs a block of {language!r}?"


def test_what_is_not_run_is_named_with_a_reason_and_a_test_and_is_shown_by_a_page() -> None:
    shown = [
        " ".join(words)
        for page in PAGES
        for block in blocks(page)
        if block.language == "sh"
        for words in block.commands
    ]
    for rule in RULES["not_run"]:
        assert rule["reason"]
        assert (REPOSITORY / rule["instead"]).is_file(), rule
        assert any(line.startswith(rule["starts"]) for line in shown), rule
