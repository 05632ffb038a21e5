"""Runs of ``convsim simulate`` as a user types it, with people, a shopper and agents of the test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.commands import typed

REPOSITORY = Path(__file__).parents[2]

PEOPLE = """
[[persona]]
id = "ann"
task = "footwear"
need = "rain boots"
[[persona]]
id = "bob"
task = "footwear"
need = "red sandals"
budget = 40
"""
CATALOGUE = '{"id": "b1", "title": "Red rain boots", "description": "Red boots for rain.", "price": 39.0}\n'
PLUGINS = '''
"""A shopper that says two things and leaves, and an agent that takes its time."""
import asyncio, os
from pathlib import Path
from convsim.schema import AgentReply, UserMove


class Brief:
    name = "brief"
    learned_from = None

    async def speak(self, conversation, persona, *, seed):
        said = sum(1 for message in conversation.messages if message.role == "user")
        if said == 2:
            return UserMove(action="leave")
        return UserMove(action="say", text=f"{persona.need} {said}")


class Slow:
    name = "slow"

    async def reply(self, conversation, *, seed):
        Path("asked").touch()
        await asyncio.sleep(float(os.environ.get("SLOW_S", "0")))
        return AgentReply(content="this one? " + "x" * 3000)

'''


def prepare(folder: Path) -> dict[str, str]:
    """Write people, a catalogue and plugins to ``folder``; returns the environment that finds the plugins."""
    (folder / "people.toml").write_text(PEOPLE)
    (folder / "items.jsonl").write_text(CATALOGUE)
    (folder / "mine.py").write_text(PLUGINS)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, REPOSITORY)))}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "convsim", "simulate", *map(str, arguments)]


def simulate(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Type ``convsim simulate`` in ``folder``."""
    return typed("simulate", *arguments, cwd=folder, env=prepare(folder))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Type another ``convsim`` command."""
    return typed(*arguments, cwd=REPOSITORY)


def held(folder: Path) -> list[dict]:
    """Read a run's conversations; a half line fails."""
    text = (folder / "conversations.jsonl").read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]
