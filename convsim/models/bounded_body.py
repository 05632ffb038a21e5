"""Refuses a response body before it fills the memory; imported only with the HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from convsim._text import one_line
from convsim.errors import ModelError

MAX_BODY_BYTES = 2_000_000
"""The longest body that is read: far above any chat completion, far below what would hurt."""
MAX_STREAM_BYTES = 16_000_000
"""The same of a stream of events, each of which repeats some hundred bytes around a few letters."""


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int):
        self._stream, self._most = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > self._most:
                raise ModelError(f"the body is longer than {self._most:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bound_body(response: httpx2.Response) -> None:
    """Bound the body of ``response``, before any of it is read.

    Raises:
        ModelError: The body is compressed, though that was not asked for; it might unfold to any size.
    """
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise ModelError(f"the body is compressed ({one_line(encoding)[:20]!r}), though none was asked for")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        response.stream = _Bounded(response.stream, MAX_STREAM_BYTES if is_stream else MAX_BODY_BYTES)
