"""A server on loopback that goes wrong in some fifty ways, each for the conversations in which its name is said.

``MODES`` are the ways, by name; what is asked about ``mode-NAME`` is answered so, everything else as it should be. It
speaks what an ``http`` agent is answered with, and chat completions.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.unit.models.loopback import (
    Reply,
    Request,
    closes_mid_body,
    drips,
    endless,
    hangs,
    slow,
    speaks_no_http,
    whole,
)

Speaks = Literal["http", "chat"]
NAMED = re.compile(r"mode-([a-z0-9-]+)")
FINE = "fine"
"""What a harmless mode ends with: a conversation without a failure."""


@dataclass(frozen=True)
class Mode:
    """A way to go wrong: what is sent to each client, and how the reason begins that it ends in; FINE for none."""

    reply: Callable[[Speaks], Reply]
    http: str | None = None
    chat: str | None = None

    def reason(self, speaks: Speaks) -> str | None:
        """Return a pattern of the reason; None where this client is not answered so."""
        return self.http if speaks == "http" else self.chat


def right(speaks: Speaks, text: str = "this one?", **more: Any) -> dict[str, Any]:
    """Return what should be answered, with other fields beside or instead."""
    if speaks == "http":
        return {"content": text, **more}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
        **more,
    }


def body(speaks: Speaks, *args: Any, **more: Any) -> bytes:
    return json.dumps(right(speaks, *args, **more)).encode()


def answered(status: int, content: bytes, *, kind: str = "application/json", **headers: str) -> Reply:
    """Reply with a complete response, on a connection that no other request shares."""
    return whole(status, content, kind=kind, Connection="close", **headers)


def always(reply: Reply) -> Callable[[Speaks], Reply]:
    return lambda _: reply


def saying(**more: Any) -> Callable[[Speaks], Reply]:
    """Answer rightly but for these fields."""
    return lambda speaks: answered(200, body(speaks, **more))


def status(number: int, **headers: str) -> Callable[[Speaks], Reply]:
    return lambda speaks: answered(number, b'{"error": {"message": "out of order"}}', **headers)


def sent(*parts: bytes, pause: float = 0.0) -> Callable[[Speaks], Reply]:
    """Send bytes as they are, and close."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        writer.close()

    return always(reply)


def raw(make: Callable[[bytes], bytes]) -> Callable[[Speaks], Reply]:
    """Send what is made of the right body, head and all, and close."""
    return lambda speaks: sent(make(body(speaks)))(speaks)


def recoded(make: Callable[[bytes], bytes], **headers: str) -> Callable[[Speaks], Reply]:
    return lambda speaks: answered(200, make(body(speaks)), **headers)


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join(
        (status, "Content-Type: application/json", "Connection: close", *lines, "", "")
    ).encode("latin-1")


async def resets(writer: asyncio.StreamWriter) -> None:
    """Send half a head and then a reset, not an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await writer.drain()
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def stalls(writer: asyncio.StreamWriter) -> None:
    """Send half a body, and then nothing more."""
    writer.write(head("Content-Length: 1000") + b'{"content": ')
    await writer.drain()
    await asyncio.sleep(3600)


async def heads_without_end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def chunked(data: bytes) -> bytes:
    return head("Transfer-Encoding: chunked") + f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n"


def with_length(length: str) -> Callable[[Speaks], Reply]:
    return raw(lambda data: head(f"Content-Length: {length}") + data)


def items(*shown: Any) -> Callable[[Speaks], Reply]:
    return saying(items=[*shown])


def usage(**counted: Any) -> Callable[[Speaks], Reply]:
    return saying(usage=counted)


def choices(*given: Any) -> Callable[[Speaks], Reply]:
    return saying(choices=[*given])


def message(content: Any, **more: Any) -> Callable[[Speaks], Reply]:
    return choices(
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content, **more}}
    )


LATE, UNREACHED = (
    "did not answer within|no complete answer within",
    "did not answer:|broke off|cannot be reached|HTTP",
)
NO_JSON = "one JSON object|web page|JSON"
NO_COMPLETION = "not answer with a completion"
CUT = "did not answer: |tried|Payload|broke|incomplete|cut|not answer with a completion|answered, but"
MODES: dict[str, Mode] = {
    # What it says of itself.
    "204": Mode(sent(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"), NO_JSON, NO_COMPLETION),
    "302": Mode(status(302, Location="http://127.0.0.1:9/"), "status 302", "redirect|302"),
    "307": Mode(status(307, Location="http://127.0.0.1:9/"), "status 307", "redirect|307"),
    "400": Mode(status(400), "status 400", "400"),
    "401": Mode(status(401), "status 401", "401"),
    "403": Mode(status(403), "status 403", "403"),
    "404": Mode(status(404), "status 404", "not found"),
    "418": Mode(status(418), "status 418", "418"),
    "429": Mode(status(429, Retry_After="86400"), "status 429", "429|wait"),
    "500": Mode(status(500), "status 500", "500"),
    "503": Mode(status(503, Retry_After="-1"), "status 503", "503"),
    "999": Mode(status(999), "status 999|did not answer", "999|HTTP"),
    "a-status-of-four-digits": Mode(sent(b"HTTP/1.1 2000 OK\r\n\r\n"), UNREACHED, UNREACHED),
    "another-protocol": Mode(always(speaks_no_http), UNREACHED, UNREACHED),
    "tls": Mode(sent(b"\x15\x03\x01\x00\x02\x02\x28"), UNREACHED, UNREACHED),
    "101": Mode(sent(head(status="HTTP/1.1 101 Switching")), "status 101", "HTTP 101"),
    "a-header-without-a-colon": Mode(sent(head("nonsense") + b"{}"), UNREACHED, UNREACHED),
    "a-header-of-a-megabyte": Mode(sent(head("X-Filler: " + "x" * (1 << 20)) + b"{}"), UNREACHED, UNREACHED),
    "headers-without-end": Mode(always(heads_without_end), UNREACHED, UNREACHED),
    # How it sends.
    "silence": Mode(always(hangs), LATE, LATE),
    "half-a-body-and-silence": Mode(always(stalls), LATE, LATE),
    "a-byte-at-a-time": Mode(always(drips), LATE, LATE),
    "a-little-late": Mode(lambda speaks: slow(answered(200, body(speaks)), 0.2), FINE, FINE),
    "half-a-body": Mode(always(closes_mid_body), CUT, CUT),
    "nothing-at-all": Mode(sent(b""), UNREACHED, UNREACHED),
    "a-reset": Mode(always(resets), UNREACHED, UNREACHED),
    "chunks": Mode(raw(chunked), FINE, FINE),
    "half-a-chunk": Mode(raw(lambda data: chunked(data)[:-20]), CUT, CUT),
    "a-chunk-of-no-number": Mode(sent(head("Transfer-Encoding: chunked") + b"zz\r\n{}\r\n"), CUT, CUT),
    "without-end": Mode(always(endless(200)), "more than 1,048,576 bytes", "more than|answered, but"),
    "ten-megabytes": Mode(always(answered(200, b" " * (10 << 20))), "more than 1,048,576 bytes", "answered, but"),
    "no-length": Mode(raw(lambda data: head() + data), FINE, FINE),
    "too-short-a-length": Mode(with_length("12"), CUT, CUT + "|HTTP"),
    "too-long-a-length": Mode(with_length("99999"), CUT, CUT),
    "a-negative-length": Mode(with_length("-5"), UNREACHED, UNREACHED),
    "a-length-of-no-number": Mode(with_length("many"), UNREACHED, UNREACHED),
    "compressed": Mode(recoded(gzip.compress, Content_Encoding="gzip"), FINE, "compress|answered, but"),
    # What it sends.
    "an-empty-body": Mode(always(answered(200, b"")), NO_JSON, NO_COMPLETION),
    "a-web-page": Mode(always(answered(200, b"<html>Sign in", kind="text/html")), NO_JSON, NO_COMPLETION),
    "half-json": Mode(recoded(lambda data: data[:-9]), NO_JSON, NO_COMPLETION),
    "two-documents": Mode(recoded(lambda data: data + data), NO_JSON, NO_COMPLETION),
    "a-list": Mode(recoded(lambda data: b"[" + data + b"]"), FINE, NO_COMPLETION),
    "null": Mode(always(answered(200, b"null")), NO_JSON, NO_COMPLETION),
    "deep-json": Mode(always(answered(200, b"[" * 200_000)), NO_JSON, NO_COMPLETION),
    "nan": Mode(recoded(lambda data: data.replace(b"this one?", b'", "x": NaN, "y": "')), NO_JSON, "empty answer"),
    "latin-1": Mode(recoded(lambda data: data.replace(b"this", b"caf\xe9")), NO_JSON, NO_COMPLETION),
    "utf-16": Mode(recoded(lambda data: data.decode().encode("utf-16")), FINE, NO_COMPLETION),
    "events": Mode(recoded(lambda data: b"data: " + data + b"\n\ndata: [DONE]\n\n"), FINE, FINE),
    "half-a-character": Mode(
        recoded(lambda data: data.replace(b"this one?", b"\\ud800")), "half a character", NO_COMPLETION
    ),
    "a-text-too-long": Mode(saying(text="x" * 300_000), "more than 262,144 bytes"),
    # Nonsense in it.
    "negative-usage": Mode(usage(input_tokens=-1, prompt_tokens=-1, completion_tokens=1), "Usage", FINE),
    "usage-in-words": Mode(usage(input_tokens="x", prompt_tokens="x", completion_tokens=1), "usage", FINE),
    "usage-of-4300-digits": Mode(
        recoded(lambda data: json.dumps({**json.loads(data), "usage": {
            "input_tokens": 10**4299, "prompt_tokens": 10**4299, "completion_tokens": 1,
        }}).encode()), "Usage", FINE,
    ),
    "usage-that-overflows": Mode(usage(seconds=1e308), "usage|seconds"),
    "no-content": Mode(always(answered(200, b'{"items": []}')), "content", NO_COMPLETION),
    "content-of-another-kind": Mode(saying(content=7), "content"),
    "another-conversation": Mode(saying(conversation_id="another"), FINE),
    "items-of-another-kind": Mode(saying(items=7), "items"),
    "items-without-ids": Mode(items({"title": "boots"}), "items"),
    "items-with-a-negative-price": Mode(items({"id": "a", "price": -1}), FINE),
    "items-with-deep-attributes": Mode(items({"id": "a", "attributes": {"a": nested(250)}}), "recursion limit"),
    "items-without-end": Mode(items(*({"id": f"i{n}"} for n in range(40_000))), "more than 1,048,576 bytes"),
    "no-choices": Mode(choices(), None, NO_COMPLETION),
    "choices-of-another-kind": Mode(saying(choices=7), None, NO_COMPLETION),
    "no-message": Mode(choices({"index": 0}), None, NO_COMPLETION),
    "null-content": Mode(message(None), None, "empty answer"),
    "tool-calls": Mode(message(None, tool_calls=[{"id": "t", "type": "function"}]), None, "empty answer"),
    "a-refusal": Mode(message(None, refusal="no"), None, "refused to answer"),
    "thinking-alone": Mode(message("<think>boots? "), None, "empty answer"),
}  # fmt: skip


def modes(speaks: Speaks) -> dict[str, str]:
    """Return the modes of a client, and what the reason of each fits."""
    return {name: reason for name, mode in MODES.items() if (reason := mode.reason(speaks)) is not None}


def faulty(speaks: Speaks, otherwise: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
    """Answer what names a mode as that goes; all else, and where one of several is to be chosen, ``otherwise``."""

    def answer(request: Request) -> Reply:
        found = None if "response_format" in request.body else NAMED.search(json.dumps(request.body))
        return MODES[found[1]].reply(speaks) if found else otherwise(request)

    return answer
