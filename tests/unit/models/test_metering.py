"""What a model was asked is counted by endpoint, and what was counted apart is put together."""

import asyncio
import json

import pytest

from convsim.errors import InputError, ModelError
from convsim.models import OpenAICompatible
from convsim.models.metering import (
    Call,
    EndpointMeter,
    Measured,
    Measuring,
    measured_in,
    measuring,
    timed_message,
)
from convsim.schema.chat_model import ChatMessage
from convsim.schema.conversation import Usage
from tests.unit.models.loopback import chat, drips, failure, loopback, slow, whole

ASKED = [ChatMessage(role="user", content="What size?")]


async def said(model: OpenAICompatible, seed: int = 1) -> str:
    return (await model.complete(ASKED, max_tokens=9, temperature=0, seed=seed)).text


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nmodel = "m"\ninput = 1000.0\noutput = 2000.0\n')
    return path


async def test_calls_tries_failures_tokens_and_money_are_what_the_server_saw(prices, monkeypatch):
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.0)
    async with loopback(failure(503), failure(429), chat("nine"), chat("ten")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, prices=prices)
        with measuring() as measured:
            assert [await said(model), await said(model)] == ["nine", "ten"]
        await said(model)
        await model.aclose()
    assert len(server.requests) == 5
    meter = measured.so_far.endpoints[f"m at {server.base_url}"]
    assert (meter.calls, meter.requests, meter.retries, meter.answered) == (2, 4, 2, 2)
    assert meter.failures == {"HTTP 429": 1, "HTTP 503": 1}
    assert (meter.input_tokens, meter.output_tokens, meter.uncounted) == (22, 14, 0)
    assert meter.cost_usd == pytest.approx((22 * 1000 + 14 * 2000) / 1e6)
    assert (meter.latency_s.n, meter.failed_s.n, meter.waiting_s.n) == (2, 2, 4)


async def test_waiting_for_a_place_is_no_time_of_the_server():
    async with loopback(slow(chat("nine"), 0.2)) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, max_connections=1)
        with measuring() as measured:
            await asyncio.gather(*(said(model, seed) for seed in range(4)))
        await model.aclose()
    (meter,) = measured.so_far.endpoints.values()
    # Each request took the server 0.2 s at least; the last waited for the three before it.
    assert meter.latency_s.min >= 0.2
    assert meter.waiting_s.max >= 0.6


async def test_each_kind_of_failure_has_its_name_and_an_unknown_price_is_null():
    async with loopback(failure(401), drips, chat("nine")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, max_retries=0, timeout_s=0.3)
        with measuring() as measured:
            for _ in range(2):
                with pytest.raises(ModelError):
                    await said(model)
            await said(model)
        await model.aclose()
    dead = OpenAICompatible(model="m", base_url="http://127.0.0.1:9/v1", max_retries=0)
    with measuring() as other, pytest.raises(ModelError):
        await said(dead)
    (meter,) = measured.so_far.endpoints.values()
    assert meter.failures == {"HTTP 401": 1, "timed out": 1}
    assert (meter.cost_usd, meter.unpriced) == (None, 1)
    (meter,) = other.so_far.endpoints.values()
    assert meter.failures == {"unreachable": 1}
    assert (meter.input_tokens, meter.latency_s.p50) == (None, None)


async def test_two_runs_at_once_are_measured_apart():
    async def run(model: OpenAICompatible, n: int) -> Measured:
        with measuring() as measured:
            for seed in range(n):
                with timed_message("shopper"):
                    await said(model, seed)
        return measured.so_far

    async with loopback(slow(chat("nine"), 0.01)) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        one, other = await asyncio.gather(run(model, 2), run(model, 5))
        await model.aclose()
    assert [next(iter(each.endpoints.values())).calls for each in (one, other)] == [2, 5]
    assert [each.message_s["shopper"].n for each in (one, other)] == [2, 5]


async def test_parts_are_merged_whatever_their_order_and_read_back_from_json():
    parts: list[Measured] = []
    async with loopback(chat("nine")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        for n in (1, 3):
            with measuring() as measured:
                for seed in range(n):
                    await said(model, seed)
            parts.append(measured.so_far.but(conversations=n))
        await model.aclose()
    one, other = Measured.merged(parts), Measured.merged(reversed(parts))
    assert one == other
    (meter,) = one.endpoints.values()
    assert (one.conversations, meter.calls, meter.latency_s.n, meter.input_tokens) == (4, 4, 4, 44)
    assert measured_in({"measured": json.loads(one.model_dump_json())}) == one
    assert Measured().merge(one) == one


@pytest.mark.parametrize("tokens", [10**15, 10**18, -3, "12", 1e300, None, True])
async def test_no_number_that_a_server_counts_ends_a_run(tokens, prices):
    counted = {"prompt_tokens": tokens, "completion_tokens": tokens}
    body = {
        "choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
        "usage": counted,
    }
    prices.write_text('[[price]]\nmodel = "m"\ninput = 1000000\noutput = 1000000\n')
    async with loopback(whole(200, json.dumps(body).encode())) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, prices=prices)
        with measuring() as measured:
            answers = [await model.complete(ASKED, max_tokens=5, temperature=0, seed=n) for n in range(3)]
        await model.aclose()
    usage = Usage.sum(answers)
    (meter,) = measured.so_far.endpoints.values()
    assert (meter.answered, meter.uncounted, meter.input_tokens) == (3, 3, None)
    assert (usage.input_tokens, usage.cost_usd) == (None, None)


@pytest.mark.parametrize("price", ["1e308", "1e7", "-1", "nan"])
def test_a_price_that_is_none_is_refused_before_anything_is_asked(price, prices):
    prices.write_text(f'[[price]]\nmodel = "m"\ninput = {price}\noutput = 1.0\n')
    with pytest.raises(InputError, match=r"the price table .*input"):
        OpenAICompatible(model="m", base_url="http://127.0.0.1:9/v1", prices=prices)


async def test_a_call_that_was_left_is_no_answer():
    def interrupted() -> None:
        with Call("m", "here").attempt() as call:
            call.sent()
            raise KeyboardInterrupt

    with measuring() as measured, pytest.raises(KeyboardInterrupt):
        interrupted()
    (meter,) = measured.so_far.endpoints.values()
    assert (meter.answered, meter.latency_s.n, meter.failed_s.n) == (0, 0, 1)


def test_what_stands_under_the_name_of_another_endpoint_is_not_read():
    meter = EndpointMeter(model="m", address="here")
    wrong = {"endpoints": {"other at here": meter.model_dump(mode="json")}}
    assert measured_in({"measured": wrong}) is None


def test_what_is_not_understood_of_a_manifest_is_nothing():
    assert measured_in({}) is None
    assert measured_in({"measured": {"endpoints": 3}}) is None
    assert Measuring().so_far == Measured()
