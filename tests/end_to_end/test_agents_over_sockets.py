"""Agents behind HTTP on loopback: what is sent, and every way in which an endpoint goes wrong."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from convsim.agents import HTTP, LLM, OpenAIChat
from convsim.errors import AgentError, InputError
from convsim.models import OpenAICompatible
from convsim.schema.conversation import Usage
from convsim.schema.persona import Persona
from tests.hanging import SECONDS
from tests.unit.agents.shops import shop, talk

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BOOT = {"id": "b1", "title": "Boot", "price": 39.0, "attributes": {"colors": ["red"]}}


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    """Serve one connection after the other on a free port of loopback; yields the address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:  # the client had enough
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/reply"
    finally:
        listening.close()


async def request_of(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    """Read one request: its headers in lower case, and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if value
    }
    return {"": head[0], **headers}, await reader.readexactly(int(headers.get("content-length", 0)))


def response(
    body: bytes, *, status: str = "200 OK", headers: str = "Content-Type: application/json"
) -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def saying(*parts: bytes) -> Serve:
    """Answer any request with these bytes, and close."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()

    return serve


async def reason(serve: Serve, *, timeout_s: float = 5.0) -> str:
    """Ask an agent behind ``serve`` and return why it failed, without its address."""
    async with server(serve) as url:
        agent = HTTP(url=url, timeout_s=timeout_s, max_retries=0, name="shop")
        with pytest.raises(AgentError) as caught:
            await agent.reply(talk("boots"), seed=1)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text.replace(url, "URL")


async def test_the_messages_go_out_as_json_and_the_items_come_back() -> None:
    received: list[tuple[dict[str, str], bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await request_of(reader))
        writer.write(
            response(json.dumps({"content": "this?", "items": [BOOT], "usage": {"cost_usd": 0.5}}).encode())
        )

    async with server(serve) as url:
        reply = await HTTP(url=url).reply(talk("boots", "red", shown=[["b1"]]), seed=9)
    assert reply.content == "this?"
    assert reply.items[0].model_dump(exclude={"metadata"}) == BOOT
    assert reply.usage == Usage(cost_usd=0.5)
    ((headers, body),) = received
    assert headers[""] == "POST /reply HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    sent = json.loads(body)
    assert (sent["conversation_id"], sent["seed"]) == ("talk", 9)
    assert [(m["role"], m["content"]) for m in sent["messages"]] == [
        ("user", "boots"), ("assistant", "Have a look."), ("user", "red"),
    ]  # fmt: skip
    assert sent["messages"][1]["items"][0]["id"] == "b1"
    assert sent.keys() == {"messages", "conversation_id", "seed"}


async def test_a_key_from_the_environment_is_sent_as_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers, _ = await request_of(reader)
        received.append(headers["authorization"])
        writer.write(response(b'{"content": "ok"}'))

    monkeypatch.setenv("SHOP_KEY", "open sesame")
    async with server(serve) as url:
        agent = HTTP(url=url, api_key_env="SHOP_KEY")
        await agent.reply(talk("hi"), seed=1)
    assert received == ["Bearer open sesame"]
    assert "sesame" not in repr(agent)


async def test_a_key_that_ends_in_a_newline_is_sent_without_it_and_redacted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers, _ = await request_of(reader)
        said = f"x{' ' * 170}no such key: {headers['authorization']}"
        writer.write(response(said.encode(), status="401 Unauthorized"))

    monkeypatch.setenv("SHOP_KEY", "sk-LEAKME-0123456789abcdef\n")
    async with server(serve) as url:
        with pytest.raises(AgentError, match=r"no such key: Bearer \[SHOP_KEY\]$") as failed:
            await HTTP(url=url, api_key_env="SHOP_KEY").reply(talk("hi"), seed=1)
    assert "LEAK" not in str(failed.value)


async def test_many_replies_at_once_do_not_wait_for_each_other() -> None:
    all_have_asked = asyncio.Barrier(32)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await request_of(reader)
        await all_have_asked.wait()
        writer.write(response(json.dumps({"content": json.loads(body)["messages"][0]["content"]}).encode()))

    async with server(serve) as url, asyncio.timeout(SECONDS):
        agent = HTTP(url=url, timeout_s=2 * SECONDS)
        replies = await asyncio.gather(*(agent.reply(talk(f"boots {i}"), seed=i) for i in range(32)))
    assert [reply.content for reply in replies] == [f"boots {i}" for i in range(32)]


def test_one_agent_serves_several_event_loops() -> None:
    async def once() -> str:
        async with server(saying(response(b'{"content": "ok"}'))) as url:
            agent.url = url
            return (await agent.reply(talk("hi"), seed=1)).content

    agent = HTTP(url="http://127.0.0.1/")
    assert [asyncio.run(once()), asyncio.run(once())] == ["ok", "ok"]


async def test_a_refused_connection_is_a_reason() -> None:
    async with server(saying(b"")) as url:
        pass
    with pytest.raises(AgentError, match=r"^http: http://127\.0\.0\.1:\d+/reply did not answer: .*onnect"):
        await HTTP(url=url).reply(talk("hi"), seed=1)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (response(b'{"error": "no such shop"}', status="404 Not Found"), 'status 404: {"error": "no such shop"}'),
        (response(b"slow\ndown", status="429 Too Many", headers="Retry-After: 1"), "status 429: slow down"),
        (response(b"", status="500 Internal Server Error"), "status 500: "),
        (response(b"", status="302 Found", headers="Location: http://127.0.0.1:9/"), "status 302"),
        (response(b"", status="204 No Content"), "must answer with one JSON object, but sent: nothing"),
        (response(b"", status="304 Not Modified"), "status 304"),
        (response(b"<html><h1>Hi", headers="Content-Type: text/html"), "a web page instead of JSON: <html><h1>Hi"),
        (response(b""), "must answer with one JSON object, but sent: nothing"),
        (response(b"plain"), "must answer with one JSON object, but sent: plain"),
        (response(b'{"content": null}'), "content: must be text, but is None"),
        (response(b'{"content": "x", "items": [{"title": "Boot"}]}'), "items.0.id: is missing"),
        (response(b'{"content": "x", "items": 7}'), "items: must be a list, but is 7"),
        (response(json.dumps({"content": "a" * 1_000_000}).encode()), "more than 262,144 bytes of text"),
        (response(b" " * 10_000_000), "more than 1,048,576 bytes"),
        (
            response(gzip.compress(b" " * 20_000_000, mtime=0), headers="Content-Encoding: gzip"),
            "more than 1,048,576 bytes",
        ),
        (
            response(gzip.compress(b'{"content": "x"}', mtime=0)[:-9], headers="Content-Encoding: gzip"),
            "URL answered with what is no gzip: it ends in the middle",
        ),
        (response(b"x", headers="Content-Encoding: gzip"), "URL answered with what is no gzip: "),
        (response(b"x", headers="Content-Encoding: br"), "compressed its answer (br), which is not read"),
        (response(b"data: {\"error\": {\"message\": \"full\"}}\n\n"), "shop answered with an error: full"),
        (response(b"data: {\"type\": \"ping\"}\n\ndata: [DONE]\n\n"), "shop answered without 'content'"),
        (response(b'{"error": "tool failed"}'), "shop answered with an error: tool failed"),
        (b"", "URL did not answer: Server disconnected"),
        (b"SSH-2.0\r\n\r\n", "URL did not answer: "),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"content": "bo', "URL did not answer: Response payload"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"con", "URL did not answer: "),
    ],
)  # fmt: skip
async def test_what_a_bad_endpoint_does_is_a_reason(sent: bytes, says: str) -> None:
    assert says in await reason(saying(sent))


BODY = json.dumps({"content": "this?", "items": [BOOT]}).encode()


@pytest.mark.parametrize(
    ("sent", "content", "ids"),
    [
        (response(BODY, status="201 Created"), "this?", ["b1"]),
        (response(BODY, headers="Content-Type: text/html"), "this?", ["b1"]),
        (response(gzip.compress(BODY, mtime=0), headers="Content-Encoding: gzip"), "this?", ["b1"]),
        (response(zlib.compress(BODY), headers="Content-Encoding: deflate"), "this?", ["b1"]),
        (response(zlib.compress(BODY)[2:-4], headers="Content-Encoding: deflate"), "this?", ["b1"]),
        (response(b"Two that fit\n", headers="Content-Type: text/plain; charset=utf-8"), "Two that fit", []),
        (response(b"42", headers="Content-Type: text/plain"), "42", []),
        (response(b'"Two that fit"'), "Two that fit", []),
        (
            response(
                b': hi\nevent: m\ndata: {"content": "Two "}\n\ndata: {"content": "that fit", "items": [{"id": 5}]}\n\n'
                b"data: [DONE]\n\ndata: {}\n\n",
                headers="Content-Type: text/event-stream",
            ),
            "Two that fit",
            ["5"],
        ),
        (
            response(
                b'data: {"choices": [{"delta": {"role": "assistant"}}]}\r\n\r\n'
                b'data: {"choices": [{"delta": {"content": "Two"}}]}\r\n\r\ndata: [DONE]\r\n\r\n'
            ),
            "Two",
            [],
        ),
        (
            response(
                b'{"type": "content_block_delta", "delta": {"text": "Tw"}}\n{"type": "ping"}\n{"delta": "o"}\n',
                headers="Content-Type: application/x-ndjson",
            ),
            "Two",
            [],
        ),
        (
            response(
                b'data: {"type": "response.output_text.delta", "delta": "Tw"}\n\n'
                b'data: {"type": "response.output_text.delta", "delta": "o"}\n\n'
                b'data: {"type": "response.output_text.done", "text": "Two"}\n\n'
            ),
            "Two",
            [],
        ),
        (response(b'data: "T"\n\ndata: "Tw"\n\ndata: "Two"\n\n'), "Two", []),
        (response(b"data: Two\ndata: that fit\n\n"), "Two\nthat fit", []),
    ],
)  # fmt: skip
async def test_whatever_says_the_same_is_the_same_reply(sent: bytes, content: str, ids: list[str]) -> None:
    async with server(saying(sent)) as url:
        reply = await HTTP(url=url).reply(talk("boots"), seed=1)
    assert (reply.content, [item.id for item in reply.items]) == (content, ids)


@pytest.mark.parametrize(
    ("status", "place", "says"),
    [
        ("307 Temporary Redirect", "/reply/v2", None),
        ("308 Permanent Redirect", "{origin}/elsewhere", None),
        ("301 Moved Permanently", "/reply/", None),
        ("301 Moved Permanently", "/other", "which would change what is asked"),
        ("303 See Other", "/reply?done", "which would change what is asked"),
        ("307 Temporary Redirect", "http://127.0.0.1:9/reply", "another place, to which no conversation is sent"),
        ("307 Temporary Redirect", "http://localhost.example/reply", "another place"),
        ("307 Temporary Redirect", "//evil.example/reply", "another place"),
        ("307 Temporary Redirect", "ftp://127.0.0.1/reply", "another place"),
        ("307 Temporary Redirect", "/reply", "redirects more than 3 times"),
    ],
)  # fmt: skip
async def test_a_redirect_is_followed_on_the_same_host_alone(
    status: str, place: str, says: str | None
) -> None:
    asked: list[tuple[str, bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers, body = await request_of(reader)
        path = headers[""].split()[1]
        asked.append((headers[""].split()[0] + " " + path, body))
        if path == "/reply":
            writer.write(response(b"", status=status, headers=f"Connection: close\r\nLocation: {there}"))
        else:
            writer.write(response(b'{"content": "ok"}'))

    async with server(serve) as url:
        there = place.replace("{origin}", url.removesuffix("/reply"))
        agent = HTTP(url=url)
        if says is not None:
            with pytest.raises(AgentError, match=says):
                await agent.reply(talk("boots"), seed=1)
            assert len(asked) == (4 if "more than" in says else 1)
            return
        assert (await agent.reply(talk("boots"), seed=1)).content == "ok"
    (first, second) = asked
    assert second[0].startswith("POST /")
    assert first[1] == second[1]


async def test_a_busy_server_is_asked_again_and_a_session_only_where_it_did_not_hear() -> None:
    def failing(status: str) -> tuple[Serve, list[int]]:
        times: list[int] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request_of(reader)
            times.append(1)
            first = len(times) == 1
            writer.write(
                response(b"busy", status=status, headers="Retry-After: 0")
                if first
                else response(b'{"content": "ok"}')
            )

        return serve, times

    for status in ("429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable"):
        serve, times = failing(status)
        async with server(serve) as url:
            assert (await HTTP(url=url).reply(talk("boots"), seed=1)).content == "ok"
        assert len(times) == 2
    for status, n, said in (("502 Bad Gateway", 1, "status 502: busy"), ("500 Oops", 1, "status 500: busy")):
        serve, times = failing(status)
        async with server(serve) as url:
            with pytest.raises(AgentError, match=said):
                await HTTP(url=url, session=True).reply(talk("boots"), seed=1)
        assert len(times) == n
    serve, times = failing("429 Too Many Requests")
    async with server(serve) as url:
        with pytest.raises(AgentError, match=r"status 429: busy \(tried once\)"):
            await HTTP(url=url, max_retries=0).reply(talk("boots"), seed=1)


async def test_the_request_has_the_headers_the_method_and_the_fields_that_were_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received: list[tuple[dict[str, str], bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await request_of(reader))
        said = f"no such key {received[-1][0]['x-api-key']}".encode()
        writer.write(response(said, status="401 Unauthorized"))

    monkeypatch.setenv("SHOP_KEY", "LEAKME-0123456789abcdef")
    monkeypatch.setenv("SHOP_TOKEN", "LEAKTOO-0123456789abcdef")
    asked = talk("boots", "red", shown=[["b1"]]).but(
        task="shoes", arm="bad", persona=Persona(id="p7", need="boots")
    )
    async with server(serve) as url:
        agent = HTTP(
            url=url,
            method="PUT",
            headers={"X-Api-Key": "env:SHOP_KEY", "Authorization": "Token env:SHOP_TOKEN", "X-Shop": "de"},
            extra={
                "query": "{message}", "shop": "de", "who": "{persona} in {arm}", "n": "{turn}",
                "on": {"of": ["{task}"]},
            },
            omit=["seed"],
            session=True,
        )  # fmt: skip
        with pytest.raises(AgentError, match=r"status 401: no such key \[SHOP_KEY\]"):
            await agent.reply(asked, seed=4)
    ((headers, body),) = received
    assert headers[""] == "PUT /reply HTTP/1.1"
    assert (headers["x-api-key"], headers["x-shop"]) == ("LEAKME-0123456789abcdef", "de")
    assert headers["authorization"] == "Token LEAKTOO-0123456789abcdef"
    assert "LEAK" not in repr(agent)
    assert json.loads(body) == {
        "messages": [{"role": "user", "content": "red"}],
        "conversation_id": "talk",
        "query": "red",
        "shop": "de",
        "who": "p7 in bad",
        "n": 2,
        "on": {"of": ["shoes"]},
    }


async def test_an_endpoint_that_never_answers_is_given_up() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with asyncio.timeout(SECONDS):
        assert await reason(hang, timeout_s=0.2) == "shop did not answer within 0.2 s"


async def test_a_body_without_an_end_is_refused_long_before_the_time_is_up() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    assert await reason(flood, timeout_s=30) == "shop answered with more than 1,048,576 bytes"


async def test_an_endpoint_that_drips_its_body_is_given_up_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        for _ in range(400):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert await reason(drip, timeout_s=0.2) == "shop did not answer within 0.2 s"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"url": "shop.example/reply"},
            "http: url must begin with http:// or https://, but is 'shop.example/reply'",
        ),
        (
            {"url": "http://a", "api_key_env": "NO_SUCH_KEY"},
            "the environment variable NO_SUCH_KEY is not set",
        ),
        (
            {"url": "http://joe:LEAKME@a/"},
            "http: url contains credentials: leave it out, and set api_key_env to the name of the variable",
        ),
        ({"url": "http://a/?n=1&api_key=LEAKME"}, "http: url contains the parameter 'api_key': leave it out"),
        (
            {"url": "http://a", "headers": {"X-Api-Key": "LEAKME-not-a-name"}},
            "http: headers.X-Api-Key looks like a secret: write env:NAME in its place",
        ),
        (
            {"url": "http://a", "headers": {"X-Api-Key": "env:LEAKME-not-a-name"}},
            "http: headers.X-Api-Key: api_key_env must be the name of an environment variable",
        ),
        (
            {"url": "http://a", "headers": {"X-Api-Key": "env:NO_SUCH_KEY"}},
            "http: headers.X-Api-Key: the environment variable NO_SUCH_KEY is not set",
        ),
        ({"url": "http://a", "headers": {"Host": "b"}}, "http: headers: 'Host' is no header that can be set"),
        ({"url": "http://a", "headers": {"X": "a\nb"}}, "http: headers.X has characters that an HTTP header"),
        ({"url": "http://a", "method": "GET"}, "http: method must be POST, PUT or PATCH, but is 'GET'"),
        (
            {"url": "http://a", "omit": ["sed"]},
            "http: omit has 'sed'; it may have: messages, conversation_id, seed",
        ),
        ({"url": "http://a", "extra": {"q": "{mesage}"}}, "did you mean {message}?"),
        (
            {"url": "http://a", "fields": {"ids": "sku"}},
            "http: fields.'ids': no such key; did you mean 'id'?",
        ),
        (
            {"url": "ftp://joe:LEAKME@a/"},
            "http: url must begin with http:// or https://, but is 'ftp://[redacted]@a/'",
        ),
        ({"url": "http://[LEAKME"}, "is not an address"),
        ({"url": "http://a", "timeout_s": -1}, "http: timeout_s must be seconds above 0"),
    ],
)
def test_an_unusable_setting_is_refused_at_once(settings: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as caught:
        HTTP(**settings)  # type: ignore[arg-type]
    assert says in str(caught.value)


def completion(text: str) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    answer = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }
    return response(json.dumps(answer).encode())


def model_at(url: str) -> OpenAICompatible:
    return OpenAICompatible(model="m", base_url=url.removesuffix("/reply") + "/v1", max_retries=0)


async def test_a_chat_endpoint_is_an_agent() -> None:
    async with server(saying(completion("Try these."))) as url:
        reply = await OpenAIChat(model=model_at(url)).reply(talk("boots"), seed=1)
    assert reply.content == "Try these."
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 5)


async def test_a_chat_endpoint_speaks_about_what_the_search_found() -> None:
    async with server(saying(completion("The red ones [1]."))) as url:
        reply = await LLM(model=model_at(url), catalogue=shop()).reply(talk("red boots"), seed=1)
    assert [item.id for item in reply.items] == ["boot-b"]
    assert reply.content == "The red ones."


@pytest.mark.parametrize(
    "sent",
    [
        response(b'{"error": {"message": "no"}}', status="401 Unauthorized"),
        response(b"<html>", headers="Content-Type: text/html"),
        completion(""),
        b"",
    ],
)
async def test_a_chat_endpoint_that_fails_fails_the_agent(sent: bytes) -> None:
    async with server(saying(sent)) as url:
        with pytest.raises(AgentError) as caught:
            await OpenAIChat(model=model_at(url), name="shop").reply(talk("boots"), seed=1)
    assert str(caught.value).startswith("shop: the model m ")
    assert "\n" not in str(caught.value)


async def test_an_address_that_is_none_is_a_reason() -> None:
    with pytest.raises(AgentError, match="did not answer"):
        await HTTP(url="http://").reply(talk("hi"), seed=1)
