"""The model behind an OpenAI-compatible server, against good and bad servers on loopback."""

import asyncio
import gzip
import json
import socket
import time
import tracemalloc
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from convsim.errors import ModelError
from convsim.models import OpenAICompatible
from tests.end_to_end.asking import ask, reason_from
from tests.unit.models.loopback import (
    Reply,
    Request,
    answering,
    chat,
    closes_mid_body,
    drips,
    endless,
    failure,
    hangs,
    loopback,
    speaks_no_http,
    whole,
)


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)


async def test_what_was_asked_is_sent_and_what_was_answered_is_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_KEY", "s3cret")
    async with loopback(chat(" boots, please \nUser: more")) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, api_key_env="SOME_KEY")
        said = await ask(model, stop=["\nUser:"], seed=2**40 + 5)
    assert (said.text, said.finish_reason) == ("boots, please", "stop")
    assert (said.input_tokens, said.output_tokens, said.cost_usd) == (11, 7, None)
    assert 0 < said.seconds < 5
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].headers["authorization"] == "Bearer s3cret"
    assert server.requests[0].body == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 20,
        "temperature": 0.5,
        "seed": 5,
        "stop": ["\nUser:"],
    }


async def test_settings_change_what_is_sent() -> None:
    async with loopback(chat("boots")) as server:
        model = OpenAICompatible(
            model="m-1",
            base_url=server.base_url,
            temperature=1,
            thinking_tokens=500,
            extra_body={"reasoning_effort": "low", "model": "not this"},
        )
        await ask(model)
    sent = server.requests[0].body
    assert (sent["temperature"], sent["max_tokens"], sent["reasoning_effort"], sent["model"]) == (
        1,
        520,
        "low",
        "m-1",
    )


async def test_a_price_of_the_users_makes_a_cost(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text('[[price]]\nmodel = "m-1"\ninput = 2.0\noutput = 10.0\n')
    async with loopback(chat("boots")) as server:
        said = await ask(OpenAICompatible(model="m-1", base_url=server.base_url, prices=table))
    assert said.cost_usd == pytest.approx((11 * 2.0 + 7 * 10.0) / 1e6)


async def test_a_text_is_continued_over_completions_and_may_be_empty() -> None:
    body = {"choices": [{"text": " size 9\nShopper: x", "finish_reason": "length"}]}
    empty = {"choices": [{"text": "\n", "finish_reason": "stop"}], "usage": None}
    async with loopback(
        whole(200, json.dumps(body).encode()), whole(200, json.dumps(empty).encode())
    ) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url)
        first = await model.continue_text("Shopper:", max_tokens=9, temperature=0, seed=1, stop=["\n"])
        second = await model.continue_text("Shopper:", max_tokens=9, temperature=0, seed=1, stop=["\n"])
        await model.aclose()
    assert (first.text, first.finish_reason, second.text) == (" size 9", "stop", "")
    assert server.requests[0].path == "/v1/completions"
    assert server.requests[0].body["prompt"] == "Shopper:"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<think>He wants socks.</think>\nboots", "boots"),
        ("He wants socks.</think>boots", "boots"),
        ("boots<think>Or socks", "boots"),
    ],
)
async def test_thinking_never_reaches_the_text(content: str, said: str) -> None:
    async with loopback(chat(content, reasoning_content="He wants socks.")) as server:
        answer = await ask(OpenAICompatible(model="m-1", base_url=server.base_url))
    assert answer.text == said


async def test_failures_that_may_pass_are_tried_again() -> None:
    replies = [failure(500), failure(503), closes_mid_body, failure(429), chat("boots")]
    async with loopback(*replies) as server:
        said = await ask(OpenAICompatible(model="m-1", base_url=server.base_url, max_retries=4))
    assert said.text == "boots"
    assert len(server.requests) == 5


async def test_retry_after_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    sleep = asyncio.sleep

    async def remembered(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr("convsim.models.retries.asyncio.sleep", remembered)
    async with loopback(failure(429, Retry_After="0.4"), chat("boots")) as server:
        await ask(OpenAICompatible(model="m-1", base_url=server.base_url))
        assert len(server.requests) == 2
    assert [seconds for seconds in waited if seconds] == [0.4]


async def test_retry_after_may_be_a_date() -> None:
    reply = failure(503, Retry_After=formatdate(time.time() + 3600, usegmt=True))
    said, asked = await reason_from(reply, tries=5)
    assert "asks to wait 3" in said
    assert asked == 1


async def test_too_many_failures_end_with_their_number() -> None:
    said, asked = await reason_from(failure(500, "the GPU is on fire"), tries=3)
    assert said.endswith("failed with HTTP 500: the GPU is on fire (tried 3 times)")
    assert asked == 3


async def test_a_refused_key_names_its_variable_and_never_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "s3cret")
    reply = failure(401, "Incorrect API key provided: s3cret")
    said, asked = await reason_from(reply, tries=3, api_key_env="SOME_KEY")
    assert said.endswith("refuses the key (HTTP 401): check SOME_KEY")
    assert asked == 1
    said, _ = await reason_from(failure(400, "bad key s3cret"), api_key_env="SOME_KEY")
    assert "s3cret" not in said


def echoes(reply: Callable[[str], Reply]) -> Callable[[Request], Reply]:
    """Reply with what is made of the request's key."""
    return lambda request: reply(request.headers["authorization"])


def in_a_broken_header(key: str) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nbad header line {key}\r\n\r\n".encode())

    return reply


ECHOES = {
    "400": lambda key: failure(400, f"Incorrect API key provided: {key}"),
    "404": lambda key: failure(404, f"Incorrect API key provided: {key}"),
    "500, no JSON": lambda key: whole(500, f"boom {key}".encode(), kind="text/plain"),
    "200, no JSON": lambda key: whole(200, f"{'x' * 40} {key}".encode(), kind="text/plain"),
    "an answer that is no completion": lambda key: whole(200, json.dumps({"choices": key}).encode()),
    "a refusal": lambda key: chat(None, refusal=f"not for {key}"),
    "a reason to end": lambda key: chat("", finish=key),
    "a broken header": in_a_broken_header,
    "another encoding": lambda key: whole(200, b"x", Content_Encoding=f"x{key}"),
    "a redirect": lambda key: whole(307, b"", Location=f"http://127.0.0.2/?k={key}"),
}


@pytest.mark.parametrize("stored", ["{}", "{}\n"], ids=["bare", "newline"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_server_that_repeats_the_key_brings_it_into_no_message(echo, stored, monkeypatch) -> None:
    monkeypatch.setenv("SOME_KEY", stored.format("sk-LEAKME-0123456789abcdef"))
    async with answering(echoes(echo)) as server:
        model = OpenAICompatible(
            model="m", base_url=server.base_url, max_retries=0, api_key_env="SOME_KEY", timeout_s=5
        )
        with pytest.raises(ModelError) as caught:
            await ask(model)
    assert server.requests[0].headers["authorization"] == "Bearer sk-LEAKME-0123456789abcdef"
    assert "LEAK" not in str(caught.value)


async def test_a_redirect_is_not_followed_and_nothing_is_sent_to_the_other_host() -> None:
    async with loopback(chat("stolen")) as other:
        moved = whole(
            307, b"", Location=f"{other.base_url.replace('127.0.0.1', 'localhost')}/chat/completions"
        )
        said, asked = await reason_from(moved, tries=3)
    assert (asked, other.requests) == (1, [])
    assert "redirects to 'http://localhost:" in said
    assert said.endswith("(HTTP 307), which is not followed; where that is right, give it as base_url")


async def test_openai_s_organisation_project_and_admin_key_go_to_no_other_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "mine-alone-1")
    async with loopback(chat("boots")) as server:
        await ask(OpenAICompatible(model="m-1", base_url=server.base_url))
    assert "mine-alone-1" not in str(server.requests[0].headers)


async def test_a_wrong_model_name_is_named_and_not_tried_again() -> None:
    said, asked = await reason_from(failure(404, "no such model"), tries=3)
    assert "HTTP 404 at /chat/completions" in said
    assert said.endswith("no such model")
    assert asked == 1


async def test_a_spent_quota_is_not_tried_again() -> None:
    said, asked = await reason_from(failure(429, "You exceeded your quota", "insufficient_quota"), tries=3)
    assert "HTTP 429" in said
    assert asked == 1


async def test_a_hostile_reason_is_one_short_printable_line() -> None:
    said, _ = await reason_from(failure(400, "\x1b[31mred\x1b[0m\n\n" + "long " * 100_000))
    assert "\x1b" not in said


@pytest.mark.parametrize("reply", [hangs, drips], ids=["silent", "dripping"])
async def test_a_server_that_never_comes_to_an_end_is_given_up(reply: Reply) -> None:
    said, asked = await reason_from(reply, tries=2, timeout_s=0.2)
    assert said.endswith("gave no complete answer within 0.2 s (tried 2 times)")
    assert asked == 2


async def test_a_body_that_breaks_off_is_a_failure() -> None:
    said, asked = await reason_from(closes_mid_body, tries=2)
    assert "cannot be reached" in said
    assert asked == 2


async def test_a_server_that_speaks_no_http_is_a_failure() -> None:
    said, _ = await reason_from(speaks_no_http)
    assert "does not speak HTTP" in said


async def test_a_refused_connection_is_a_failure_that_says_so() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        model = OpenAICompatible(
            model="m-1", base_url=f"http://127.0.0.1:{reserved.getsockname()[1]}/v1", max_retries=1
        )
        with pytest.raises(ModelError, match=r"cannot be reached: .*[Cc]onnect.* \(tried 2 times\)$"):
            await ask(model)


@pytest.mark.parametrize("status", [200, 500])
async def test_a_body_without_end_is_refused_before_it_fills_the_memory(status: int) -> None:
    await reason_from(chat(""))  # Loads the client's modules, which are no part of the measurement.
    tracemalloc.start()
    try:
        said, asked = await reason_from(endless(status), tries=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said.endswith("the body is longer than 2,000,000 bytes")
    assert asked == 1
    assert peak < 8_000_000


async def test_a_body_of_ten_megabytes_is_refused() -> None:
    said, _ = await reason_from(chat("boots " * 1_700_000))
    assert said.endswith("the body is longer than 2,000,000 bytes")


async def test_a_compressed_body_is_refused_as_it_may_unfold_to_any_size() -> None:
    said, _ = await reason_from(whole(200, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"))
    assert "the body is compressed ('gzip')" in said


async def test_html_is_no_answer() -> None:
    said, asked = await reason_from(whole(200, b"<html>Welcome to nginx</html>", kind="text/html"), tries=3)
    assert "did not answer with a completion" in said
    assert "<html>Welcome to nginx" in said
    assert asked == 1


async def test_json_that_is_no_completion_is_no_answer() -> None:
    for body in (
        b'{"ok": true}',
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b"\xff",
    ):
        said, _ = await reason_from(whole(200, body))
        assert "did not answer with a completion" in said


@pytest.mark.parametrize("content", [None, "", "  \n", "<think>What would he say? "])
async def test_empty_content_is_no_answer(content: str | None) -> None:
    said, asked = await reason_from(chat(content, finish="length"), tries=3, thinking_tokens=0)
    assert "gave an empty answer (finish reason 'length')" in said
    assert asked == 1


async def test_a_refusal_is_no_answer() -> None:
    said, _ = await reason_from(chat(None, refusal="I cannot help with that."))
    assert said.endswith("refused to answer: I cannot help with that.")
