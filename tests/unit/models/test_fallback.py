"""Where a model fails the next one answers, who did is noted, and what is a model's own stays its own."""

import asyncio
from typing import Any, cast

import pytest

from convsim.errors import EmptyAnswerError, InputError, ModelError
from convsim.models import OpenAICompatible, Scripted
from convsim.models.fallback import IN_A_ROW, Fallback, noting_fallbacks
from convsim.schema import ChatModel
from convsim.schema.chat_model import ChatMessage
from convsim.simulation import make_model
from tests.unit.models.loopback import chat, failure, loopback

ASKED = [ChatMessage(role="user", content="What size?")]


async def said(model: ChatModel) -> str:
    return (await model.complete(ASKED, max_tokens=9, temperature=0, seed=1)).text


def served(server, **settings) -> ChatModel:
    return OpenAICompatible(base_url=server.base_url, **{"model": "m", "max_retries": 0, **settings})


async def closed(model: Fallback) -> None:
    for each in model.in_order:
        await cast(Any, each).aclose()


async def test_the_next_model_answers_and_is_noted_once():
    async with loopback(failure(500)) as dead, loopback(chat("nine")) as alive:
        model = Fallback((served(dead), served(alive, model="other")))
        with noting_fallbacks() as noted:
            assert [await said(model), await said(model)] == ["nine", "nine"]
        await closed(model)
    assert noted == ["other"]
    assert model.name == "m"
    assert isinstance(model, ChatModel)


async def test_the_first_model_that_answers_leaves_no_note():
    model = Fallback((Scripted(answers=["nine"]), Scripted(answers=[])))
    with noting_fallbacks() as noted:
        assert await said(model) == "nine"
    assert noted == []


async def test_the_next_model_is_asked_instead_of_waiting_for_one_that_may_come_back():
    async with loopback(chat("first"), failure(503)) as dies, loopback(chat("nine")) as alive:
        model = Fallback((served(dies, max_retries=2), served(alive, model="other")))
        assert [await said(model), await said(model)] == ["first", "nine"]
        await closed(model)
    assert len(dies.requests) == 1 + 3


async def test_two_servers_of_one_model_are_told_apart_by_their_address():
    async with loopback(failure(500)) as dead, loopback(chat("nine")) as alive:
        model = Fallback((served(dead), served(alive)))
        with noting_fallbacks() as noted:
            await said(model)
        await closed(model)
    assert noted == [f"m at {alive.base_url}"]


async def test_where_all_fail_each_is_named_with_its_reason():
    async with loopback(failure(500, "on fire")) as one, loopback(failure(503, "asleep")) as other:
        model = Fallback((served(one), served(other, model="other")))
        with pytest.raises(ModelError, match=r"all 2 models failed: m: .*on fire.*; other: .*asleep"):
            await said(model)
        await closed(model)


@pytest.mark.parametrize(
    "reply",
    [
        failure(401),
        failure(403),
        failure(404),
        chat(""),
        chat(None, refusal="No."),
        failure(400, "The response was filtered", code="content_filter"),
    ],
)
async def test_a_wrong_key_or_name_and_what_the_model_says_itself_are_not_replaced(reply):
    async with loopback(reply) as server, loopback(chat("nine")) as alive:
        model = Fallback((served(server), served(alive)))
        with noting_fallbacks() as noted, pytest.raises(ModelError):
            await said(model)
        await closed(model)
    assert noted == []
    assert not alive.requests


async def test_an_answer_that_does_not_fit_is_the_models_own():
    async with loopback(chat("boots, I think")) as server, loopback(chat('{"choice": "a"}')) as alive:
        model = Fallback((served(server), served(alive)))
        with pytest.raises(ModelError, match="does not fit"):
            await model.choose(ASKED, ["a", "b"], temperature=0, seed=1)
        await closed(model)
    assert not alive.requests


async def test_a_model_that_keeps_failing_rests_and_is_asked_again_afterwards(monkeypatch, caplog):
    now = [1000.0]
    monkeypatch.setattr("convsim.models.fallback.time.monotonic", lambda: now[0])
    lines = [ModelError("down")] * IN_A_ROW + ["back"]
    first, second = Scripted(answers=lines), Scripted(answers=lambda asked: "nine", name="other")
    model = Fallback((first, second))
    for _ in range(IN_A_ROW + 2):
        assert await said(model) == "nine"
    assert first.calls == IN_A_ROW
    assert "has failed 3 times in a row, and is asked last for 30 s" in caplog.text
    now[0] += 31
    assert await said(model) == "back"


async def test_requests_that_were_on_their_way_when_a_rest_began_do_not_make_it_longer(caplog):
    async with loopback(failure(500)) as dead:
        model = Fallback((served(dead), Scripted(answers=lambda asked: "nine")))
        await asyncio.gather(*(said(model) for _ in range(IN_A_ROW + 5)))
        await cast(Any, model.in_order[0]).aclose()
    assert len(dead.requests) == IN_A_ROW + 5
    assert caplog.text.count("is asked last for") == 1


@pytest.mark.parametrize(
    ("status", "said_of_it"),
    [(400, "maximum context length is 10 tokens"), (413, "too large"), (422, "Unsupported value: seed")],
)
async def test_requests_that_a_server_refuses_do_not_keep_others_from_it(status, said_of_it):
    refused = failure(status, said_of_it)
    async with loopback(*[refused] * (IN_A_ROW + 1), chat("ten")) as server, loopback(chat("nine")) as other:
        model = Fallback((served(server, omit=["seed"]), served(other, model="other")))
        answers = [await said(model) for _ in range(IN_A_ROW + 2)]
        await closed(model)
    assert answers == ["nine"] * (IN_A_ROW + 1) + ["ten"]


async def test_a_resting_model_is_still_asked_where_the_others_fail():
    first = Scripted(answers=[ModelError("down")] * IN_A_ROW + ["back"])
    second = Scripted(answers=["a", "b", "c", ModelError("down, too")], name="other")
    model = Fallback((first, second))
    assert [await said(model) for _ in range(4)] == ["a", "b", "c", "back"]


async def test_an_empty_answer_is_no_failure_of_the_server():
    first = Scripted(
        answers=[ModelError("down"), ModelError("down"), EmptyAnswerError(""), ModelError("down"), "x"]
    )
    model = Fallback((first, Scripted(answers=lambda asked: "nine", name="other")))
    for _ in range(2):
        await said(model)
    with pytest.raises(EmptyAnswerError):
        await said(model)
    assert [await said(model), await said(model)] == ["nine", "x"]


def test_a_fallback_without_a_name_is_the_first_model_with_other_settings():
    made = make_model(
        "openai_compatible", model="a", base_url="http://127.0.0.1:9/v1", timeout_s=7.0,
        fallback=[{"model": "b"}, {"name": "openai_compatible", "model": "c"}, Scripted(answers=[])],
    )  # fmt: skip
    assert isinstance(made, Fallback)
    one, two, three, four = cast(tuple[Any, ...], made.in_order)
    assert [(m.model, m.timeout_s) for m in (one, two, three)] == [("a", 7.0), ("b", 7.0), ("c", 120.0)]
    assert (two.base_url, four.name) == (one.base_url, "scripted")


@pytest.mark.parametrize(
    ("fallback", "said"),
    [
        ("b", "expected a list"),
        ({"model": "b"}, "expected a list"),
        ([{"model": "b", "fallback": ["c"]}], "one list"),
        ([{}], "twice"),
        ([{"modle": "b"}], "modle"),
        (["nosuch"], "nosuch"),
    ],
)
def test_a_fallback_that_cannot_be_used_is_refused(fallback, said):
    with pytest.raises(InputError, match=said):
        make_model("openai_compatible", model="a", base_url="http://127.0.0.1:9/v1", fallback=fallback)
