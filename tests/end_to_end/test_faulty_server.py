"""One run with a server that goes wrong in another way in each conversation: each is a record with its reason."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from convsim.schema.conversation import Conversation
from tests.end_to_end.commands import typed
from tests.end_to_end.faulty_server import FINE, Speaks, answered, body, faulty, modes
from tests.end_to_end.runs import held, prepare
from tests.hanging import SECONDS
from tests.unit.models.loopback import Reply, Request, answering

AT_ONCE = 100
N_FINE = 8
SHORT_S, LONG_S = 2, 60
"""How long an answer may take where all is late, and where nothing is: a busy machine makes nobody late there."""
MODEL = ("model.model=m", "model.max_retries=0", "model.timeout_s={timeout_s}")
CLIENTS: dict[str, tuple[Speaks, tuple[str, ...], tuple[str, ...]]] = {
    "agent http": (
        "http",
        ("--shopper", "mine:Brief", "--agent", "http"),
        ("agent.url={url}/reply", "agent.timeout_s={timeout_s}", "agent.max_retries=0"),
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


def people(names: Iterable[str], *, n_fine: int) -> str:
    return "".join(
        f'[[persona]]\nid = "{name}"\ntask = "t"\nneed = "boots mode-{name}"\n' for name in names
    ) + "".join(f'[[persona]]\nid = "fine{n}"\ntask = "t"\nneed = "boots"\n' for n in range(n_fine))


def is_late(reason: str) -> bool:
    """Tell whether nothing but the end of its time ends what goes so."""
    return "answer within" in reason


@pytest.mark.parametrize("client", CLIENTS)
async def test_whatever_a_server_does_each_conversation_is_a_record_and_the_others_are_held(
    tmp_path: Path, client: str
) -> None:
    expected = {mode: reason for mode, reason in modes(CLIENTS[client][0]).items() if not is_late(reason)}
    await hold_and_check(tmp_path, client, expected, n_fine=N_FINE, timeout_s=LONG_S)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_that_never_comes_to_an_end_is_a_record_after_its_time(
    tmp_path: Path, client: str
) -> None:
    expected = {mode: reason for mode, reason in modes(CLIENTS[client][0]).items() if is_late(reason)}
    assert len(expected) == 3
    await hold_and_check(tmp_path, client, expected, n_fine=0, timeout_s=SHORT_S)


async def hold_and_check(
    tmp_path: Path, client: str, expected: Mapping[str, str], *, n_fine: int, timeout_s: int
) -> None:
    speaks, plugins, settings = CLIENTS[client]
    n = len(expected) + n_fine
    env = prepare(tmp_path)
    (tmp_path / "people.toml").write_text(people(expected, n_fine=n_fine), encoding="utf-8")
    async with answering(faulty(speaks, rightly(speaks))) as server, asyncio.timeout(2 * SECONDS):
        url = f"http://127.0.0.1:{server.port}"
        sets = [
            part for setting in settings for part in ("--set", setting.format(url=url, timeout_s=timeout_s))
        ]
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
    kept = by_persona(tmp_path / "run")
    assert len(kept) == n

    wrong = misfits(kept, expected)
    assert not wrong, "\n".join(wrong)
    actors = {c.failure.actor for c in kept.values() if c.failure is not None}
    assert actors == {"shopper" if client.startswith("model") else "agent"}


def by_persona(run: Path) -> dict[str, Conversation]:
    """Read a run, also one in which no user has said anything."""
    conversations = (Conversation.model_validate(fields) for fields in held(run))
    return {c.persona.id: c for c in conversations if c.persona is not None}


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
