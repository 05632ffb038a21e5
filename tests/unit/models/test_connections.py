"""Connections to servers: closed in time, through the environment's proxy, with the certificates that it trusts."""

import asyncio
import gc
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import InputError, ModelError
from convsim.models import OpenAICompatible
from convsim.schema.chat_model import ChatMessage
from tests.end_to_end.certificates import Certificate, certificate
from tests.unit.models.loopback import answering, chat, drips, loopback, whole

HELLO = [ChatMessage(role="user", content="hi")]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SOME_KEY", "s3cret-key")


async def said(model: OpenAICompatible) -> str:
    try:
        return (await model.complete(HELLO, max_tokens=5, temperature=0, seed=1)).text
    finally:
        await model.aclose()


def elsewhere(base_url: str) -> OpenAICompatible:
    return OpenAICompatible(model="m", base_url=base_url, api_key_env="SOME_KEY", max_retries=0, timeout_s=20)


async def test_the_connections_of_a_model_that_nobody_has_any_more_are_closed() -> None:
    async with answering(lambda request: chat("hello")) as server:
        model: Any = OpenAICompatible(model="m", base_url=server.base_url)
        model.of_itself = model  # so that it is the garbage collector that finds it
        await model.complete(HELLO, max_tokens=5, temperature=0, seed=1)
        (serving,) = server.tasks
        assert serving is not None
        assert not serving.done()
        del model
        gc.collect()
        async with asyncio.timeout(20):
            await serving  # it ends with the connection


async def test_what_one_conversation_is_given_to_be_remembered_by_is_not_shown_for_the_next() -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}
    reply = whole(200, json.dumps(body).encode(), Set_Cookie="session=mine; Path=/")
    async with loopback(reply) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url.replace("127.0.0.1", "localhost"))
        for _ in range(2):
            await model.complete(HELLO, max_tokens=5, temperature=0, seed=1)
        await model.aclose()
    assert ["cookie" in request.headers for request in server.requests] == [False, False]


async def test_one_connection_serves_request_after_request() -> None:
    async with loopback(chat("hello")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        for _ in range(3):
            await model.complete(HELLO, max_tokens=5, temperature=0, seed=1)
        await model.aclose()
    assert (len(server.requests), len(server.tasks)) == (3, 1)


async def test_a_connection_whose_answer_was_not_waited_for_is_used_no_more() -> None:
    async with loopback(drips, chat("hello")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, timeout_s=0.2, max_retries=1)
        assert await said(model) == "hello"
    assert (len(server.requests), len(server.tasks)) == (2, 2)


async def test_what_is_sent_says_who_asks_and_what_is_taken() -> None:
    async with loopback(chat("hello")) as server:
        await said(OpenAICompatible(model="m", base_url=server.base_url))
    sent = server.requests[0].headers
    assert sent["user-agent"].startswith("convsim/")
    assert (sent["content-type"], sent["accept"]) == ("application/json", "application/json")
    assert sent["accept-encoding"] == "identity"
    assert "transfer-encoding" not in sent


async def test_a_server_elsewhere_is_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with loopback(chat("by proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:pass-w0rd@127.0.0.1:{proxy.port}")
        assert await said(elsewhere("http://shop.example/v1")) == "by proxy"
    assert proxy.requests[0].path == "http://shop.example/v1/chat/completions"
    assert proxy.requests[0].headers["host"] == "shop.example"
    assert proxy.requests[0].headers["authorization"] == "Bearer s3cret-key"
    basic = b64encode(b"me:pass-w0rd").decode()
    assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {basic}"


async def test_all_proxy_is_for_any_scheme_and_needs_none_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(chat("by proxy")) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"127.0.0.1:{proxy.port}")
        assert await said(elsewhere("http://shop.example/v1")) == "by proxy"


@pytest.mark.parametrize("excepted", ["shop.invalid", "*", ".invalid", "a.example, shop.invalid"])
async def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch, excepted: str) -> None:
    async with loopback(chat("by proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", excepted)
        monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", _unknown)
        with pytest.raises(ModelError, match=r"cannot be reached: .*no such host in this test"):
            await said(elsewhere("http://shop.invalid/v1"))
    assert proxy.requests == []


async def _unknown(*words: object, **settings: object) -> list[object]:
    raise OSError("no such host in this test")


async def test_a_server_on_this_machine_is_asked_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(chat("by proxy")) as proxy, loopback(chat("itself")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert await said(OpenAICompatible(model="m", base_url=server.base_url)) == "itself"
    assert proxy.requests == []


async def test_a_proxy_that_is_not_of_http_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:pass-w0rd@127.0.0.1:9")
    with pytest.raises(
        InputError, match=r"a proxy of 'socks5' for shop\.example.*NO_PROXY=shop\.example"
    ) as caught:
        await said(elsewhere("http://shop.example/v1"))
    assert "pass-w0rd" not in str(caught.value)


async def test_a_proxy_that_is_not_there_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(chat("by proxy")) as proxy:
        port = proxy.port
    monkeypatch.setenv("HTTP_PROXY", f"http://me:pass-w0rd@127.0.0.1:{port}")
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        await said(elsewhere("http://shop.example/v1"))
    assert "pass-w0rd" not in str(caught.value)


@asynccontextmanager
async def tunnel(port: int, refusal: bytes = b"") -> AsyncIterator[tuple[int, list[str]]]:
    """Run a proxy that leads every CONNECT to one port; yields its own port, and the heads of what it was asked."""
    asked: list[str] = []
    pipes: set[asyncio.Task[None]] = set()
    open_ends: list[asyncio.StreamWriter] = []

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ends.append(writer)
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(refusal or b"HTTP/1.1 200 OK\r\n\r\n")
        if refusal:
            writer.close()
            return
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        open_ends.append(forth)
        pipes.update({asyncio.ensure_future(pipe(reader, forth)), asyncio.ensure_future(pipe(back, writer))})

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], asked
    finally:
        listening.close()
        for task in pipes:
            task.cancel()
        for end in open_ends:
            end.close()
        await asyncio.gather(*pipes, *(end.wait_closed() for end in open_ends), return_exceptions=True)


def serving(made: Certificate) -> ssl.SSLContext:
    """Return what a server with this certificate speaks TLS by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.file, made.key)
    return context


@pytest.mark.parametrize("host", ["api.openai.com", "shop.example"])
async def test_https_goes_through_a_proxy_unread_to_a_server_that_the_environment_trusts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    made = certificate(tmp_path, hosts=(host,))
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    async with (
        answering(lambda request: chat("secure"), tls=serving(made)) as server,
        tunnel(server.port) as (
            port,
            asked,
        ),
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert await said(elsewhere(f"https://{host}/v1")) == "secure"
    assert [head.split("\r\n")[0] for head in asked] == [f"CONNECT {host}:443 HTTP/1.1"]
    assert "s3cret-key" not in asked[0]
    sent = server.requests[0].headers
    assert sent["authorization"] == "Bearer s3cret-key"
    found = (sent.get("openai-organization"), sent.get("openai-project"))
    assert found == (("org-mine", "proj-mine") if host == "api.openai.com" else (None, None))


@pytest.mark.parametrize("trusted", [True, False], ids=["another name", "not trusted"])
async def test_a_server_whose_certificate_does_not_hold_is_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trusted: bool
) -> None:
    made = certificate(tmp_path, hosts=("other.example",) if trusted else ("shop.example",))
    trust = made if trusted else certificate(tmp_path, "another")
    monkeypatch.setenv("SSL_CERT_FILE", str(trust.file))
    async with (
        answering(lambda request: chat("stolen"), tls=serving(made)) as server,
        tunnel(server.port) as (
            port,
            _,
        ),
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(ModelError, match=r"cannot be reached: .*certificate verify failed"):
            await said(elsewhere("https://shop.example/v1"))
    assert server.requests == []


async def test_a_proxy_that_refuses_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with tunnel(9, refusal) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass-w0rd@127.0.0.1:{port}")
        with pytest.raises(ModelError, match=r"cannot be reached: 407") as caught:
            await said(elsewhere("https://shop.example/v1"))
    assert len(asked) == 1
    assert "pass-w0rd" not in str(caught.value)
