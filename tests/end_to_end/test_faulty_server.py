"""One run with a server that goes wrong in another way in each conversation: each is a record with its reason."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from convsim import read
from convsim.schema.conversation import Conversation
from tests.end_to_end.commands import typed
from tests.end_to_end.faulty_server import FINE, Speaks, answered, body, faulty, modes
from tests.end_to_end.runs import prepare
from tests.hanging import SECONDS
from tests.unit.models.loopback import Reply, Request, answering

AT_ONCE = 100
N_FINE = 8
MODEL = ("model.model=m", "model.max_retries=0", "model.timeout_s=3")
CLIENTS: dict[str, tuple[Speaks, tuple[str, ...], tuple[str, ...]]] = {
    "agent http": (
        "http",
        ("--shopper", "mine:Brief", "--agent", "http"),
        ("agent.url={url}/reply", "agent.timeout_s=3", "agent.max_retries=0"),
    ),
    "agent openai_chat": (
        "chat",
        ("--shopper", "mine:Brief", "--agent", "openai_chat", "--model", "openai_compatible"),
        ("model.base_url={url}/v1", *MODEL),
    ),
    "model openai_compatible": (
        "chat",
        ("--shopper", "prompted", "--model", "openai_compatible"),
        ("model.base_url={url}/v1", *MODEL),
    ),
}


def rightly(speaks: Speaks) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        leaves = "response_format" in request.body
        return answered(200, body(speaks, '{"choice": "leave"}' if leaves else "this one?"))

    return answer


def people(names: list[str]) -> str:
    return "".join(
        f'[[persona]]\nid = "{name}"\ntask = "t"\nneed = "boots mode-{name}"\n' for name in names
    ) + "".join(f'[[persona]]\nid = "fine{n}"\ntask = "t"\nneed = "boots"\n' for n in range(N_FINE))


@pytest.mark.parametrize("client", CLIENTS)
async def test_whatever_a_server_does_each_conversation_is_a_record_and_the_others_are_held(
    tmp_path: Path, client: str
) -> None:
    speaks, plugins, settings = CLIENTS[client]
    expected = modes(speaks)
    n = len(expected) + N_FINE
    env = prepare(tmp_path)
    (tmp_path / "people.toml").write_text(people([*expected]), encoding="utf-8")
    async with answering(faulty(speaks, rightly(speaks))) as server, asyncio.timeout(SECONDS):
        url = f"http://127.0.0.1:{server.port}"
        sets = [part for setting in settings for part in ("--set", setting.format(url=url))]
        asked: tuple[object, ...] = (
            "simulate",
            *plugins,
            *sets,
            "--personas",
            "people.toml",
            "--catalogue",
            "items.jsonl",
        )
        asked = (*asked, "--no-check", "--n", n, "--max-turns", 2, "--concurrency", AT_ONCE, "--out", "run")
        done = await asyncio.to_thread(typed, *asked, cwd=tmp_path, env=env)
    assert "Traceback" not in done.stderr
    assert done.returncode == 3, done.stderr  # more than 5 % have failed
    held = {c.persona.id: c for c in read(tmp_path / "run").conversations if c.persona is not None}
    assert len(held) == n

    wrong = misfits(held, expected)
    assert not wrong, "\n".join(wrong)
    actors = {c.failure.actor for c in held.values() if c.failure is not None}
    assert actors == {"shopper" if client.startswith("model") else "agent"}


def misfits(held: Mapping[str, Conversation], expected: Mapping[str, str]) -> list[str]:
    """Say which conversations have not ended in the reason that is expected, or with none where none is."""
    return [
        f"{name}: {conversation.failure!s:.300}"
        for name, conversation in held.items()
        if not _fits(conversation, expected.get(name, FINE))
    ]


def _fits(conversation: Conversation, pattern: str) -> bool:
    failure = conversation.failure
    if failure is None or pattern == FINE:
        return failure is None and pattern == FINE
    return failure.reason.isprintable() and re.search(pattern, failure.reason) is not None
