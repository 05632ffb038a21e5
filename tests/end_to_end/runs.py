"""Runs of ``convsim simulate`` as a user types it, with people, a shopper and agents of the test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
CATALOGUE = '{"id": "b1", "title": "Red rain boots", "price": 39.0}\n'
PLUGINS = '''
"""A shopper that says two things and leaves, and agents of every bad kind."""
import asyncio, os, time
from convsim.contracts import AgentReply, UserMove


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
        await asyncio.sleep(float(os.environ.get("SLOW_S", "0.1")))
        return AgentReply(content="this one? " + "x" * 3000)


def raises(conversation):
    if seed_is_odd(conversation):
        raise RuntimeError("out\\nof order")
    return "this one?"


def seed_is_odd(conversation):
    return int(conversation.id, 16) % 2


def returns_none(conversation):
    return None if seed_is_odd(conversation) else "this one?"


def never_answers(conversation):
    time.sleep(3600 if seed_is_odd(conversation) else 0)
    return "this one?"


def items_without_ids(conversation):
    return {"content": "these", "items": [{"title": "boots"}] if seed_is_odd(conversation) else []}


def a_megabyte(conversation):
    return "x" * (1 << 20) if seed_is_odd(conversation) else "this one?"
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
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, cwd=folder,
        env=prepare(folder), timeout=60,
    )  # fmt: skip


def held(run: Path) -> list[dict]:
    """Read a run's conversations; a half line fails."""
    text = (run / "conversations.jsonl").read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]
