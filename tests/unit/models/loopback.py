"""A server on loopback that answers each request with the next of its replies, however badly."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Loopback:
    replies: list[Callable[[Request], Reply]]
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    tasks: set[asyncio.Task[None] | None] = field(default_factory=set)
    busy: int = 0
    most_busy: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.requests.append(Request(first.split()[1], headers, body))
                reply = self.replies[min(len(self.requests), len(self.replies)) - 1](self.requests[-1])
                self.busy += 1
                self.most_busy = max(self.busy, self.most_busy)
                try:
                    await reply(writer)
                finally:
                    self.busy -= 1
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def loopback(*replies: Reply) -> AsyncIterator[Loopback]:
    """Serve ``replies`` in order, the last one again and again."""
    async with answering(*(always(reply) for reply in replies)) as server:
        yield server


def always(reply: Reply) -> Callable[[Request], Reply]:
    """Reply so, whatever the request."""
    return lambda _: reply


@asynccontextmanager
async def answering(
    *replies: Callable[[Request], Reply], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Loopback]:
    """Serve what each of ``replies`` makes of its request, the last one again and again."""
    server = Loopback(list(replies))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in server.tasks:
            if task is not None:
                task.cancel()
        await asyncio.sleep(0)


def whole(status: int, body: bytes, *, kind: str = "application/json", **headers: str) -> Reply:
    """Reply with a complete response."""
    stated = {"Content-Type": kind, "Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in stated.items()
    )

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()

    return reply


def chat(content: str | None, *, finish: str = "stop", **message: object) -> Reply:
    """Reply with a chat completion of 11 tokens in and 7 out."""
    answer = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "any",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }
    return whole(200, json.dumps(answer).encode())


def failure(status: int, message: str = "", code: str | None = None, **headers: str) -> Reply:
    """Reply with an error in OpenAI's form."""
    return whole(status, json.dumps({"error": {"message": message, "code": code}}).encode(), **headers)


def slow(reply: Reply, seconds: float) -> Reply:
    """Reply after a while."""

    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await reply(writer)

    return late


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Never reply."""
    await asyncio.sleep(3600)


async def drips(writer: asyncio.StreamWriter) -> None:
    """Reply with one byte at a time, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def closes_mid_body(writer: asyncio.StreamWriter) -> None:
    """Promise 1,000 bytes, send some, hang up."""
    writer.write(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"choices": ['
    )
    await writer.drain()
    writer.close()


async def speaks_no_http(writer: asyncio.StreamWriter) -> None:
    """Send what another protocol would."""
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    await writer.drain()
    writer.close()


def endless(status: int) -> Reply:
    """Reply with a body that has no end."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        while True:
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()

    return reply
