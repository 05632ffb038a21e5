"""A run whose model fails goes on with the next, and says message by message who answered."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from convsim.agents import LLM
from convsim.errors import InputError
from convsim.evaluation.side_warnings import side_warnings
from convsim.io import read
from convsim.models import OpenAICompatible, Recorded
from convsim.models.fallback import Fallback
from convsim.models.hearing import Calls
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.unit.models.loopback import Loopback, Request, answering, failure
from tests.unit.simulation.test_measured import answer

LASTS = 5
"""Requests that the first server answers before it dies."""


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.0)


def dies(after: int):
    """Answer so many requests, and fail from then on."""
    seen: list[Request] = []

    def reply(request: Request):
        seen.append(request)
        return answer(request) if len(seen) <= after else failure(500, "on fire")

    return reply


def models(one: Loopback, other: Loopback) -> Fallback:
    return Fallback(
        tuple(
            OpenAICompatible(model=name, base_url=server.base_url, max_retries=1)
            for name, server in (("a", one), ("b", other))
        )
    )


def study(model: Fallback, n: int = 2, agent=None) -> Study:
    personas = [Persona(id=f"p{i}", need="boots") for i in range(3)]
    return Study(
        Prompted(model=model), agent or (lambda c: "What size?"), personas, seed=1, n=n, max_turns=3, concurrency=1,
        model=model.name,
    )  # fmt: skip


def manifest(folder: Path) -> dict:
    found: dict = json.loads((folder / "manifest.json").read_text())
    return found


async def test_a_server_that_dies_in_the_middle_is_stood_in_for_message_by_message(tmp_path: Path):
    async with answering(dies(LASTS)) as one, answering(answer) as other:
        model = models(one, other)
        outcome = await study(model).arun(tmp_path / "run", record=True)
        for each in model.in_order:
            await cast(Any, each).aclose()
    said = [m for c in read(tmp_path / "run") for m in c.messages if m.role == "user"]
    noted = [m.metadata.get("fallback") for m in said]
    # The first message is one request, each later one a decision and words: the third is the first that fails.
    assert noted == [None, None, None, ["b"], ["b"], ["b"]]
    assert (outcome.failed, outcome.fallbacks) == (0, {("shopper", "b"): 3})
    found = manifest(tmp_path / "run")
    assert found["outcome"]["fallback_messages"] == {"shopper": {"b": 3}}
    meters = {meter["model"]: meter for meter in found["measured"]["endpoints"].values()}
    assert [meters[name]["requests"] for name in "ab"] == [len(one.requests), len(other.requests)]
    assert meters["a"]["failures"] == {"HTTP 500": len(one.requests) - LASTS}
    calls = [
        call
        for line in (tmp_path / "run" / "prompts.jsonl").read_bytes().splitlines()
        for call in Calls.model_validate_json(line).calls
    ]
    assert {call.model for call in calls if call.answer} == {"a", "b"}
    assert {call.model for call in calls if call.error} == {"a"}


async def test_ids_and_draws_do_not_depend_on_who_answers(tmp_path: Path):
    async with answering(failure_always) as dead, answering(answer) as alive:
        broken, whole = models(dead, alive), models(alive, alive)
        await study(broken).arun(tmp_path / "broken")
        await study(whole).arun(tmp_path / "whole")
        for each in (*broken.in_order, *whole.in_order):
            await cast(Any, each).aclose()
    one, other = (sorted(read(tmp_path / name), key=lambda c: c.id) for name in ("broken", "whole"))
    assert [(c.id, [m.content for m in c.messages]) for c in one] == [
        (c.id, [m.content for m in c.messages]) for c in other
    ]
    assert all(m.metadata["fallback"] == ["b"] for c in one for m in c.user_messages)
    (warning,) = [said for said in side_warnings(other, one) if "fallback" in said]
    assert "6 of 6 user messages (100%)" in warning
    assert not [said for said in side_warnings(one, other) if "fallback" in said]


def failure_always(request: Request):
    return failure(500, "on fire")


async def test_where_both_are_dead_the_record_names_both(tmp_path: Path):
    async with answering(failure_always) as one, answering(failure_always) as other:
        model = models(one, other)
        await study(model, n=1).arun(tmp_path / "run")
        for each in model.in_order:
            await cast(Any, each).aclose()
    (kept,) = map(json.loads, (tmp_path / "run" / "conversations.jsonl").read_text().splitlines())
    reason = kept["failure"]["reason"]
    assert "all 2 models failed: a: " in reason
    assert "; b: " in reason
    assert "fallback" not in kept.get("metadata", {})


async def test_a_run_that_goes_on_counts_the_fallbacks_of_its_earlier_calls(tmp_path: Path):
    async with answering(failure_always) as one, answering(answer) as other:
        model = models(one, other)
        await study(model, n=1).arun(tmp_path / "run")
        first = manifest(tmp_path / "run")["outcome"]["fallback_messages"]
        outcome = await study(model, n=1).arun(tmp_path / "run", add=1)
        for each in model.in_order:
            await cast(Any, each).aclose()
    assert first == {"shopper": {"b": 3}}
    assert outcome.fallbacks == {("shopper", "b"): 3}
    assert manifest(tmp_path / "run")["outcome"]["fallback_messages"] == {"shopper": {"b": 6}}


async def test_the_agents_model_has_its_own_fallback(tmp_path: Path):
    sold = Catalogue.of([CatalogueItem(id="b1", title="Hiking boots", description="Leather.", price=80.0)])
    async with answering(failure_always) as one, answering(answer) as other:
        model = models(one, other)
        made = study(Fallback((model.in_order[1],)), n=1, agent=LLM(model=model, catalogue=sold))
        outcome = await made.arun(tmp_path / "run")
        for each in model.in_order:
            await cast(Any, each).aclose()
    assert outcome.fallbacks == {("agent", "b"): 3}
    (conversation,) = read(tmp_path / "run")
    assert [m.role for m in conversation.messages if "fallback" in m.metadata] == ["assistant"] * 3


async def test_what_a_fallback_lacks_is_said_before_the_first_conversation(tmp_path: Path):
    async with answering(answer) as server:
        first = OpenAICompatible(model="a", base_url=server.base_url)
        model = Fallback((first, Recorded(store=tmp_path / "nothing.jsonl")))
        with pytest.raises(InputError, match=r"nothing\.jsonl"):
            await study(model).arun(tmp_path / "run")
        await first.aclose()
    assert not server.requests
    assert not (tmp_path / "run").exists()
