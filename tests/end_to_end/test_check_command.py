"""``convsim check``, and the same before a run, against servers on loopback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from subprocess import CompletedProcess

from tests.end_to_end.commands import typed
from tests.end_to_end.runs import prepare
from tests.hanging import SECONDS
from tests.junit import outcomes
from tests.unit.models.loopback import Reply, Request, answering, chat, failure

MODEL = (
    "--shopper",
    "prompted",
    "--agent",
    "mine:Slow",
    "--model",
    "openai_compatible",
    "--set",
    "model.model=m",
)


def without_seed(request: Request) -> Reply:
    if "seed" in request.body:
        return failure(400, "Unsupported parameter: 'seed' is not supported with this model.")
    return chat('{"choice": "leave"}' if "response_format" in request.body else "hi there")


async def test_a_check_says_what_works_and_a_run_that_cannot_is_not_begun(tmp_path: Path) -> None:
    env = prepare(tmp_path)

    async with (
        answering(without_seed) as server,
        answering(lambda _: failure(404, "no such model")) as broken,
        asyncio.timeout(SECONDS),
    ):

        async def convsim(command: str, *arguments: object, url: str) -> CompletedProcess[str]:
            given = (
                command, *MODEL, "--personas", "people.toml", "--set", f"model.base_url={url}",
                "--set", "model.max_retries=0", "--n", 21, *arguments,
            )  # fmt: skip
            return await asyncio.to_thread(typed, *given, cwd=tmp_path, env=env)

        done = await convsim("check", "--format", "json", url=server.base_url)
        assert (done.returncode, done.stderr) == (0, "")
        found = json.loads(done.stdout)
        assert (found["schema"], found["fails"]) == ("convsim.check/1", False)
        assert {each["what"] for each in found["checks"] if each["state"] == "changed"} == {
            "seed",
            "settings",
        }
        assert found["estimate"]["unpriced"] == ["m"]
        assert found["estimate"]["cost_usd"] is None

        done = await convsim("check", "--junit", "junit.xml", url=broken.base_url)
        assert done.returncode == 3
        parts = outcomes((tmp_path / "junit.xml").read_text(encoding="utf-8"))
        assert parts["model m"]["chat"] == "failure"
        assert done.stdout.startswith("fails    model m, chat: ")
        assert "check model.model and model.base_url" in done.stdout

        done = await convsim("simulate", "--out", "run", url=broken.base_url)
        assert done.returncode == 3
        assert "check: model m, chat: " in done.stderr
        assert not (tmp_path / "run").exists()
        asked = len(broken.requests)

        done = await convsim(
            "simulate", "--no-check", "--concurrency", 1, "--out", "run", url=broken.base_url
        )
        assert done.returncode == 3
        assert len(broken.requests) - asked == 5
        assert "stopped: all failed for the same reason" in done.stderr
        assert "what helps: check model.model and model.base_url" in done.stderr
