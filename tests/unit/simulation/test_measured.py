"""What a run asked of models stands in its manifest, that of earlier calls included."""

import json
from pathlib import Path

from convsim.models import OpenAICompatible
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.unit.models.loopback import Request, answering, chat


def answer(request: Request):
    """Say something, or choose the first option."""
    asked = request.body.get("response_format")
    if asked is None:
        return chat("boots please")
    options = asked["json_schema"]["schema"]["properties"]["choice"]["enum"]
    return chat(json.dumps({"choice": options[0]}))


def study(model: OpenAICompatible, n: int) -> Study:
    personas = [Persona(id=f"p{i}", need="boots") for i in range(3)]
    return Study(Prompted(model=model), lambda c: "What size?", personas, seed=1, n=n, max_turns=2)


def measured(folder: Path) -> dict:
    found: dict = json.loads((folder / "manifest.json").read_text())["measured"]
    return found


async def test_a_run_that_goes_on_adds_to_what_its_earlier_calls_measured(tmp_path: Path):
    async with answering(answer) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        await study(model, 2).arun(tmp_path / "run")
        first, asked = measured(tmp_path / "run"), len(server.requests)
        assert [each["requests"] for each in first["endpoints"].values()] == [asked]
        assert first["message_s"]["shopper"]["n"] == first["message_s"]["agent"]["n"] == 4
        await study(model, 2).arun(tmp_path / "run")
        assert measured(tmp_path / "run") == first
        await study(model, 2).arun(tmp_path / "run", add=3)
        second = measured(tmp_path / "run")
        await model.aclose()
    assert second["conversations"] == 5
    (meter,) = second["endpoints"].values()
    assert meter["model"] == "m"
    assert meter["requests"] == meter["latency_s"]["n"] == len(server.requests) > asked
    assert meter["input_tokens"] == 11 * len(server.requests)
    assert meter["latency_s"]["p50"] <= meter["latency_s"]["p90"] <= meter["latency_s"]["max"]
