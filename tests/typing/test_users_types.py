"""What a user's own type checker says of convsim: mypy in a folder of theirs, with the installed package alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WRONG = {
    "a name that convsim does not have": ("convsim.validat('a', 'b', seed=1)", "attr-defined"),
    "a seed left out": ("convsim.validate('a', 'b')", "call-arg"),
    "a seed left out of a twin": ("convsim.avalidate('a', 'b')", "call-arg"),
    "a seed of the wrong type": ("convsim.validate('a', 'b', seed='1')", "arg-type"),
    "an agent that is a text": ("convsim.Study(echo, 'retrieval', [], seed=1)", "arg-type"),
    "an arm whose agent is a text": ("Arm('good', 'retrieval')", "arg-type"),
    "a shopper without a method": ("convsim.Study(object(), echo, [], seed=1)", "arg-type"),
    "an attribute that a finding does not have": ("print(card.findings[0].estimat)", "attr-defined"),
    "a verdict of no kind": ("bad: str = card.findings", "assignment"),
    "an agent whose reply is of the wrong type": ("agent: Agent = WrongReply()", "assignment"),
    "an agent without a name": ("nameless: Agent = Nameless()", "assignment"),
    "a kind of plugin that there is not": ("make('agent', 'retrieval')", "call-overload"),
}
SETTING = """
import convsim
from convsim.schema import Agent, AgentReply
from convsim.plugins import make
from convsim.simulation import Arm

def echo(conversation: convsim.Conversation) -> str:
    return conversation.id

class WrongReply:
    name = "wrong"
    async def reply(self, conversation: convsim.Conversation, *, seed: int) -> int:
        return 1

class Nameless:
    async def reply(self, conversation: convsim.Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content="x")

card = convsim.validate("a", "b", seed=1)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what mypy says of the users' files and of one line a mistake."""
    folder = tmp_path_factory.mktemp("user")
    for file in HERE.glob("users_*.py"):
        shutil.copy(file, folder)
    lines = [SETTING.strip(), *(line for line, _ in WRONG.values())]
    (folder / "wrong.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    hidden = ("PYTHONPATH", "MYPYPATH", "MYPY_CONFIG_FILE_DIR")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--no-error-summary", "."],
        cwd=folder, env={key: value for key, value in os.environ.items() if key not in hidden},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert checked.returncode in (0, 1), checked.stderr
    return checked.stdout.splitlines()


def test_what_a_user_writes_rightly_is_right_under_strict(said: list[str]) -> None:
    assert [line for line in said if not line.startswith("wrong.py:")] == []


@pytest.mark.parametrize(("line", "code"), WRONG.values(), ids=WRONG)
def test_a_wrong_use_is_reported_where_it_stands(said: list[str], line: str, code: str) -> None:
    number = len(SETTING.strip().splitlines()) + 1 + [wrong for wrong, _ in WRONG.values()].index(line)
    codes = [
        re.findall(r"\[([a-z-]+)\]$", text) for text in said if text.startswith(f"wrong.py:{number}: error")
    ]
    assert [code] in codes, said
