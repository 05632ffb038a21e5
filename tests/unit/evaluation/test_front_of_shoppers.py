"""Shoppers with and without a model stand on one front: what each was asked, what it cost, and how it was set."""

import asyncio
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from convsim import acompare
from convsim.evaluation import Comparison
from convsim.evaluation.cost import Cost, cost_of, with_requests
from convsim.evaluation.frames import simulators_frame
from convsim.evaluation.spending import UNCOUNTED, EndpointUse, RunUse
from convsim.io import read
from convsim.models import OpenAICompatible
from convsim.report.comparison import comparison_to_markdown, print_comparison, tables
from convsim.report.html.comparison import comparison_to_html
from convsim.schema import Shopper
from convsim.schema.conversation import Conversation
from convsim.shoppers import ICL, Hybrid, Prompted, Resample
from convsim.simulation import Study, draw_personas, make_agent
from tests.made_up_talk import sentence
from tests.unit.models.loopback import Reply, Request, answering, chat
from tests.unit.shoppers.test_hybrid import LEAVES, SAYS

N = 10


def says_more(request: Request) -> Reply:
    """Go on, whether asked what to do or what to say, and never in the same words."""
    asked = json.dumps(request.body)
    said = sentence(np.random.default_rng(len(asked)), 6)
    return chat("go on" if "Choice" in asked else f"what about {said}")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Runs of each kind of shopper with a priced model on loopback, beside people."""
    return asyncio.run(held(tmp_path_factory.mktemp("runs")))


async def held(folder: Path) -> Comparison:
    rng = np.random.default_rng(5)
    people = [
        Conversation.model_validate({
            "id": f"c{n}", "user": f"u{n}", "task": "footwear", "ending": "left",
            "messages": [
                {"role": role, "content": f"{text} {sentence(rng, 6)}"}
                for role, text in (("user", "boots"), ("assistant", "look"), ("user", "rather not"))
            ],
        })
        for n in range(60)
    ]  # fmt: skip
    teach, judges = people[:30], people[30:]
    prices = folder / "prices.toml"
    prices.write_text('[[price]]\nmodel = "m"\ninput = 1000.0\noutput = 2000.0\n')
    async with answering(says_more) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, prices=prices)
        shoppers: dict[str, Shopper] = {
            "resample": Resample(teach),
            "hybrid-stays": Hybrid(teach, policy=SAYS),
            "hybrid-leaves": Hybrid(teach, policy=LEAVES),
            "hybrid-told": Hybrid(teach, model=model, policy=SAYS, words="prompted"),
            "prompted": Prompted(model),
            "icl": ICL(model, teach),
        }
        personas = draw_personas(teach, N, seed=1)
        agent = make_agent("retrieval")
        runs = {}
        for name, shopper in shoppers.items():
            done = await Study(shopper, agent, personas, seed=1, n=N, max_turns=2, name=name).arun(
                folder / name
            )
            assert done.failed == 0, done.commonest_reason
            runs[name] = done.folder
        await model.aclose()
    return await acompare(
        judges, runs, seed=1, validators=["marginals"], learned=[teach], before=False, allow_overlap=True
    )


def test_shoppers_that_ask_no_model_cost_no_requests_no_tokens_and_no_money_and_the_clock_tells(
    found: Comparison,
) -> None:
    by_name = {each.name: each for each in found.simulators}
    for name in ("resample", "hybrid-stays", "hybrid-leaves"):
        cost = by_name[name].cost
        assert (cost.requests, cost.input_tokens, cost.output_tokens, cost.cost_usd) == (0, 0, 0, 0)
        assert cost.seconds is not None
        assert cost.seconds > 0
        assert cost.reasons == {}
    for name in ("hybrid-told", "prompted", "icl"):
        cost = by_name[name].cost
        assert cost.requests is not None
        assert cost.requests >= 1
        assert cost.input_tokens == pytest.approx(11 * cost.requests)
        assert cost.cost_usd == pytest.approx(cost.requests * (11 * 1000 + 7 * 2000) / 1e6)
    # A decision of a policy asks no model, so that half of the requests of "prompted" are saved.
    assert by_name["hybrid-told"].cost.requests < by_name["prompted"].cost.requests


def test_with_dollars_known_of_all_the_front_is_drawn_in_dollars_and_each_is_a_named_point(
    found: Comparison,
) -> None:
    assert found.cost_axis == "cost_usd"
    names = [each.name for each in found.simulators]
    assert all(
        each.front.place in ("on", "off", "undecided") and each.front.reason for each in found.simulators
    )
    assert not any("unknown" in each.front.reason for each in found.simulators)
    page, text, file = comparison_to_html(found), comparison_to_markdown(found, full=True), io.StringIO()
    print_comparison(found, Console(file=file, width=400, color_system=None), full=True)
    legend = page[page.index('id="front"') :]
    for name in names:
        assert name in legend
    for shown in (text, file.getvalue(), page):
        assert "requests" in shown
    assert [row[-1] for row in tables.cost(found).rows] == [""] * len(names)  # nothing is unknown
    frame = simulators_frame(found.simulators)
    assert [*frame["requests"]][:3] == [0, 0, 0]
    again = Comparison.model_validate_json(found.to_json())
    assert again == found


def test_hybrids_are_told_apart_by_the_kind_of_their_policy_and_by_their_words(found: Comparison) -> None:
    page, short, file = comparison_to_html(found), comparison_to_markdown(found), io.StringIO()
    print_comparison(found, Console(file=file, width=400, color_system=None))
    set_to = {each.name: each.settings for each in found.simulators}
    assert set_to["hybrid-stays"]["words"] == "resample"
    assert set_to["hybrid-told"]["words"] == "prompted"
    assert set_to["hybrid-told"]["policy"].startswith("hazard ")
    assert set_to["resample"] == {}
    for shown in (page, short, file.getvalue()):
        assert "words = prompted" in shown
        assert "policy = hazard " in shown
    simulators = page[page.index('id="simulators"') : page.index('id="tables"')]
    assert "hybrid: policy = hazard " in simulators  # where a reader looks at one of them, too


def endpoint(requests: int) -> EndpointUse:
    return EndpointUse(model="m", address="a", requests=requests, retries=0, failed=0)


UNKNOWN = cost_of([Conversation.model_validate({"id": "c", "messages": [], "usage": {"seconds": 2.0}})] * 4)


@pytest.mark.parametrize(
    ("run", "shoppers", "requests", "tokens"),
    [
        (RunUse(conversations=4), ("hybrid",), 0, 0),
        (RunUse(conversations=4), ("resample", "replay"), 0, 0),
        # Somebody's own shopper may ask a model that nobody here sees.
        (RunUse(conversations=4), ("python",), 0, None),
        (RunUse(conversations=4), ("hybrid", "mine"), 0, None),
        (RunUse(conversations=4), (), 0, None),
        # A server that counts no tokens was asked all the same.
        (RunUse(conversations=4, endpoints=(endpoint(6),)), ("hybrid",), 1.5, None),
        # What was asked before a call was killed is not known.
        (RunUse(conversations=3), ("hybrid",), 0, None),
        (RunUse(conversations=0), ("hybrid",), None, None),
        (None, ("hybrid",), None, None),
    ],
)  # fmt: skip
def test_a_zero_is_known_only_where_the_whole_run_was_measured_and_nothing_can_have_been_asked_elsewhere(
    run: RunUse | None, shoppers: tuple[str, ...], requests: float | None, tokens: float | None
) -> None:
    cost = with_requests(UNKNOWN, run, shoppers=shoppers, n=4)
    assert (cost.requests, cost.input_tokens, cost.cost_usd, cost.seconds) == (requests, tokens, tokens, 2.0)
    assert (cost.reasons == {}) is (tokens == 0)
    if tokens is None:
        assert set(cost.reasons.values()) == {UNCOUNTED}


def test_tokens_that_conversations_count_although_no_request_was_measured_stay() -> None:
    counted = Cost(
        n_known=4, input_tokens=9.0, reasons={"cost_usd": "the price of 4 of 4 conversations is unknown"}
    )
    assert with_requests(counted, RunUse(conversations=4), shoppers=("hybrid",), n=4).cost_usd is None


def planned(folder: Path, plan: object) -> Path:
    """Write a run of 12 conversations whose plan states what somebody made of it."""
    folder.mkdir()
    lines = [
        json.dumps(
            {"id": f"{folder.name}{n}", "shopper": "hybrid", "simulator": "hybrid", "ending": "left",
             "messages": [{"role": "user", "content": f"boots {n} {folder.name}"}]}
        )
        for n in range(12)
    ]  # fmt: skip
    (folder / "conversations.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "manifest.json").write_text(json.dumps({"schema": "convsim.run/1", "plan": plan}))
    return folder


async def test_two_runs_of_one_shopper_are_told_apart_by_what_they_were_set_to(tmp_path: Path) -> None:
    people = [
        Conversation.model_validate({"id": f"p{n}", "messages": [{"role": "user", "content": f"clogs {n}"}]})
        for n in range(12)
    ]
    hostile = "<script>alert(1)</script>|x\n" + "y" * 5_000
    plans: dict[str, object] = {
        "told": {"settings": {"shopper": {"name": "hybrid", "words": "prompted", "best_of": 4}},
                 "prompts": {"policy": "3e8d1399c36253a2"}},
        "own": {"settings": {"shopper": {"name": "hybrid", hostile: hostile}}},
        "odd": {"settings": ["no", "object"], "prompts": 7},
        "many": {"settings": {"shopper": {f"k{n}": n for n in range(500)}}},
    }  # fmt: skip
    runs = {name: planned(tmp_path / name, plan) for name, plan in plans.items()}
    found = await acompare(people, runs, seed=1, validators=["marginals"], before=False)
    set_to = {each.name: each.settings for each in found.simulators}
    assert set_to["told"] == {"words": "prompted", "best_of": "4", "policy": "3e8d1399"}
    assert set_to["odd"] == {}
    assert len(set_to["many"]) == 20
    assert all(len(key) <= 60 and len(value) <= 60 for each in set_to.values() for key, value in each.items())
    assert "settings" not in found.to_dict()["simulators"][2]
    page, text = comparison_to_html(found), comparison_to_markdown(found, full=True)
    assert "words = prompted, best_of = 4, policy = 3e8d1399" in page
    assert "words = prompted" in text
    assert "<script>alert(1)" not in page + text


async def test_files_that_are_no_runs_have_no_settings_and_no_table_of_them(tmp_path: Path) -> None:
    run = planned(tmp_path / "run", {})
    (run / "manifest.json").write_text("{broken")
    talks = [*read(run / "conversations.jsonl")]
    people = [c.but(id=f"p{c.id}", simulator=None, shopper=None) for c in talks]
    others = [c.but(messages=[m.but(content=f"{m.content} now") for m in c.messages]) for c in talks]
    found = await acompare(people, {"a": others}, seed=1, validators=["marginals"])
    assert "who they are" not in comparison_to_markdown(found, full=True)
