"""The pages that users read: README.md and ``convsim/guide/``, their blocks of code, and files for their commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

import convsim
from convsim.cli.app import app
from convsim.cli.process import Asked
from tests.end_to_end.commands import typed
from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, REPOSITORY

README = REPOSITORY / "README.md"
GUIDE = REPOSITORY / "convsim/guide"
PAGES = [README, *sorted(GUIDE.glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\S+\.(?:toml|py|yml))\n")
"""The first line of a block that is a file."""


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text, and the file that it is where its first line says so."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        named = NAMED.match(self.text)
        return named[1] if named else None

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command; a line that ends in a backslash goes on in the next."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def inline(page: Path) -> list[str]:
    """Return the pieces of code within a page's sentences."""
    return re.findall(r"`([^`\n]+)`", BLOCK.sub("", page.read_text(encoding="utf-8")))


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
    for name, each in (below or {}).items():
        yield from leaves(each, (*path, name))


WHOLE = typer.main.get_command(app)
COMMANDS = dict(leaves(WHOLE))


def parsed(words: list[str]) -> tuple[str, ...]:
    """Give a command's words to convsim's own parser, and run nothing; returns which command it is."""
    found: list[tuple[str, ...]] = []
    for path, leaf in COMMANDS.items():
        leaf.callback = lambda path=path, **given: found.append(path)
    WHOLE(words, obj=Asked(), standalone_mode=False, complete_var="")
    [path] = found
    return path


def prepare(folder: Path) -> None:
    """Write the files that the pages name: people in two arms with their ratings, simulators, a table, runs."""
    people = convsim.read(PEOPLE).conversations
    arms = {arm: [each for each in people if each.arm == arm] for arm in ("good", "bad")}
    cuts = {
        "people": (0, 64, 0, 24),
        "real": (64, 108, 24, 44),
        "learn": (108, 148, 44, 54),
        "held_out": (148, 188, 54, 64),
    }
    sides = {name: arms["good"][a:b] + arms["bad"][c:d] for name, (a, b, c, d) in cuts.items()}
    for name, side in sides.items():
        convsim.write(folder / f"{name}.jsonl", side)
    convsim.write(folder / "old.jsonl", sides["people"])
    convsim.write(folder / "new.jsonl", sides["real"])
    months = [
        each.model_copy(update={"metadata": {**each.metadata, "date": f"2026-0{1 + n % 3}-{1 + n % 28:02}"}})
        for n, each in enumerate(sides["people"] + sides["real"])
    ]
    convsim.write(folder / "logs.jsonl", months)
    convsim.write(folder / "simulated.jsonl", convsim.read(NAIVE).conversations[:40])
    rows = ["ticket;Von;Nachricht"]
    for each in convsim.read(CLOSE).conversations[:12]:
        who = {"user": "Kundin", "assistant": "Beratung"}
        rows += [f'{each.id};{who[m.role]};"{m.content}"' for m in each.messages if m.role in who]
    (folder / "chats.csv").write_text("\n".join(rows).replace('""', '"') + "\n", encoding="utf-8")
    made = ("simulate", "--real", "learn.jsonl", "--arm", "good", "--fault", "bad", "--n", "20")
    for seed, name in enumerate(("run", "other-run")):
        done = typed(*made, "--seed", seed, "--out", name, cwd=folder)
        assert done.returncode == 0, done.stderr
    split = typed(
        "data", "split", "people.jsonl", "--by", "user", "--seed", "1", "--out", "halves", cwd=folder
    )
    assert split.returncode == 0, split.stderr
