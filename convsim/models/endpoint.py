"""Posts JSON to an OpenAI-compatible server, and turns whatever goes wrong into one line."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import JsonValue
from pydantic_core import to_json

from convsim._text import one_line
from convsim.errors import InputError, ModelError
from convsim.models.retrying import PassingError, asked_wait, with_retries

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

OPENAI_HOST, OPENAI_KEY_ENV = "api.openai.com", "OPENAI_API_KEY"
MAY_PASS = frozenset({408, 409, 425, 429})
"""Client errors that are tried again, as is every server error."""


class BadRequestError(ModelError):
    """The server cannot use the request as it stands."""


@dataclass(frozen=True)
class _Open:
    """The client that serves one event loop, and the generator that closes it."""

    client: AsyncOpenAI
    places: asyncio.Semaphore
    closing: AsyncGenerator[None]


@dataclass(kw_only=True)
class Endpoint:
    """One server; its key is read from the environment for each call, and kept nowhere."""

    base_url: str
    api_key_env: str
    timeout_s: float
    max_retries: int
    max_connections: int
    _open: dict[asyncio.AbstractEventLoop, _Open] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.host = _host(self.base_url)
        self.is_loopback = _is_loopback(self.host)
        if not self.api_key_env and self.host == OPENAI_HOST:
            self.api_key_env = OPENAI_KEY_ENV

    async def post(self, path: str, body: Mapping[str, JsonValue], *, who: str, seed: int) -> bytes:
        """Post ``body`` and return the answer's body, trying again after failures that may pass.

        Raises:
            InputError: There is no key in the environment.
            ModelError: ``who`` did not answer; one line with the reason.
        """

        # pydantic writes JSON four times as fast as the client does, and one text serves every try.
        content = to_json(body)

        async def once() -> bytes:
            opened = await self._opened()
            async with opened.places:
                return await self._post_once(opened.client, path, content, who=who)

        return await with_retries(once, max_retries=self.max_retries, seed=seed)

    async def aclose(self) -> None:
        """Close the connections of the running loop; a loop that ends closes its own."""
        if opened := self._open.get(asyncio.get_running_loop()):
            await opened.closing.aclose()

    async def key(self) -> str:
        """Read the key from the environment; a server on this machine that names none gets a dummy.

        Raises:
            InputError: The variable is absent, or none is named for a server elsewhere.
        """
        found = os.environ.get(self.api_key_env, "").strip()
        if not (found.isascii() and found.isprintable()):
            raise InputError(f"the key in {self.api_key_env} has characters that no HTTP header carries")
        if found or self.is_loopback:
            return found or "none"
        if not self.api_key_env:
            raise InputError(f"{self.base_url} needs a key: set api_key_env to the variable that holds it")
        raise InputError(f"{self.base_url} needs a key: the variable {self.api_key_env} is not set")

    async def _opened(self) -> _Open:
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            import openai

            from convsim.models.bounded_body import bound_body

            http = openai.DefaultAioHttpClient(
                event_hooks={"response": [bound_body]},
                headers={"Accept-Encoding": "identity"},
                trust_env=not self.is_loopback,
            )
            client = openai.AsyncOpenAI(
                api_key=self.key, base_url=self.base_url, http_client=http, max_retries=0, timeout=None
            )
            closing = self._closing(loop, client)
            self._open[loop] = _Open(client, asyncio.Semaphore(self.max_connections), closing)
            await anext(closing)
        return self._open[loop]

    async def _closing(self, loop: asyncio.AbstractEventLoop, client: AsyncOpenAI) -> AsyncGenerator[None]:
        """Close the client when closed: a loop that ends closes its asynchronous generators."""
        try:
            yield
        finally:
            self._open.pop(loop, None)
            await client.close()

    async def _post_once(self, client: AsyncOpenAI, path: str, content: bytes, *, who: str) -> bytes:
        import aiohttp
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self.timeout_s):
                response = await client.post(path, cast_to=httpx2.Response, content=content)
        except TimeoutError:
            raise PassingError(f"{who} gave no whole answer within {self.timeout_s:g} s") from None
        except openai.APIStatusError as error:
            raise self._refusal(error, path, who) from None
        except openai.APIConnectionError as error:
            raise PassingError(f"{who} cannot be reached: {_root(error)}") from None
        except aiohttp.ClientError as error:
            # A reply that is no HTTP reaches us unwrapped: openai's map of aiohttp's errors leaves it out.
            raise PassingError(f"{who} does not speak HTTP: {one_line(error)}") from None
        except ModelError as error:
            raise ModelError(f"{who} answered, but {error}") from None
        return response.content

    def _refusal(self, error: APIStatusError, path: str, who: str) -> ModelError:
        status = error.status_code
        if status in (401, 403):
            advice = f"check {self.api_key_env}" if self.api_key_env else "name its variable as api_key_env"
            return ModelError(f"{who} refuses the key (HTTP {status}): {advice}")
        said = one_line(_said(error.body), without=os.environ.get(self.api_key_env, ""))
        if status == 404:
            return ModelError(f"{who} is not there (HTTP 404 at {path}), check both names: {said}")
        reason = f"{who} failed with HTTP {status}: {said}"
        if (status in MAY_PASS or status >= 500) and error.code != "insufficient_quota":
            return PassingError(reason, wait_s=asked_wait(error.response.headers))
        return BadRequestError(reason) if status in (400, 422) else ModelError(reason)


def _said(body: object) -> object:
    return (body.get("message") or body) if isinstance(body, dict) else body


def _root(error: APIConnectionError) -> str:
    """Return the innermost cause: openai calls every lost connection a time-out."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return one_line(cause) or type(cause).__name__


def _host(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise InputError(f"base_url = {base_url!r} is no address: give one like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise InputError(
            f"the base_url of {host} carries credentials or a query: leave them out, and set api_key_env to "
            "the variable that holds the key"
        )
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
