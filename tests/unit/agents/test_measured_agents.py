"""What agents behind an address, a program or an object were asked is counted as what models were."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from convsim.agents import HTTP, Command, LangChain
from convsim.errors import AgentError
from convsim.models.fallback import Fallback
from convsim.models.metering import EndpointMeter, measuring
from convsim.schema import Agent
from convsim.schema.chat_model import Choice, Completion
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.unit.models.loopback import failure, hangs, loopback, whole

ASKS = Conversation(id="c", messages=(Message(role="user", content="boots?"),))


def says(**more: object):
    return whole(200, json.dumps({"content": "these?", **more}).encode())


async def asked(agent: Agent, times: int = 1) -> EndpointMeter:
    """Ask so often, failures included; return the one meter that this moved."""
    with measuring() as measured:
        for seed in range(times):
            with suppress(AgentError):
                await agent.reply(ASKS, seed=seed)
    (meter,) = measured.so_far.endpoints.values()
    return meter


async def test_requests_tries_and_failures_of_an_http_agent_are_what_its_server_saw(monkeypatch):
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.0)
    told = says(usage={"input_tokens": 5, "output_tokens": 3})
    async with loopback(failure(503), told, failure(400)) as server:
        url = f"http://127.0.0.1:{server.port}/chat"
        meter = await asked(HTTP(url=url), times=2)
    assert (meter.model, meter.address) == ("http", url)
    assert (meter.calls, meter.requests, meter.retries) == (2, 3, 1)
    assert meter.requests == len(server.requests)
    assert meter.failures == {"HTTP 400": 1, "HTTP 503": 1}
    assert (meter.latency_s.n, meter.failed_s.n) == (1, 2)
    assert (meter.completions, meter.uncounted, meter.unpriced) == (1, 0, 1)
    assert (meter.input_tokens, meter.output_tokens, meter.cost_usd) == (5, 3, None)
    async with loopback(hangs) as server:
        meter = await asked(HTTP(url=f"http://127.0.0.1:{server.port}/", timeout_s=0.3))
    assert (meter.requests, meter.failures) == (1, {"timed out": 1})


async def test_an_agent_that_tells_no_tokens_has_none_and_one_that_is_not_there_is_unreachable():
    async with loopback(says()) as server:
        meter = await asked(HTTP(url=f"http://127.0.0.1:{server.port}/"))
    assert (meter.completions, meter.uncounted, meter.input_tokens, meter.output_tokens) == (1, 1, None, None)
    meter = await asked(HTTP(url="http://127.0.0.1:9/", max_retries=0))
    assert (meter.failures, meter.completions) == ({"unreachable": 1}, 0)


PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["seed"] == 1:
        raise SystemExit(3)
    if asked["seed"] == 2:
        continue
    print(json.dumps({"content": "these?"}), flush=True)
"""


async def test_a_program_is_measured_whether_it_answers_ends_or_is_late(tmp_path: Path):
    (tmp_path / "shop.py").write_text(PROGRAM)
    agent = Command(command=[sys.executable, str(tmp_path / "shop.py")], timeout_s=5)
    meter = await asked(agent, times=2)
    agent.timeout_s = 1.0
    with measuring() as measured, pytest.raises(AgentError, match="did not answer within"):
        await agent.reply(ASKS, seed=2)
    agent.close()
    assert meter.address == f"the program {Path(sys.executable).name}"
    assert (meter.requests, meter.failures, meter.latency_s.n) == (2, {"other": 1}, 1)
    (late,) = measured.so_far.endpoints.values()
    assert late.failures == {"timed out": 1}


class Runnable:
    def invoke(self, messages: object) -> object:
        return {"content": "these?", "usage": {"prompt_tokens": 4, "completion_tokens": 2}}


async def test_a_runnable_is_measured_with_the_tokens_that_it_tells():
    meter = await asked(LangChain(runnable=Runnable()), times=2)
    assert (meter.model, meter.address, meter.requests) == ("langchain", "this process", 2)
    assert (meter.input_tokens, meter.output_tokens) == (8, 4)


async def test_an_own_model_behind_a_fallback_is_counted_once_and_by_its_own_name(tmp_path: Path):
    models = Own(tells=True), Own(tells=True, name="other")
    model = Fallback(models)
    study = Study(
        Prompted(model=model), lambda c: "Size?", [Persona(id="p", need="boots")], seed=1, n=1, max_turns=2
    )
    await study.arun(tmp_path / "run")
    found = json.loads((tmp_path / "run/manifest.json").read_text())["measured"]["endpoints"]
    asked = {name: each["requests"] for name, each in found.items()}
    assert asked == {f"{own.name} at this process": len(own.calls) for own in models if own.calls}
    assert sum(asked.values()) > 1


@dataclass
class Own:
    """A model of somebody's own: it chooses by completing, and tells its tokens if it is told to."""

    tells: bool
    name: str = "own"
    base_url: str = ""
    calls: list[str] = field(default_factory=list)

    async def complete(self, messages, *, max_tokens, temperature, seed, stop=(), schema=None) -> Completion:
        self.calls.append("complete")
        if len(self.calls) == 2:
            raise RuntimeError("out of order")
        told = {"input_tokens": 6, "output_tokens": 2} if self.tells else {}
        return Completion(text="boots please", finish_reason="stop", **told)

    async def continue_text(self, text, **settings) -> Completion:
        raise NotImplementedError

    async def choose(self, messages, options, *, temperature, seed) -> Choice:
        said = await self.complete(messages, max_tokens=1, temperature=temperature, seed=seed)
        return Choice(index=0, completion=said)


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("record", [True, False])
def test_a_model_of_ones_own_is_counted_where_it_is_asked(tmp_path: Path, tells: bool, record: bool):
    model = Own(tells)
    personas = [Persona(id=f"p{i}", need="boots") for i in range(3)]
    study = Study(Prompted(model=model), lambda c: "Size?", personas, seed=1, n=3, max_turns=2)
    study.run(tmp_path / "run", record=record)
    found = json.loads((tmp_path / "run/manifest.json").read_text())["measured"]["endpoints"]
    meter = found["own at this process"]
    n = len(model.calls)
    assert n > 3
    assert (meter["requests"], meter["failures"], meter["latency_s"]["n"]) == (n, {"other": 1}, n - 1)
    assert (meter["completions"], meter["uncounted"]) == (n - 1, 0 if tells else n - 1)
    assert meter["input_tokens"] == (6 * (n - 1) if tells else None)
    assert "complete" not in vars(model)  # nothing is left on it
