"""Connections to one server, kept open between requests, for one event loop; imported only where a server is asked."""

from __future__ import annotations

from collections.abc import Mapping
from ssl import SSLContext
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from convsim._text import one_line
from convsim.errors import InputError, ModelError
from convsim.io.provenance import own_version

MAX_BODY_BYTES = 2_000_000
"""The longest body that is read: far above any chat completion, far below what would hurt."""
MAX_STREAM_BYTES = 16_000_000
"""The same of a stream of events, each of which repeats some hundred bytes around a few letters."""
KEPT_OPEN_S = 5.0
"""How long a connection without a request is kept: no longer than servers of Python keep it by default."""
ALWAYS = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}


class Response(NamedTuple):
    """A response as a whole; names of headers are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """As many connections to a server as there are requests at a time; made and used in one event loop.

    Args:
        base_url: The address that requests go below.
        by_environment: Whether the environment has a say: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in the way,
            SSL_CERT_FILE and SSL_CERT_DIR in whom to trust.
        headers: Sent with each request.

    Raises:
        InputError: The proxy that the environment names is not one of HTTP.
    """

    def __init__(self, base_url: str, *, by_environment: bool, headers: Mapping[str, str]):
        self._below = base_url if base_url.endswith("/") else f"{base_url}/"
        self._proxy = _proxy_for(base_url) if by_environment else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEPT_OPEN_S, ssl=_trust(base_url, by_environment=by_environment)
            ),
            # What a server gives one conversation to remember it by is not shown it by another.
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={**ALWAYS, "User-Agent": f"convsim/{own_version()}", **headers},
            timeout=aiohttp.ClientTimeout(),
            auto_decompress=False,
        )

    async def post(
        self, path: str, content: bytes, *, headers: Mapping[str, str], version: str = ""
    ) -> Response:
        """Post JSON below the base address; ``version`` is the parameter ``api-version``. No redirect is followed.

        Raises:
            ModelError: The body is too long; or compressed, though that was not asked for: it might unfold to any size.
            aiohttp.ClientError: No connection, or no HTTP.
        """
        async with self._session.post(
            self._url(path, version),
            data=content,
            headers=headers,
            proxy=self._proxy,
            # Prompts, people's messages among them, go to the named server and to no other.
            allow_redirects=False,
        ) as response:
            return Response(response.status, response.headers, await _body(response))

    async def close(self) -> None:
        """Close them."""
        await self._session.close()

    def _url(self, path: str, version: str) -> str:
        query = f"?{urlencode({'api-version': version})}" if version else ""
        return f"{self._below}{path.lstrip('/')}{query}"


async def _body(response: aiohttp.ClientResponse) -> bytes:
    headers = response.headers
    encoding = headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise ModelError(f"the body is compressed ({one_line(encoding)[:20]!r}), though none was asked for")
    is_stream = headers.get("Content-Type", "").startswith("text/event-stream")
    most, size = MAX_STREAM_BYTES if is_stream else MAX_BODY_BYTES, 0
    chunks: list[bytes] = []
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most:
            raise ModelError(f"the body is longer than {most:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _trust(base_url: str, *, by_environment: bool) -> SSLContext | bool:
    if urlsplit(base_url).scheme != "https":
        return True
    import httpx2

    return httpx2.create_ssl_context(trust_env=by_environment)


def _proxy_for(base_url: str) -> str | None:
    """Return the proxy that the environment names for an address, with its credentials; None for none."""
    to, known = urlsplit(base_url), getproxies()
    stated = known.get(to.scheme) or known.get("all")
    if not stated or proxy_bypass(to.netloc):
        return None
    scheme, mark, _ = stated.partition("://")
    if mark and scheme.lower() not in ("http", "https"):
        raise InputError(
            f"the environment names a proxy of {one_line(scheme)[:20]!r} for {to.hostname}, and only one of HTTP can "
            f"be used: set {to.scheme.upper()}_PROXY to such a one, or NO_PROXY={to.hostname} for none"
        )
    return stated if mark else f"http://{stated}"
