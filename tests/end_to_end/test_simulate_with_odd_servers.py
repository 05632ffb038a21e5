"""Runs against servers that are odd but usable: nothing fails, and what was done otherwise stands in the manifest."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convsim.models import OpenAICompatible
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.doubles import Obliging, people
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import held, prepare
from tests.unit.models.loopback import Request, answering, failure, whole

OPENING = "red boots please"


def completion(request: Request, *, wrap: Callable[[str], Any] = str, **more: Any) -> dict[str, Any]:
    """Leave where a choice is asked for, in whatever way, and else say something."""
    chooses = "leave" in json.dumps(request.body)
    said = '{"choice": "leave"}' if chooses else OPENING
    choice = {"message": {"content": wrap(said)}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 7}, **more}


def refuses(request: Request, *names: str) -> str | None:
    return next((name for name in names if name in request.body), None)


Odd = Callable[[Request, int], Any]
"""What a server makes of a request and of how many there were before: a document, or a reply."""


def all_bad(request: Request, asked: int) -> Any:
    if name := refuses(request, "temperature", "seed", "max_tokens", "response_format"):
        return failure(400, f"Unsupported parameter: '{name}' is not supported with this model.")
    return completion(request)


def error_in_200(request: Request, asked: int) -> Any:
    return (
        {"error": {"message": "Provider returned error", "code": 502}}
        if asked % 2 == 0
        else completion(request)
    )


def told_to_wait(request: Request, asked: int) -> Any:
    return failure(429, "Please try again in 10ms.") if asked % 2 == 0 else completion(request)


def strict(request: Request, asked: int) -> Any:
    roles = [message["role"] for message in request.body["messages"]]
    if roles != (["user", "assistant"] * len(roles))[: len(roles)]:
        return failure(400, "Conversation roles must alternate user/assistant/user/assistant/...")
    return completion(request)


# The shopper's two requests count 11 and 7 tokens each, and the agent 3 and 2.
ODD: dict[str, tuple[Odd, set[str], tuple[int | None, int | None]]] = {
    "usual": (lambda request, asked: completion(request), set(), (25, 16)),
    "nothing is supported": (
        all_bad, {"temperature", "seed", "max_tokens", "response_format"}, (25, 16),
    ),
    "usage null": (lambda request, asked: completion(request, usage=None), set(), (None, None)),
    "usage partial": (
        lambda request, asked: completion(request, usage={"prompt_tokens": 11}), set(), (25, None),
    ),
    "parts": (
        lambda request, asked: completion(
            request, wrap=lambda said: [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": said}]
        ),
        set(), (25, 16),
    ),
    "thinking aloud": (
        lambda request, asked: completion(request, wrap="analysisThe user wants boots.assistantfinal{}".format),
        set(), (25, 16),
    ),
    "an error in 200": (error_in_200, set(), (25, 16)),
    "a wait in words": (told_to_wait, set(), (25, 16)),
    "strict roles": (strict, {"system"}, (25, 16)),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_a_run_with_an_odd_server_fails_nowhere_and_says_what_was_done_otherwise(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)
    odd, learned, counted = ODD[name]

    def reply(request: Request) -> Any:
        answer = odd(request, len(server.requests) - 1)
        return answer if callable(answer) else whole(200, json.dumps(answer).encode())

    async with answering(reply) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, max_retries=3, timeout_s=5)
        study = Study(Prompted(model), Obliging(), people(2), seed=1, n=2, max_turns=3)
        outcome = await asyncio.to_thread(study.run, tmp_path)
    assert (outcome.held, outcome.failed) == (2, 0)
    for conversation in held(tmp_path):
        assert [m["content"] for m in conversation["messages"] if m["role"] == "user"] == [OPENING]
        assert (conversation["usage"]["input_tokens"], conversation["usage"]["output_tokens"]) == counted
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert {*manifest.get("learned", {}).get("m-1", {})} == learned
    if "seed" in learned:
        assert "cannot be repeated" in manifest["learned"]["m-1"]["seed"]


async def test_tokens_that_are_not_counted_leave_the_cost_unknown_and_end_a_run_with_a_budget(
    tmp_path: Path,
) -> None:
    def reply(request: Request) -> Any:
        return whole(200, json.dumps(completion(request, usage=None)).encode())

    async with answering(reply) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, max_retries=0, timeout_s=5)
        study = Study(
            Prompted(model), Obliging(), people(3), seed=1, n=3, max_turns=3, concurrency=1, budget_usd=5.0
        )
        outcome = await asyncio.to_thread(study.run, tmp_path)
    assert (outcome.held, outcome.uncounted, outcome.stop, outcome.cost_usd) == (1, 1, "uncounted", None)


async def test_a_command_says_once_what_was_learned_and_goes_on_with_more_patience(tmp_path: Path) -> None:
    waits = [True]

    def reply(request: Request) -> Any:
        if waits[0]:
            return failure(429, "Rate limit reached. Please try again in 2s.")
        if "seed" in request.body:
            return failure(400, "Unknown parameter: 'seed'.")
        return whole(200, json.dumps(completion(request)).encode())

    env = prepare(tmp_path)
    async with answering(reply) as server:
        sets = ("model.model=m-1", f"model.base_url={server.base_url}")
        asked: tuple[object, ...] = ("simulate", "--shopper", "prompted", "--model", "openai_compatible")
        asked += tuple(part for setting in sets for part in ("--set", setting))
        asked += ("--agent", "mine:Slow", "--personas", "people.toml", "--n", 2, "--out", "run")
        refused = await asyncio.to_thread(typed, *asked, "--max-wait", 1, cwd=tmp_path, env=env)
        waits[0] = False
        done = await asyncio.to_thread(
            typed, *asked, "--max-wait", 3, "--retry-failed", cwd=tmp_path, env=env
        )
    assert refused.returncode == 3
    assert "asks to wait 2 s, longer than max_wait_s = 1 (--max-wait)" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("seed: left out") == 1
    alone = typed("simulate", "--max-wait", 3, cwd=tmp_path, env=env)
    assert alone.returncode == 2
    assert "--max-wait: no model's server is asked" in alone.stderr
